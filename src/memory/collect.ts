import { setFlags } from './v8';

type Collect = (options?: { type: 'major'; flavor: 'last-resort' }) => void;

const doubled = 'heap-growing-percent=100';
let growth = 'heap-growing-percent=0';

/**
 * Lets the old generation double before V8 collects it, which is V8's own choice for heaps of 1 GB at
 * most. Larger ones may grow fourfold on Node 20: as small semi-spaces promote more, node-red then held
 * 17 % more under load than without a budget. On every Node one that was collected thoroughly may grow
 * by 8 MB only: the first requests after it paid for more collections, 10 % of unleash-server's
 * processor time.
 */
export function letHeapDouble(): void {
  growth = doubled;
  setFlags(growth);
}

/** Collects all garbage now, in every Node. */
export function collectGarbage(): void {
  takeCollect()?.();
}

/**
 * Gives all pages back that can be had, in about 2 ms for each MB in use. V8 has one collection for
 * that, meant for memory that ran out: gc() leads to it from Node 22 on, and on Node 20 the
 * inspector's heap profiler, for which no port is opened. Bytecode that did not run since the last
 * collection goes too, instead of after five or six.
 * @param done called when it is over, or where a Node has neither
 */
export function giveBackPages(done: () => void): void {
  const isOld = Number.parseInt(process.versions.node, 10) < 22;
  setFlags(doubled, 'bytecode-old-age=1', 'retain-maps-for-n-gc=0');
  const end = () => {
    // V8's own again: compiled code belongs to its flags.
    setFlags(growth, `bytecode-old-age=${isOld ? 5 : 6}`, 'retain-maps-for-n-gc=2');
    done();
  };
  if (isOld) return askProfiler(end);
  takeCollect()?.({ type: 'major', flavor: 'last-resort' });
  end();
}

/** Nobody else gets to see it. */
function takeCollect(): Collect | undefined {
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  setFlags('expose-gc');
  // Not kept: it holds a context of its own.
  const collect = runInNewContext('typeof gc === "function" && gc') as Collect | false;
  setFlags('no-expose-gc');
  return collect || undefined;
}

function askProfiler(done: () => void): void {
  try {
    const { Session } = process.getBuiltinModule('node:inspector');
    const session = new Session();
    session.connect();
    session.post('HeapProfiler.collectGarbage', () => {
      // V8 holds a lock in here that the end of a session waits for.
      setImmediate(() => session.disconnect());
      done();
    });
  } catch {
    // Built without an inspector, or not permitted: it rests as it is.
    done();
  }
}
