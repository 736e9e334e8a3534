// Compiled backends of real shapes: packed, published to a registry of our own, set up with their
// dependencies from the npm registry, started, asked, stopped. Skipped, with the reason, without it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { withoutRegistry } from '../support/live-registry';
import { postgresFolder, startPostgres } from '../support/postgres';
import {
  bootlace,
  freePort,
  type Running,
  root,
  runNode,
  startNode,
  temporaryFolder,
  waitForAnswer,
} from '../support/run';

const skip = withoutRegistry();
const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';

interface Launched {
  cwd: string;
  env: Record<string, string>;
}

/** Packs a sample as npm publish would, publishes it, and sets it up in an empty folder. */
async function setUp(
  t: TestContext,
  folder: string,
  extra: Record<string, string> = {},
): Promise<Launched> {
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  const cwd = temporaryFolder(t);
  const packed = temporaryFolder(t);
  const source = folder.includes('/') ? folder : join(root, 'test', 'samples', folder);
  execFileSync('npm', ['pack', source, '--pack-destination', packed, '--ignore-scripts'], {
    stdio: 'pipe',
  });
  const [file] = readdirSync(packed);
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  registry.publish(manifest, {}, { tarball: readFileSync(join(packed, file as string)) });
  const env = {
    BACKEND_PACKAGE: manifest.name,
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    ...extra,
  };
  const { code, stderr } = await bootlace(['setup'], { cwd, env });
  assert.equal(code, 0, stderr);
  return { cwd, env };
}

/** Starts it, waits for its health, and hands it to the test. */
async function serve(
  t: TestContext,
  { cwd, env }: Launched,
  words: string[] = [],
): Promise<{ url: string; running: Running }> {
  const port = await freePort();
  const running = startNode(t, join(cwd, 'server.js'), words, {
    cwd,
    env: { ...env, PORT: `${port}` },
  });
  const url = `http://127.0.0.1:${port}`;
  const { body, status } = await waitForAnswer(`${url}/healthz`, 60);
  assert.deepEqual([status, JSON.parse(body)], [200, { ok: true }], running.output());
  return { url, running };
}

/** A request that is under way when SIGTERM comes gets its whole answer; then the backend ends. */
async function stopsGracefully(url: string, running: Running, wanted: object): Promise<void> {
  const answer = fetch(`${url}/slow`, { headers: { connection: 'close' } });
  await new Promise(resolve => setTimeout(resolve, 200));
  const stopped = running.stop('SIGTERM');
  assert.equal(await (await answer).text(), 'whole');
  assert.deepEqual(await stopped, wanted);
  assert.match(running.output(), /stopping/);
}

function seesItself(facts: Record<string, unknown>, cwd: string, words: string[]): void {
  assert.equal(facts.cwd, realpathSync(cwd));
  const [file, ...rest] = facts.argv as string[];
  assert.match(file as string, /node_modules\/@acme\/[\w-]+\/dist\/main\.js$/);
  assert.deepEqual(rest, words);
  assert.deepEqual(facts.execArgv, []);
  const env = facts.env as Record<string, string>;
  assert.equal(env.MY_OWN, 'kept');
  for (const name of Object.keys(env)) assert.doesNotMatch(name, /^(NPM_TOKEN|BOOTLACE_)/);
  assert.equal(JSON.stringify(env).includes(token), false);
}

for (const [name, folder] of [
  ['Express, CommonJS', 'express'],
  ['Fastify, ES modules', 'fastify'],
] as const)
  test(name, async t => {
    const reason = await skip;
    if (reason) return t.skip(reason);
    const launched = await setUp(t, folder, { MY_OWN: 'kept' });
    const { url, running } = await serve(t, launched, ['--color', 'blue']);
    const facts = JSON.parse((await waitForAnswer(`${url}/facts`)).body);
    seesItself(facts, launched.cwd, ['--color', 'blue']);
    assert.equal(facts.isMain, true);
    if (folder === 'express') assert.equal(facts.env.NODE_ENV, 'production');
    await stopsGracefully(url, running, { code: 0, signal: null });
    if (folder !== 'fastify') return;
    const worker = await runNode(join(launched.cwd, 'server.js'), ['x'], {
      cwd: launched.cwd,
      env: { ...launched.env, BACKEND_ENTRY: './worker' },
    });
    assert.deepEqual([worker.code, worker.stdout], [7, 'worker x\n']);
  });

