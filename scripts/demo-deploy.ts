// npm run demo:deploy [-- --once]: a deploy, a broken version that goes back by itself, and a
// rollback, against a fake Render API whose builds really run. Without --once it stays up, so that
// the commands can be typed by hand. Nothing leaves this machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../src/cli';
import { realIo } from '../src/io';
import { fastClock } from '../test/support/clock';
import { FakeRegistry } from '../test/support/fake-registry';
import { FakeRender } from '../test/support/fake-render';
import { RealBuilds } from '../test/support/fake-render-build';
import type { FakeService } from '../test/support/fake-render-service';

const factor = 20;
const token = 'demo-token-of-the-registry';
const key = 'demo-key-of-the-api';
const root = join(__dirname, '..');

/** @returns the exit code: 0 when everything went as the demo says */
export async function demoDeploy(once: boolean): Promise<number> {
  const clock = fastClock(factor);
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  const render = await FakeRender.start({ clock, key });
  const builds = new RealBuilds(render);
  const dir = mkdtempSync(join(tmpdir(), 'bootlace-demo-'));
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    npm_config_registry: registry.url,
    NPM_TOKEN: token,
  };
  publish(registry);
  const api = render.add({
    name: 'api',
    healthPath: '/health',
    env: { ...env, DATABASE_URL: 'postgres://db/acme' },
  });
  const io = {
    ...realIo(),
    ...clock,
    cwd: dir,
    env: {
      ...env,
      PATH: process.env.PATH,
      RENDER_API_KEY: key,
      RENDER_HOST: render.url,
    },
  };

  async function step(
    text: string,
    line: string,
    wanted: number,
    version: string,
  ): Promise<boolean> {
    say(`\n# ${text}\n$ bootlace ${line}\n`);
    const code = await main(line.split(' '), io, join(root, 'dist'));
    const isRight = code === wanted && (await isServing(api, version));
    say(`(exit ${String(code)}; ${api.url}/ answers ${await answer(api)})\n`);
    if (!isRight) say(`expected exit ${wanted} and ${version}\n`);
    return isRight;
  }

  try {
    say(
      `A fake Render API with one web service; builds and backends really run. Its clock runs ${factor} times as fast.\n`,
    );
    const steps: [string, string, number, string][] = [
      ['a first version', 'deploy api --backend-version 1.0.0', 0, '1.0.0'],
      ['the next one, proven', 'deploy api --backend-version 1.1.0', 0, '1.1.0'],
      [
        'a broken one: why, and the way back by itself',
        'deploy api --backend-version 1.2.0',
        9,
        '1.1.0',
      ],
      ['what is where', 'services', 0, '1.1.0'],
      ['back to the version proven before', 'rollback api', 0, '1.0.0'],
      ['is it what it should be?', 'verify api --expect-json /version', 0, '1.0.0'],
    ];
    let isRight = true;
    for (const [text, line, code, version] of steps)
      isRight = (await step(text, line, code, version)) && isRight;
    if (!once && isRight) await stayUp(io.env, render.url);
    return isRight ? 0 : 1;
  } finally {
    await builds.close();
    await render.close();
    await registry.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function publish(registry: FakeRegistry): void {
  const backend = (version: string) =>
    [
      "const { createServer } = require('node:http')",
      `const server = createServer((_, res) => res.setHeader('content-type', 'application/json').end(JSON.stringify({ ok: true, version: '${version}' })))`,
      "server.listen(process.env.PORT, '127.0.0.1')",
      "process.on('SIGTERM', () => server.close(() => process.exit(0)).closeAllConnections())",
    ].join('\n');
  for (const version of ['1.0.0', '1.1.0'])
    registry.publish(
      { name: '@acme/backend', version, main: 'dist/main.js' },
      { 'dist/main.js': backend(version) },
    );
  registry.publish(
    { name: '@acme/backend', version: '1.2.0', main: 'dist/main.js' },
    { 'dist/main.js': "throw new Error('column users.email does not exist')" },
  );
}

async function answer(service: FakeService): Promise<string> {
  return (await fetch(`${service.url}/`)).text();
}

async function isServing(service: FakeService, version: string): Promise<boolean> {
  return (await answer(service)).includes(`"${version}"`);
}

function stayUp(env: Record<string, string | undefined>, url: string): Promise<void> {
  say(`\nIt stays up; in another terminal:\n\n  export RENDER_HOST=${url} RENDER_API_KEY=${key}\n`);
  say(
    `  export BACKEND_PACKAGE=${env.BACKEND_PACKAGE} BACKEND_REGISTRY=${env.BACKEND_REGISTRY} NPM_TOKEN=${token}\n`,
  );
  say('  node bin/bootlace.js services\n\nCtrl-C ends it.\n');
  return new Promise(resolve => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function say(text: string): void {
  process.stdout.write(text);
}

if (require.main === module)
  demoDeploy(process.argv.includes('--once')).then(
    code => {
      process.exitCode = code;
    },
    error => {
      console.error(error);
      process.exitCode = 1;
    },
  );
