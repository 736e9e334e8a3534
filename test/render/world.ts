import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli';
import type { Io } from '../../src/io';
import { type Clock, fakeClock } from '../support/clock';
import { FakeRegistry } from '../support/fake-registry';
import { FakeRender } from '../support/fake-render';
import type { FakeService } from '../support/fake-render-service';
import { Contract } from '../support/openapi';
import { root } from '../support/run';

export const apiKey = 'rnd_0123456789abcdefghijABCDEFGHIJ';
export const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
/** Values that no output may hold. */
export const secrets = [apiKey, token, 'hookkeyAbCdEf123456', 'postgres://user:pass@db'];

/** A registry with 1.0.0, 1.1.0 and 1.2.0 of the backend; latest is 1.1.0. */
export async function startRegistry(): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    registry.publish({ name: '@acme/backend', version, main: 'dist/main.js' });
  registry.publish({ name: '@acme/backend', version: '2.0.0', engines: { node: '>=26' } });
  registry.tag('@acme/backend', 'latest', '1.1.0');
  return registry;
}

/** Everything around one run of a command. */
export interface World {
  clock: Clock;
  render: FakeRender;
  /** A web service whose 1.0.0 is live and was proven. */
  api: FakeService;
  env: Record<string, string | undefined>;
  dir: string;
  writeFile: (name: string, text: string) => void;
  close: () => Promise<void>;
}

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
  all: string;
}

export const others = {
  DATABASE_URL: 'postgres://user:pass@db/acme',
  NODE_ENV: 'production',
  EMPTY: '',
  BACKEND_PACKAGE: '@acme/backend',
};

/** @param overlap Render's policy for a deploy that begins while another runs */
export async function createWorld(
  registry: FakeRegistry,
  overlap: 'wait' | 'override' = 'override',
): Promise<World> {
  const clock = fakeClock();
  const render = await FakeRender.start({
    clock,
    key: apiKey,
    contract: Contract.load(),
    limits: { posts: 10, reads: 400 },
    overlap,
  });
  const api = render.add({
    name: 'api',
    healthPath: '/healthz',
    env: { ...others, BACKEND_VERSION: '1.0.0' },
    latest: '1.1.0',
  });
  seedProven(api, '1.0.0');
  const dir = mkdtempSync(join(tmpdir(), 'bootlace-render-'));
  const env: World['env'] = {
    RENDER_API_KEY: apiKey,
    RENDER_HOST: render.url,
    NPM_TOKEN: token,
    BACKEND_REGISTRY: registry.url,
    HOME: '/nonexistent',
    npm_config_globalconfig: '/nonexistent/npmrc',
  };
  const close = async () => {
    rmSync(dir, { recursive: true, force: true });
    await render.close();
  };
  const writeFile = (name: string, text: string) => writeFileSync(join(dir, name), text);
  return { clock, render, api, env, dir, writeFile, close };
}

/** A version that bootlace deployed and proved earlier. */
export function seedProven(service: FakeService, version: string): void {
  const deploy = service.seedLive(version);
  const old = JSON.parse(service.env.get('BOOTLACE_RECORD') ?? '{"proven":[]}') as {
    proven: unknown[];
  };
  const proven = [{ version, deploy: deploy.id }, ...old.proven];
  service.env.set('BOOTLACE_RECORD', JSON.stringify({ proven }));
}

/** Runs a command line in this process with the world's clock. */
export async function run(world: World, argv: readonly string[]): Promise<Run> {
  let stdout = '';
  let stderr = '';
  let all = '';
  const io: Io = {
    env: world.env,
    cwd: world.dir,
    out: text => {
      stdout += text;
      all += text;
    },
    err: text => {
      stderr += text;
      all += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    ...world.clock,
    nodeVersion: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    execPath: process.execPath,
  };
  const outcome = await main(argv, io, join(root, 'dist'));
  assert.equal(typeof outcome, 'number');
  for (const secret of secrets) assert.ok(!all.includes(secret), `a secret in the output: ${all}`);
  // A long fix is broken behind a semicolon or a comma, a long message behind a full stop.
  const joined = (text: string) =>
    text.replace(/([;,])\n {7}(?=\S)/g, '$1 ').replace(/\.\n {2}(?=\S)/g, '. ');
  return { code: outcome as number, stdout, stderr: joined(stderr), all: joined(all) };
}

/** The most requests of a kind that began within any minute. */
export function busiestMinute(render: FakeRender, method: string): number {
  const times = render.requests.filter(r => r.method === method).map(({ at }) => at);
  return Math.max(0, ...times.map(t => times.filter(u => u >= t && u < t + 60_000).length));
}
