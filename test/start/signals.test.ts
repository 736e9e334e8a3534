import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { launchable, wholeFile } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { cleanEnv } from '../support/run';

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;
type Signal = (typeof signals)[number];

const backend = `
if (process.env.HANDLE)
  for (const signal of ${JSON.stringify(signals)})
    process.on(signal, () => {
      console.log('got ' + signal);
      setTimeout(() => process.exit(3), 60);
    });
setInterval(() => {}, 1000);
console.log('ready');
`;

interface End {
  code: number | null;
  signal: string | null;
  got: number;
}

const execveNode = availableNodes().find(({ major }) => major >= 24);
const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

suite('signals reach the backend, and its end the parent, as with node <entry>', () => {
  let inProcess: string;
  let flagged: string;
  let preload: string;
  before(async () => {
    inProcess = await launchable(wholeFile, { 'dist/main.js': backend });
    flagged = await launchable(
      wholeFile,
      { 'dist/main.js': backend },
      { scripts: { start: 'node --stack-size=900 dist/main.js' } },
    );
    preload = join(flagged, 'no-execve.cjs');
    writeFileSync(
      preload,
      // The parent loses the processor right after it started its child, as on a busy machine.
      `delete process.execve;
      const childProcess = require('node:child_process');
      const { spawn } = childProcess;
      childProcess.spawn = (...words) => {
        const child = spawn(...words);
        for (const end = Date.now() + Number(process.env.PAUSE ?? 0); Date.now() < end; );
        return child;
      };`,
    );
  });

  const modes = [
    ['in process', process.execPath, () => [join(inProcess, 'server.js')]],
    ['execve', execveNode?.file, () => [join(flagged, 'server.js')]],
    ['child', process.execPath, () => ['-r', preload, join(flagged, 'server.js')]],
  ] as const;

  for (const [mode, node, words] of modes)
    for (const handler of [true, false])
      for (const isPidOne of [false, true]) {
        const name = `${mode}, ${handler ? 'with' : 'without'} a handler, ${isPidOne ? 'as process 1' : 'not process 1'}`;
        const skip =
          (!node && 'needs a Node with execve: npm run bench:nodes') ||
          (isPidOne && !canUnshare && 'this machine allows no PID namespace');
        test(name, { skip }, async () => {
          for (const signal of signals) {
            const file = node as string;
            const entry = [join(inProcess, 'entry.cjs')];
            writeFileSync(entry[0] as string, backend);
            const ours = await run(file, words(), signal, handler, isPidOne);
            // Plain Node as process 1 loses these without a handler, so there is no end to compare.
            const plain =
              isPidOne && !handler && signal !== 'SIGUSR2'
                ? undefined
                : await run(file, entry, signal, handler, isPidOne);
            // Process 1 stays, and its child has the default actions.
            const how = isPidOne && mode === 'execve' ? 'child' : mode;
            assert.deepEqual(ours, expected(signal, plain, how), signal);
          }
        });
      }

  test('a terminal interrupts the whole group and the backend sees it once', async t => {
    const script = spawnSync('script', ['--version']).status === 0;
    if (!script) return t.skip('needs the program script');
    // `exec`, as a shell that waits for its command is interrupted too, and its end would be seen.
    const command = `exec ${process.execPath} -r ${preload} ${join(flagged, 'server.js')}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: cleanEnv({ HANDLE: '1', PAUSE: '600', SHELL: '/bin/sh' }),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', text => {
      output += text;
      if (String(text).includes('ready')) child.stdin.write('\u0003');
    });
    const code = await new Promise(resolve => child.once('close', resolve));
    assert.equal(output.match(/got SIGINT/g)?.length, 1, output);
    assert.equal(code, 3);
  });
});

/** What plain Node shows; a child's death by a signal shows as 128 + n, and process 1 has an end. */
function expected(signal: Signal, plain: End | undefined, mode: string): End {
  const ended = { code: 128 + constants.signals[signal], signal: null, got: 0 };
  if (!plain || (mode === 'child' && plain.got === 0)) return ended;
  return plain;
}

async function run(
  node: string,
  words: readonly string[],
  signal: Signal,
  handler: boolean,
  isPidOne: boolean,
): Promise<End> {
  const [file, args] = isPidOne
    ? ['unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', node, ...words]]
    : [node, words];
  const child = spawn(file, args, {
    env: cleanEnv({ BACKEND_MEMORY: 'off', ...(handler && { HANDLE: '1' }) }),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  const ready = new Promise<void>(resolve =>
    child.stdout?.setEncoding('utf8').on('data', text => {
      output += text;
      if (output.includes('ready')) resolve();
    }),
  );
  const ended = new Promise<Omit<End, 'got'>>(resolve =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  await ready;
  const target = isPidOne ? childOf(child) : (child.pid as number);
  process.kill(target, signal);
  // Only a lost signal needs this; everything else ends long before.
  const killer = setTimeout(
    () => process.kill(target, 'SIGKILL'),
    isPidOne && !handler && signal === 'SIGUSR2' ? 400 : 10_000,
  );
  const end = await ended;
  clearTimeout(killer);
  return { ...end, got: output.match(/got /g)?.length ?? 0 };
}

function childOf({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}
