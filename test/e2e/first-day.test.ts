// The first day of a user: the packed tarball in an empty folder, and first-day.txt typed line by
// line against Verdaccio, which demands authentication. Each command's output is compared whole.
// Reaches no network, except for the package dotenv at the end.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { withoutRegistry } from '../support/live-registry';
import { cleanEnv, freePort, root, temporaryFolder, waitForAnswer } from '../support/run';
import { searchFiles } from '../support/snapshot';

type Context = { after(fn: () => unknown): void };

/** Says whether it has the token, in process.env and in what the kernel shows of its start. */
const server = (version: string) => `
const started = require('node:fs').readFileSync('/proc/self/environ', 'utf8');
const yes = is => (is ? 'yes' : 'no');
const answer = '${version}, token in process.env: ' + yes(process.env.NPM_TOKEN) + ', in /proc: ' + yes(started.includes('NPM_TOKEN='));
require('node:http').createServer((_, response) => response.end(answer)).listen(process.env.PORT, '127.0.0.1');
`;
const print = (what: string) =>
  `console.log('${what}:', process.argv.slice(2).join(' '), process.env.DATABASE_URL)`;

/** The versions that the day publishes; the tags besides latest keep it where it is. */
const versions: Record<string, { tag: string; files: Record<string, string>; json?: object }> = {
  '1.0.0': { tag: 'latest', files: { 'main.js': server('1.0.0') } },
  '1.1.0': { tag: 'latest', files: { 'main.js': server('1.1.0') } },
  '1.2.0': { tag: 'crash', files: { 'main.js': "throw new Error('no config')" } },
  '1.3.0': {
    tag: 'roles',
    files: {
      'main.js': server('1.3.0'),
      'worker.js': print('worker'),
      'migrate.js': print('migrated'),
    },
    json: {
      bootlace: {
        requires: ['DATABASE_URL'],
        roles: { web: 'dist/main.js', worker: 'dist/worker.js --queue mail' },
        migrate: 'dist/migrate.js --up',
      },
    },
  },
  '1.4.0': {
    tag: 'dotenv',
    files: { 'main.js': `require('dotenv/config');${server('1.4.0')}` },
    json: { dependencies: { dotenv: '16.6.1' } },
  },
};

function writeBackend(folder: string, version: string): void {
  const { files, json } = versions[version] as (typeof versions)[string];
  const manifest = { name: '@acme/backend', version, main: 'dist/main.js', files: ['dist'] };
  const all = { 'package.json': JSON.stringify({ ...manifest, ...json }) };
  const built = Object.entries(files).map(([name, text]) => [`dist/${name}`, text] as const);
  for (const [path, text] of [...Object.entries(all), ...built]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A registry that can go away and come back at the same address. */
async function verdaccio(t: Context) {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `storage: ./storage
auth: { htpasswd: { file: ./htpasswd } }
uplinks: { npm: { url: '${defaults.registry}' } }
packages:
  '@acme/*': { access: $authenticated, publish: $authenticated }
  '**': { access: $authenticated, proxy: npm }
log: { type: stdout, format: pretty, level: fatal }
`,
  );
  let child: ChildProcess | undefined;
  const start = async () => {
    const script = join(root, 'node_modules/verdaccio/bin/verdaccio');
    child = spawn(process.execPath, [script, '--config', config, '--listen', `127.0.0.1:${port}`], {
      cwd: folder,
      env: cleanEnv({ HOME: folder }),
      stdio: 'ignore',
    });
    await waitForAnswer(`${url}-/ping`, 60);
  };
  const stop = () =>
    new Promise<void>(resolve => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('close', () => resolve());
      child.kill();
    });
  t.after(stop);
  await start();
  const response = await fetch(`${url}-/user/org.couchdb.user:ci`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ci', password: 'a-long-password' }),
  });
  const { token } = (await response.json()) as { token: string };
  return { url, token, start, stop };
}

interface Step {
  line: number;
  command: string;
  expected: string;
}

/** `$ COMMAND`, its output, and `[EXIT CODE]`; `## text` is a heading and `= act` is the world's. */
function readSteps(text: string): Step[] {
  const steps: Step[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const last = steps.at(-1);
    if (/^[$=] /.test(line)) steps.push({ line: i + 1, command: line, expected: '' });
    else if (last && line && !line.startsWith('## ')) last.expected += `${line}\n`;
  }
  return steps;
}

