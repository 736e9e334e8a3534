// npm run bench:offline: `bootlace up` of node-red@latest with the default registry at hand and
// without any network (a network namespace with nothing but loopback; needs unshare and ip), in
// turn. Prints the medians of the times until the first HTTP answer.
//   --rounds N (7)  --node MAJOR (24)
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../figures';
import { freePort, untilAnswer } from './measure';
import { cache, nodeBinary, root } from './programs';

const folder = join(cache, 'apps', 'offline');
const bootlace = join(root, 'bin', 'bootlace.js');
const offlineWords = /starting the active node-red \S+: REGISTRY_UNREACHABLE/;
const env = {
  ...process.env,
  BACKEND_PACKAGE: 'node-red',
  BACKEND_ARGS: `-u ${join(folder, 'user')}`,
};

/** One start, in the network that this process is in: milliseconds, and what up said. */
async function start(node: string): Promise<{ ms: number; said: string }> {
  const port = await freePort();
  const begun = performance.now();
  const child = spawn(node, [bootlace, 'up'], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', data => {
      said += data;
    });
  await untilAnswer(`http://127.0.0.1:${port}/`, child);
  const ms = performance.now() - begun;
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  return { ms, said };
}

function startIn(node: string, withNetwork: boolean): number {
  const self = [process.execPath, '--import', 'tsx', __filename, '--one', '--node', node];
  const [program, ...args] = withNetwork
    ? self
    : ['unshare', '-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...self];
  const { stdout, stderr, status } = spawnSync(program as string, args, {
    encoding: 'utf8',
    cwd: root,
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  const { ms, said } = JSON.parse(stdout) as { ms: number; said: string };
  if (offlineWords.test(said) === withNetwork)
    throw new Error(`not what a start ${withNetwork ? 'with' : 'without'} network says:\n${said}`);
  return ms;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      node: { type: 'string', default: '24' },
      one: { type: 'boolean' },
    },
  });
  if (values.one) {
    console.log(JSON.stringify(await start(values.node)));
    return;
  }
  const node = nodeBinary(values.node);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{}');
  const setup = spawnSync(node, [bootlace, 'setup'], { cwd: folder, env, encoding: 'utf8' });
  if (setup.status !== 0) throw new Error(setup.stdout + setup.stderr);
  const times: { online: number[]; offline: number[] } = { online: [], offline: [] };
  startIn(node, true);
  for (let round = 0; round < Number(values.rounds); round++) {
    times.online.push(startIn(node, true));
    times.offline.push(startIn(node, false));
  }
  const [online, offline] = [median(times.online), median(times.offline)];
  console.log(
    `up, until the first answer: ${Math.round(online)} ms with the registry, ${Math.round(offline)} ms without network (${(offline / online).toFixed(2)})`,
  );
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
