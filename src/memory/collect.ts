type Collect = (options?: { type: 'major'; flavor: 'last-resort' }) => void;

/** Collects all garbage now, in every Node. */
export function collectGarbage(): void {
  takeCollect()?.();
}

/**
 * Gives all pages back that can be had, in about 2 ms for each MB in use. V8 has one collection for
 * that, meant for memory that ran out: gc() leads to it from Node 22 on, and on Node 20 the
 * inspector's heap profiler, for which no port is opened.
 * @param done called when it is over; not where a Node has neither
 */
export function giveBackPages(done: () => void): void {
  if (Number.parseInt(process.versions.node, 10) < 22) return askProfiler(done);
  takeCollect()?.({ type: 'major', flavor: 'last-resort' });
  done();
}

/** Nobody else gets to see it; compiled code belongs to V8's flags, so they are as before at once. */
function takeCollect(): Collect | undefined {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  setFlagsFromString('--expose-gc');
  // Not kept: it holds a context of its own.
  const collect = runInNewContext('typeof gc === "function" && gc') as Collect | false;
  setFlagsFromString('--no-expose-gc');
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
  }
}
