// npm run demo -- --deploy: a private backend in two environments against a fake Render API whose builds
// and backends really run: a test environment that follows latest, a production with a pin, a broken
// version that goes back by itself, and a rollback. `--stay` keeps it up, so that the commands can be
// typed by hand. Nothing leaves this machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText as styled } from 'node:util';
import { main } from '../src/cli';
import { realIo } from '../src/io';
import { fastClock } from '../test/support/clock';
import { FakeRegistry } from '../test/support/fake-registry';
import { FakeRender } from '../test/support/fake-render';
import { RealBuilds } from '../test/support/fake-render-build';
import type { FakeService } from '../test/support/fake-render-service';

const factor = 30;
const token = 'demo-token-of-the-registry';
const key = 'demo-key-of-the-api';
const root = join(__dirname, '..');

interface Step {
  title: string;
  line: string;
  exit?: number;
  /** What both must be serving at its end. */
  smokebox: string;
  prod: string;
}

const steps: readonly Step[] = [
  {
    title: '1.1.0 is published. The test environment follows latest, and takes it.',
    line: 'deploy backend-smokebox',
    smokebox: '1.1.0',
    prod: '1.0.0',
  },
  {
    title: 'What would production do?',
    line: 'deploy backend-prod --backend-version 1.1.0 --dry-run',
    smokebox: '1.1.0',
    prod: '1.0.0',
  },
  {
    title: 'Production: pinned, deployed, and proven on each instance.',
    line: 'deploy backend-prod --backend-version 1.1.0',
    smokebox: '1.1.0',
    prod: '1.1.0',
  },
  {
    title: '1.2.0 is broken: the reason, and the way back by itself.',
    line: 'deploy backend-prod --backend-version 1.2.0',
    exit: 9,
    smokebox: '1.1.0',
    prod: '1.1.0',
  },
  {
    title: 'Back to the version before, by the artifact that Render still has.',
    line: 'rollback backend-prod',
    smokebox: '1.1.0',
    prod: '1.0.0',
  },
  {
    title: 'Who deployed what?',
    line: 'releases backend-prod',
    smokebox: '1.1.0',
    prod: '1.0.0',
  },
];

/** @returns the exit code: 0 when everything went as the demo says */
export async function demoDeploy(stays: boolean): Promise<number> {
  const begun = Date.now();
  const clock = fastClock(factor);
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  const render = await FakeRender.start({ clock, key, overlap: 'override' });
  const builds = new RealBuilds(render);
  const dir = mkdtempSync(join(tmpdir(), 'bootlace-demo-'));
  // Ctrl-C and SIGTERM exit at once; what was started ends with us.
  process.once('exit', () => {
    builds.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    npm_config_registry: registry.url,
    NPM_TOKEN: token,
  };
  const variables = { ...env, DATABASE_URL: 'postgres://db/acme' };
  const add = (name: string, pin: string) =>
    render.add({
      name,
      healthPath: '/health',
      env: { ...variables, BACKEND_VERSION: pin },
      latest: 'latest',
    });
  publish(registry, '1.0.0');
  const smokebox = add('backend-smokebox', 'latest');
  const prod = add('backend-prod', '1.0.0');
  const io = {
    ...realIo(),
    ...clock,
    cwd: dir,
    env: { ...env, PATH: process.env.PATH, RENDER_API_KEY: key, RENDER_HOST: render.url },
    outIsTerminal: false,
    errIsTerminal: false,
    out: indented,
    err: indented,
  };
  const run = async (line: string, quiet = false) => {
    const silent = { ...io, out: () => {}, err: () => {} };
    return main(line.split(' '), quiet ? silent : io, join(root, 'dist'));
  };

  try {
    say(styleText('bold', 'A private npm backend on Render, in two environments'));
    say(`(a fake Render, ${factor} times as fast; builds and backends really run)`);
    const first = await run('deploy backend-smokebox backend-prod', true);
    if (first !== 0) throw new Error(`the first deploy ended with ${String(first)}`);
    publish(registry, '1.1.0');
    publish(registry, '1.2.0', "throw new Error('column users.email does not exist')");
    registry.tag('@acme/backend', 'latest', '1.1.0');
    let isRight = true;
    for (const [i, step] of steps.entries()) {
      say(`\n${styleText(['bold', 'cyan'], `${i + 1}  ${step.title}`)}`);
      say(`\n  ${styleText('bold', `$ npx bootlace ${step.line}`)}`);
      const code = await run(step.line);
      const serving = [await versionOf(smokebox), await versionOf(prod)];
      const isAsSaid =
        code === (step.exit ?? 0) && serving.join() === `${step.smokebox},${step.prod}`;
      const text = `exit ${String(code)} · serving: smokebox ${serving[0]}, production ${serving[1]}`;
      say(`\n  ${styleText(isAsSaid ? 'green' : 'red', `${isAsSaid ? '✔' : '✖'} ${text}`)}`);
      isRight &&= isAsSaid;
    }
    say(
      `\n${styleText('bold', `That was all of it, in ${Math.round((Date.now() - begun) / 1000)} s.`)}`,
    );
    if (stays && isRight) await stayUp(io.env, render.url);
    return isRight ? 0 : 1;
  } finally {
    await builds.close();
    await render.close();
    await registry.close();
  }
}

function publish(registry: FakeRegistry, version: string, main = backend(version)): void {
  const manifest = { name: '@acme/backend', version, main: 'dist/main.js' };
  registry.publish(manifest, { 'dist/main.js': main });
}

function backend(version: string): string {
  return [
    "const { createServer } = require('node:http')",
    `const server = createServer((_, res) => res.setHeader('content-type', 'application/json').end(JSON.stringify({ ok: true, version: '${version}' })))`,
    "server.listen(process.env.PORT, '127.0.0.1')",
    "process.on('SIGTERM', () => server.close(() => process.exit(0)).closeAllConnections())",
  ].join('\n');
}

async function versionOf(service: FakeService): Promise<string> {
  const answer = await (await fetch(`${service.url}/`)).text();
  return /"version":"([^"]+)"/.exec(answer)?.[1] ?? 'nothing';
}

function stayUp(env: Record<string, string | undefined>, url: string): Promise<void> {
  say(`\nIt stays up; in another terminal:\n\n  export RENDER_HOST=${url} RENDER_API_KEY=${key}`);
  say(
    `  export BACKEND_PACKAGE=${env.BACKEND_PACKAGE} BACKEND_REGISTRY=${env.BACKEND_REGISTRY} NPM_TOKEN=${token}`,
  );
  say('  node bin/bootlace.js services\n\nCtrl-C ends it.');
  return new Promise(() => {});
}

/** Colours on a terminal alone. */
function styleText(style: Parameters<typeof styled>[0], text: string): string {
  const isPlain = !process.stdout.isTTY || process.env.NO_COLOR;
  return isPlain ? text : styled(style, text, { validateStream: false });
}

/** What a command says, one step to the right. */
function indented(text: string): void {
  process.stdout.write(text.replace(/^(?=.)/gm, '  '));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