async function firstDay(t: Context, script: string): Promise<void> {
  const registry = await verdaccio(t);
  const { url, token } = registry;
  const home = temporaryFolder(t);
  const app = join(home, 'app');
  for (const folder of ['app', 'other', 'workspace/packages/api', 'workspace/packages/lib'])
    mkdirSync(join(home, folder), { recursive: true });
  const members = { private: true, workspaces: ['packages/*'] };
  writeFileSync(join(home, 'workspace/package.json'), JSON.stringify(members));
  for (const name of ['api', 'lib'])
    writeFileSync(
      join(home, `workspace/packages/${name}/package.json`),
      `{"name":"@acme/${name}","version":"1.0.0"}`,
    );
  writeBackend(join(home, 'build'), '1.1.0');
  // The tests' build is packed as it is: building again would disturb tests that run beside this.
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination'];
  execFileSync('npm', [...pack, home], { cwd: root });
  execFileSync('npm', [...pack, home, './build'], { cwd: home });
  const [tarball = ''] = readdirSync(home).filter(name => /^bootlace-.*\.tgz$/.test(name));
  const port = String(await freePort());
  let env: Record<string, string | undefined> = {
    ...{ HOME: home, PORT: port, npm_config_update_notifier: 'false', npm_config_registry: url },
  };

  const clean = (text: string) =>
    text
      .replaceAll(new URL(url).host, '127.0.0.1:54321')
      .replaceAll(home, '')
      .replaceAll(process.execPath, '/usr/bin/node')
      .replaceAll(tarball, 'bootlace.tgz')
      .replaceAll(process.versions.node, '24.0.0')
      .replaceAll(/-[0-9a-f]{10}\b/g, '-0123456789')
      .replaceAll(/\b(in|after) [\d.]+ (ms|s)\b/g, '$1 1 s')
      .replaceAll(/\([\d.]+ s\)/g, '(0.1 s)')
      .replaceAll(/(?<=^ok +disk +)\d+/gm, '1000')
      .replaceAll(/(?<=^ok +memory +)\S.*/gm, 'no limit, 1000 MB free')
      .replaceAll(/\d+ min ago$/gm, 'just now')
      .replaceAll(/^(warning: .*trying again in 1 s\n)\1*/gm, '$1')
      .replaceAll(/^(Node\.js v.*| +at .*|added .*|\s*|\^)\n/gm, '');

  const activeIn = (folder: string): string =>
    JSON.parse(readFileSync(join(home, folder, '.bootlace/current.json'), 'utf8')).active;

  const check = (output: string) => {
    assert(!output.includes(token), 'the token is in the output');
    assert(!spawnSync('ps', ['-eo', 'args']).stdout.includes(token), 'the token is in ps');
    const files = searchFiles(home, token).filter(path => !path.endsWith('app/.env'));
    assert.deepEqual(files, [], 'the token is in a file');
    // A command to type stays whole.
    for (const line of clean(output).split('\n'))
      assert(line.length <= 100 || / fix: rm -r /.test(line), line);
  };

  const act: Record<string, (word: string) => unknown> = {
    publish(version) {
      const source = temporaryFolder(t);
      writeBackend(source, version);
      const auth = `${url.replace('http:', '')}:_authToken=\${NPM_TOKEN}`;
      writeFileSync(join(source, '.npmrc'), `@acme:registry=${url}\n${auth}\n`);
      const { tag } = versions[version] as (typeof versions)[string];
      execFileSync('npm', ['publish', '--silent', '--tag', tag], {
        cwd: source,
        env: cleanEnv({ HOME: source, NPM_TOKEN: token }),
      });
    },
    write: file => writeFileSync(join(app, file), `NPM_TOKEN=${token}\n`),
    stop: registry.stop,
    start: registry.start,
  };

  /** Runs a command line to its end; one that ends with & is a server, which is asked and stopped. */
  const type = async (command: string): Promise<string> => {
    const isServer = command.endsWith(' &');
    const child = spawn('sh', ['-c', `exec 2>&1; ${command.replace(/ &$/, '')}`], {
      cwd: app,
      env: cleanEnv(env),
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text;
    });
    const ended = new Promise<number | null>(resolve => child.once('close', resolve));
    if (!isServer) {
      const code = await ended;
      check(output);
      return `${clean(output)}[${code}]\n`;
    }
    const { body } = await waitForAnswer(`http://127.0.0.1:${port}/`, 60);
    check(output);
    process.kill(-(child.pid as number), 'SIGTERM');
    await ended;
    return `${clean(output)}GET / ${body}\n`;
  };

  for (const { line, command, expected } of readSteps(script)) {
    const [, name = '', value] = /^\$ (?:export|unset) (\w+)=?(.*)$/.exec(command) ?? [];
    const [, verb = '', word = ''] = /^= (\w+) ?(.*)$/.exec(command) ?? [];
    if (name) {
      const known: Record<string, string> = { TOKEN: token, REGISTRY: url };
      env = { ...env, [name]: value ? (known[value] ?? value) : undefined };
    } else if (verb) await act[verb]?.(word);
    else {
      const typed = command
        .slice(2)
        .replace('bootlace.tgz', tarball)
        .replace(/\d+\.\d+\.\d+-0123456789/, () =>
          activeIn(command.includes('../other') ? 'other' : 'app'),
        );
      const found = await type(typed);
      assert.equal(found, expected, `line ${line}: ${command}`);
    }
  }
}

const read = (name: string) => readFileSync(join(__dirname, name), 'utf8');

test('the first day, as typed', t => firstDay(t, read('first-day.txt')));

test('a token in .env of a backend that reads it', async t => {
  const skip = await withoutRegistry();
  if (skip) return t.skip(skip);
  await firstDay(t, read('first-day-dotenv.txt'));
});
