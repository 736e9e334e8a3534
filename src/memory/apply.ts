import { readFileSync, writeSync } from 'node:fs';
import type { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';
import { collectGarbage, prepareForLoad } from './collect';
import { keepTickShape } from './keep-shape';
import { readMemoryLimit } from './limit';
import { type MemoryFacts, type MemoryPlan, planMemory } from './plan';
import { settleAtRest } from './settle';
import { setFlags, v8, youngSpace } from './v8';

/** Reads this process's limit and plans. @param asked with what is known of the flags */
export function findMemoryPlan(
  asked: Pick<MemoryFacts, 'asked' | 'userFlags' | 'isReplaced' | 'canReplace'>,
): MemoryPlan {
  if (asked.asked === 'off') return {};
  const limit = process.platform === 'linux' ? readMemoryLimit(read) : undefined;
  if (!limit && asked.asked === 'auto') return {};
  return planMemory({ ...asked, limit, heapLimit: v8().getHeapStatistics().heap_size_limit });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Applies what a running process takes. --max-semi-space-size and --max-old-space-size are read
 * once, when the heap is made; so here the young generation is held and the ceiling is watched.
 */
export function applyMemory({ youngMb, heapMb, ceiling }: MemoryPlan): void {
  if (youngMb) {
    holdYoung(youngMb);
    tendHeap();
  }
  if (heapMb && ceiling === 'watch') watchHeap(heapMb);
}

/** The part that no flag at the start does, for a process that has the flags of its plan, too. */
export function tendHeap(): void {
  keepTickShape();
  settleAtRest();
  setTimeout(prepareForLoad, startedMs).unref();
}

/** A semi-space of this part of the heap in use costs a few hundredths of processor time at most. */
const youngPart = 3;
/** By then a server has loaded what it is made of; what that leaves behind says nothing of its load. */
const startedMs = 5000;
const lookMs = 1000;
/** A budget with semi-spaces of so many, 256 MB, has room for those of 16 MB that V8 starts with. */
const roomyMb = 6;

/**
 * Lets the semi-spaces grow with the heap in use, to `mostMb`. Of V8's flags for the young
 * generation the growth factor alone counts after the start, on every Node from 20 to 26: V8 reads it
 * each time it would grow the semi-spaces, and 1 keeps them as they are.
 *
 * V8 keeps compiled code apart by its flags, that of Node's built-in modules among it, so a start
 * under a changed flag compiles all that it loads: 9 ms for a server of one file, a tenth of the start
 * of node-red and unleash-server. So only a small budget, which a start could outgrow, holds them at
 * V8's first 1 MB from the beginning. Anywhere else what they grew to is given back at rest.
 */
function holdYoung(mostMb: number): void {
  const { getHeapStatistics } = v8();
  let factor = 0;
  const setFactor = (next: number) => {
    if (next !== factor) setFlags(`semi-space-growth-factor=${next}`);
    factor = next;
  };
  if (mostMb < roomyMb) setFactor(1);
  if (mostMb === 1) return;
  let observer: PerformanceObserver | undefined;
  const look = () => {
    // What V8 counts are both semi-spaces.
    const mb = (youngSpace()?.space_size ?? Infinity) / 2 ** 21;
    const wanted = Math.min(mostMb, getHeapStatistics().used_heap_size / 2 ** 20 / youngPart);
    setFactor(Math.max(1, Math.floor(wanted / mb)));
    // After each collection, so that one step is seen before the next.
    if (factor > 1) observer ??= observeCollections(look);
    else {
      observer?.disconnect();
      observer = undefined;
      setTimeout(look, lookMs).unref();
    }
  };
  setTimeout(look, startedMs).unref();
}

function observeCollections(look: () => void): PerformanceObserver {
  const { PerformanceObserver } = process.getBuiltinModule('node:perf_hooks');
  const observer = new PerformanceObserver(look);
  observer.observe({ entryTypes: ['gc'] });
  return observer;
}

/**
 * Looks at the heap (ten microseconds each time), collects when it is over the ceiling, and ends
 * the process as V8 would when that does not help. The next look comes before a heap that grows by
 * 2 MB a millisecond, faster than servers do, could have used up what is left; at rest that is a
 * few times a second. It cannot see a heap that grows within one turn of the event loop.
 */
function watchHeap(heapMb: number): void {
  const ceiling = heapMb * 2 ** 20;
  const { getHeapStatistics } = v8();
  const look = () => {
    const used = getHeapStatistics().used_heap_size;
    if (used > ceiling) {
      collectGarbage();
      const left = getHeapStatistics().used_heap_size;
      if (left > ceiling) {
        writeSync(
          2,
          `bootlace: MEMORY_EXHAUSTED: JavaScript heap out of memory: ${Math.round(left / 2 ** 20)} MB are in use, ${heapMb} MB are allowed\n` +
            '  fix: give the service more memory, or set BACKEND_MEMORY to a larger budget or to off\n',
        );
        process.abort();
      }
    }
    const leftMb = (ceiling - used) / 2 ** 20;
    setTimeout(look, Math.min(200, Math.max(5, leftMb / 2))).unref();
  };
  look();
}
