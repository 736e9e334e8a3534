import { type ChildProcess, spawn } from 'node:child_process';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { medians } from '../figures';
import { cpu, familyOf, rss } from './processes';
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
  /** Of both. */
  allPerSecond: number;
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
/** What one contender gets before it is the next one's turn. */
const turnRequests = 500;
const idleAfterMs = 6000;
/** By then a budget has given back what the start left, so that the next one starts in quiet. */
const nextAfterMs = 4000;

/** Starts of each contender alone, in turn: a start is short, and noise meets all of it or nothing. */
const readyStarts = 7;

interface Ready {
  readyMs: number;
  readyCpuMs: number;
}

/** The medians of a few starts. @returns one for each contender, in that order */
async function measureReady(
  prepared: Prepared,
  order: readonly Contender[],
  node: string,
): Promise<Ready[]> {
  const all = order.map((): Ready[] => []);
  for (let i = 0; i < readyStarts; i++)
    for (const [at, contender] of order.entries()) {
      const { child, readyMs, readyCpuMs } = await begin(prepared, contender, node);
      await end(child);
      all[at]?.push({ readyMs, readyCpuMs });
    }
  return all.map(medians);
}

/**
 * One round: each contender is started alone and ended; then all are started and stay, and are loaded
 * in turns of a twentieth of a second, so that whatever else the machine does meets them alike. Loaded
 * one after another, a program differed from itself by 6 to 9 %, in turns by 5 % at most.
 * @param order the contenders; who is first is another one in each round
 * @returns one for each contender, in that order
 */
export async function measureRound(
  prepared: Prepared,
  order: readonly Contender[],
  node: string,
  load: Load,
): Promise<Measured[]> {
  const ready = await measureReady(prepared, order, node);
  const running: Running[] = [];
  const idle: Promise<number>[] = [];
  try {
    for (const contender of order) {
      const one = await begin(prepared, contender, node);
      running.push(one);
      idle.push(until(one.begun + idleAfterMs).then(() => rss(one.family)));
      await until(one.begun + nextAfterMs);
    }
    const idleMb = await Promise.all(idle);
    const first = await takeTurns(running, load, requests);
    const afterMb = running.map(one => rss(one.family));
    const steady = await takeTurns(running, load, steadyRequests);
    return running.map((one, i) => {
      const [a, b] = [first[i] as Loaded, steady[i] as Loaded];
      return {
        ...(ready[i] as Ready),
        idleMb: idleMb[i] as number,
        afterMb: afterMb[i] as number,
        ...a,
        steadyPerSecond: b.perSecond,
        steadyCpuMs: b.cpuMs,
        allPerSecond:
          (requests + steadyRequests) / (requests / a.perSecond + steadyRequests / b.perSecond),
        processes: one.family.length,
      };
    });
  } finally {
    for (const { child } of running) await end(child);
  }
}

interface Running extends Ready {
  child: ChildProcess;
  /** Of what is loaded. */
  url: string;
  begun: number;
  family: number[];
}

async function begin(prepared: Prepared, contender: Contender, node: string): Promise<Running> {
  const port = await freePort();
  const file = contender.isPlain ? prepared.entry : prepared.serverFile;
  const env = { ...prepared.env(port), ...contender.env };
  const begun = performance.now();
  const child = spawn(node, [file, ...prepared.args], { cwd: prepared.cwd, env, stdio: 'ignore' });
  try {
    const url = `http://127.0.0.1:${port}`;
    await untilAnswer(`${url}${prepared.readyPath}`, child);
    const readyMs = performance.now() - begun;
    const family = familyOf(child.pid as number);
    const readyCpuMs = cpu(family);
    return { child, url: `${url}${prepared.loadPath}`, begun, readyMs, readyCpuMs, family };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** At once: what a backend does at its end, such as writing compiled code, is no part of it. */
async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await ended;
}

interface Loaded {
  perSecond: number;
  /** What it cost the processes. */
  cpuMs: number;
}

/** @param amount of requests that each one gets, a multiple of a turn */
async function takeTurns(
  running: readonly Running[],
  load: Load,
  amount: number,
): Promise<Loaded[]> {
  const sums = running.map(() => ({ ms: 0, cpuMs: 0 }));
  const order = running.map((_, i) => i);
  for (let turn = 0; turn < amount / turnRequests; turn++) {
    for (const i of order) {
      const { url, family } = running[i] as Running;
      const sum = sums[i] as (typeof sums)[number];
      const [cpuBefore, begun] = [cpu(family), performance.now()];
      // It sees the end at a sample only; 100 ms were a tenth of the whole.
      const result = await load({ url, connections: 10, amount: turnRequests, sampleInt: 10 });
      if (result.errors) throw new Error(`${url}: ${result.errors} requests failed`);
      sum.ms += performance.now() - begun;
      sum.cpuMs += cpu(family) - cpuBefore;
    }
    // Nobody always follows the same one.
    order.push(order.shift() as number);
    order.reverse();
  }
  return sums.map(({ ms, cpuMs }) => ({ perSecond: (amount / ms) * 1000, cpuMs }));
}

const until = (time: number) =>
  new Promise(resolve => setTimeout(resolve, time - performance.now()));

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

export function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