test('a package with a native module', async t => {
  const reason = await skip;
  if (reason) return t.skip(reason);
  const { url, running } = await serve(t, await setUp(t, 'native'));
  assert.match((await waitForAnswer(url)).body, /"ok":true/);
  assert.deepEqual(await running.stop(), { code: 0, signal: null });
});

/** Builds the Next.js sample once, in .cache, with its build-time dependencies from the registry. */
function buildNext(): string {
  const folder = join(root, '.cache', 'next-sample');
  const built = join(folder, '.next', 'standalone');
  if (existsSync(join(built, 'server.js'))) return built;
  cpSync(join(root, 'test', 'samples', 'next'), folder, { recursive: true });
  const options = {
    cwd: folder,
    stdio: 'pipe',
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  } as const;
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], options);
  execFileSync('npm', ['run', 'build'], options);
  return built;
}

test('Next.js, standalone', { timeout: 600_000 }, async t => {
  const reason = await skip;
  if (reason) return t.skip(reason);
  const launched = await setUp(t, buildNext(), { HOSTNAME: '127.0.0.1' });
  const { url, running } = await serve(t, launched);
  assert.match((await waitForAnswer(url)).body, /hello from next/);
  const answer = fetch(`${url}/slow`, { headers: { connection: 'close' } });
  await new Promise(resolve => setTimeout(resolve, 200));
  const stopped = running.stop('SIGTERM');
  assert.equal(await (await answer).text(), 'whole');
  // As node server.js of the standalone build ends, with its own code for a SIGTERM.
  assert.deepEqual(await stopped, { code: 143, signal: null });
});

test('NestJS: API, worker and cron on PostgreSQL, migrations before the start', async t => {
  const reason = await skip;
  if (reason) return t.skip(reason);
  const bin = postgresFolder();
  if (!bin) return t.skip('no PostgreSQL server is installed');
  const postgres = await startPostgres(bin);
  t.after(() => postgres.stop());
  const launched = await setUp(t, 'nest', { MY_OWN: 'kept' });
  const { cwd, env } = launched;

  const missing = await bootlace(['release'], { cwd, env });
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /VARIABLE_MISSING.*DATABASE_URL/);
  const wrong = { ...env, DATABASE_URL: 'postgres://app@127.0.0.1:1/app' };
  assert.equal((await bootlace(['release'], { cwd, env: wrong })).code, 4, 'its failure is ours');

  env.DATABASE_URL = postgres.createDatabase('app');
  const migrated = await bootlace(['release'], { cwd, env });
  assert.deepEqual([migrated.code, migrated.stdout], [0, 'migrated\n'], migrated.stderr);
  const cron = await runNode(join(cwd, 'server.js'), ['cron'], { cwd, env });
  assert.deepEqual([cron.code, cron.stdout], [0, 'ran --once\n'], cron.stderr);

  const { url, running } = await serve(t, launched, ['web', '--loud']);
  const worker = startNode(t, join(cwd, 'server.js'), ['worker'], { cwd, env });
  seesItself(JSON.parse((await waitForAnswer(`${url}/facts`)).body), cwd, ['--loud']);
  await fetch(`${url}/jobs`, { method: 'POST' });
  for (let tries = 0; ; tries++) {
    const jobs = JSON.parse((await waitForAnswer(`${url}/jobs`)).body) as { state: string }[];
    if (jobs.length === 2 && jobs.some(({ state }) => state === 'done')) break;
    assert.ok(tries < 200, JSON.stringify(jobs));
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  assert.deepEqual(await worker.stop(), { code: 0, signal: null });
  assert.match(worker.output(), /stopped/);
  // Nest ends itself by the signal once its hooks are done.
  await stopsGracefully(url, running, { code: null, signal: 'SIGTERM' });
});
