import { setFlags } from './v8';

type Collect = (options?: { type: 'major'; flavor: 'last-resort' }) => void;

const isOld = Number.parseInt(process.versions.node, 10) < 22;
/** V8's own. */
const bytecodeAge = `bytecode-old-age=${isOld ? 5 : 6}`;
const doubled = 'heap-growing-percent=100';
let growth = 'heap-growing-percent=0';

/**
 * Prepares for load what has started.
 *
 * The old generation may double before V8 collects it, which is V8's own choice for heaps of 1 GB at
 * most. Larger ones may grow fourfold on Node 20: as small semi-spaces promote more, node-red then held
 * 17 % more under load than without a budget. On every Node one that was collected thoroughly may grow
 * by 8 MB only: the first requests after it paid for more collections, 10 % of unleash-server's
 * processor time.
 *
 * What a compilation of Maglev needed is freed at once. V8 leaves that to threads which compile the
 * next functions first, so that memory of many was held at a time and never came back from malloc: 12 MB
 * of a Nest API after 10,000 requests.
 */
export function prepareForLoad(): void {
  growth = doubled;
  setFlags(growth);
  if (!isOld) setFlags('no-maglev-destroy-on-background');
}

/** Collects all garbage now, in every Node. */
export function collectGarbage(): void {
  takeCollect()?.();
}

/**
 * Gives all pages back that can be had, in about 2 ms for each MB in use. V8 has one collection for
 * that, meant for memory that ran out: gc() leads to it from Node 22 on, and on Node 20 the
 * inspector's heap profiler, for which no port is opened.
 * @param isSmall true for bytecode that did not run since the last collection to go too, instead of
 *   after five or six: 1 MB of a Nest API, but 3 % of what the first requests to unleash-server cost
 * @param done called when it is over, or where a Node has neither
 */
export function giveBackPages(isSmall: boolean, done: () => void): void {
  setFlags(doubled, isSmall ? 'bytecode-old-age=1' : bytecodeAge);
  const end = () => {
    // V8's own again: compiled code belongs to its flags.
    setFlags(growth, bytecodeAge);
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
  const collect = runInNewContext('this.gc') as Collect | undefined;
  setFlags('no-expose-gc');
  return collect;
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
