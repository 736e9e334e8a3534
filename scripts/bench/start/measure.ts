import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { Contender, Prepared } from './subjects';

export interface Measured {
  readyMs: number;
  readyCpuMs: number;
  idleMb: number;
  afterMb: number;
  perSecond: number;
  cpuMs: number;
  /** Of the requests after those. */
  steadyPerSecond: number;
  steadyCpuMs: number;
  processes: number;
}

export type Load = (options: {
  url: string;
  connections: number;
  amount: number;
  sampleInt: number;
}) => Promise<{ '2xx': number; errors: number; start: Date; finish: Date }>;

const requests = 10_000;
/** In the first ones V8 still compiles, which differs from run to run more than anything else. */
const steadyRequests = 20_000;
const loadFromMs = 6000;

/** Starts one contender, loads it, ends it. */
export async function measure(
  prepared: Prepared,
  contender: Contender,
  node: string,
  load: Load,
): Promise<Measured> {
  const port = await freePort();
  const [file, cwd] = contender.isPlain
    ? [prepared.entry, prepared.cwd]
    : [prepared.serverFile(contender), prepared.cwd];
  const env = { ...prepared.env(port), ...contender.env };
  const begun = performance.now();
  const child = spawn(node, [file, ...prepared.args], { cwd, env, stdio: 'ignore' });
  try {
    const url = `http://127.0.0.1:${port}`;
    await untilAnswer(`${url}${prepared.readyPath}`, child);
    const readyMs = performance.now() - begun;
    const readyCpuMs = cpu(familyOf(child.pid as number));
    // A budget gives back what the start left after a second at rest, and lets the young generation
    // grow from the fifth on.
    await new Promise(resolve => setTimeout(resolve, begun + loadFromMs - performance.now()));
    const family = familyOf(child.pid as number);
    const idleMb = rss(family);
    const loaded = `${url}${prepared.loadPath}`;
    const first = await request(load, loaded, requests, family);
    const afterMb = rss(family);
    const steady = await request(load, loaded, steadyRequests, family);
    return {
      readyMs,
      readyCpuMs,
      idleMb,
      afterMb,
      ...first,
      steadyPerSecond: steady.perSecond,
      steadyCpuMs: steady.cpuMs,
      processes: family.length,
    };
  } finally {
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 3000);
    if (child.exitCode === null && child.signalCode === null) await ended;
    clearTimeout(killer);
  }
}

/** @returns requests a second, and what they cost the processes in ms */
async function request(load: Load, url: string, amount: number, family: readonly number[]) {
  const cpuBefore = cpu(family);
  const begun = performance.now();
  // It sees the end at a sample only; 100 ms were a tenth of the whole.
  const result = await load({ url, connections: 10, amount, sampleInt: 10 });
  if (result.errors) throw new Error(`${url}: ${result.errors} requests failed`);
  const perSecond = amount / ((performance.now() - begun) / 1000);
  return { perSecond, cpuMs: cpu(family) - cpuBefore };
}

/** Until a server answers below 500. @throws when it ends, or after a minute */
export async function untilAnswer(url: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + 60_000; ; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (await answers(url)) return;
    if (Date.now() > end) throw new Error(`${url} does not answer`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise(resolve => {
    get(url, { agent: false }, response => {
      response.resume();
      resolve((response.statusCode ?? 500) < 500);
    }).once('error', () => resolve(false));
  });
}

/** The process and all below it. */
function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap(child => familyOf(Number(child)))];
}

function rss(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return total + Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
  }, 0);
}

/** User and system time in ms: ticks of 10 ms. */
function cpu(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const fields = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
    return total + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

export function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
