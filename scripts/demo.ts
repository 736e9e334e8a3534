// The main job, live: an embedded registry that demands a token, a compiled backend in several
// versions, setup, start, restart, new setup, pin. `--once` ends by itself; else it stays up.
// `--deploy` shows deploys, a way back and a rollback against a fake Render instead.
// `npm run demo -- PACKAGE [ARGS]` sets up and starts any package of the npm registry.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeRegistry } from '../test/support/fake-registry';

const bin = join(__dirname, '..', 'bin', 'bootlace.js');
const token = `ghp_${'demo'.repeat(9)}`;

const server = `const http = require('node:http');
const { name, version } = require('../package.json');
http
  .createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'ok', name, version, tokenInEnvironment: 'NPM_TOKEN' in process.env }));
  })
  .listen(process.env.PORT, '127.0.0.1', () => console.log(name, version, 'listens on', process.env.PORT));
`;

/** What runs now, which ends with the demo. */
const children = new Set<ChildProcess>();

function launch(args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(process.execPath, args, options);
  children.add(child);
  child.once('close', () => children.delete(child));
  return child;
}

async function main(words: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlace-demo-'));
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  if (words.includes('--deploy')) {
    const { demoDeploy } = await import('./demo-deploy');
    process.exitCode = await demoDeploy(words.includes('--stay'));
    return;
  }
  const [first, ...rest] = words;
  if (first && !first.startsWith('-')) return anyPackage(folder, first, rest);
  return ownBackend(folder, words.includes('--once'));
}

async function ownBackend(folder: string, isOnce: boolean): Promise<void> {
  say('A private registry, which demands a token, holds @acme/backend 1.0.0 and 1.1.0.');
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  const publish = (version: string) =>
    registry.publish(
      { name: '@acme/backend', version, main: 'dist/main.js' },
      { 'dist/main.js': server },
    );
  publish('1.0.0');
  publish('1.1.0');
  const port = await freePort();
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    PORT: String(port),
  };
  const setup = (extra: Record<string, string> = {}) =>
    run(folder, ['setup'], { ...env, ...extra }, extra);
  const health = `http://127.0.0.1:${port}/healthz`;

  say('\nThe test environment follows latest:');
  await setup();
  let backend = await start(folder, env, health);
  expectVersion(await ask(health), '1.1.0');
  show('.npmrc', readFileSync(join(folder, '.npmrc'), 'utf8'));

  say('\n1.2.0 is published. A restart does not change the version:');
  publish('1.2.0');
  await stop(backend);
  backend = await start(folder, env, health);
  expectVersion(await ask(health), '1.1.0');

  say('\nA new setup does:');
  await stop(backend);
  await setup();
  backend = await start(folder, env, health);
  expectVersion(await ask(health), '1.2.0');

  say('\nProduction pins the older one:');
  await stop(backend);
  await setup({ BACKEND_VERSION: '1.0.0' });
  backend = await start(folder, env, health);
  expectVersion(await ask(health), '1.0.0');
  await run(folder, ['status'], env, {});

  if (isOnce) {
    await stop(backend);
    await registry.close();
    say('\nThat was all of it.');
    return;
  }
  say(`\nThe backend stays up at ${health} (Ctrl-C ends it).`);
  await once(backend, 'exit');
  await registry.close();
}

async function anyPackage(folder: string, word: string, args: readonly string[]): Promise<void> {
  const at = word.indexOf('@', 1);
  const name = at < 0 ? word : word.slice(0, at);
  const extra = { BACKEND_PACKAGE: name, ...(at > 0 && { BACKEND_VERSION: word.slice(at + 1) }) };
  await run(folder, ['setup'], extra, extra);
  say(`$ node server.js ${args.join(' ')}`);
  const child = launch(['server.js', ...args], {
    cwd: folder,
    stdio: 'inherit',
    env: process.env,
  });
  const [code] = await once(child, 'exit');
  process.exitCode = Number(code ?? 1);
}

/** Runs bootlace and shows the line to type. */
async function run(
  cwd: string,
  args: string[],
  env: Record<string, string>,
  shown: Record<string, string>,
): Promise<void> {
  const prefix = Object.entries(shown).map(([name, value]) => `${name}=${value} `);
  say(`$ ${prefix.join('')}npx bootlace ${args.join(' ')}`);
  const child = launch([bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`bootlace ${args.join(' ')} ended with ${code}`);
}

async function start(
  cwd: string,
  env: Record<string, string>,
  health: string,
): Promise<ChildProcess> {
  say('$ node server.js');
  const child = launch(['server.js'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`the backend ended with ${child.exitCode}`);
    if (
      await fetch(health).then(
        response => response.ok,
        () => false,
      )
    )
      return child;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error('the backend did not answer');
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill();
  await once(child, 'exit');
}

async function ask(url: string): Promise<string> {
  const text = await (await fetch(url)).text();
  say(`$ curl ${url}\n${text}`);
  return text;
}

function expectVersion(answer: string, version: string): void {
  const said = JSON.parse(answer) as { version: string; tokenInEnvironment: boolean };
  if (said.version !== version || said.tokenInEnvironment)
    throw new Error(`expected ${version} without a token, got ${answer}`);
}

function show(name: string, text: string): void {
  say(`$ cat ${name}\n${text.trimEnd()}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

main(process.argv.slice(2)).catch(error => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
