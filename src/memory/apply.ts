import { readFileSync, writeSync } from 'node:fs';
import { readMemoryLimit } from './limit';
import { type MemoryFacts, type MemoryPlan, planMemory } from './plan';

/** Reads this process's limit and plans. @param asked with what is known of the flags */
export function findMemoryPlan(
  asked: Pick<MemoryFacts, 'asked' | 'userFlags' | 'isReplaced' | 'canReplace'>,
): MemoryPlan {
  if (asked.asked === 'off') return {};
  const limit = process.platform === 'linux' ? readMemoryLimit(read) : undefined;
  if (!limit && asked.asked === 'auto') return {};
  return planMemory({ ...asked, limit, heapLimit: v8().getHeapStatistics().heap_size_limit });
}

/** Loaded only where something is to be done: it costs a start milliseconds. */
const v8 = () => process.getBuiltinModule('node:v8');

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Applies what a running process takes. Of V8's flags for the young generation only the growth
 * factor counts after the start, on every Node from 20 to 26: V8 reads it each time it would grow
 * the semi-spaces, and 1 keeps them as they are. --max-semi-space-size and --max-old-space-size
 * are read once, when the heap is made; so a ceiling without new flags is a watch.
 */
export function applyMemory({ isYoungSmall, heapMb, ceiling }: MemoryPlan): void {
  if (isYoungSmall) v8().setFlagsFromString('--semi-space-growth-factor=1');
  if (heapMb && ceiling === 'watch') watchHeap(heapMb);
}

/**
 * Looks at the heap (ten microseconds each time), collects when it is over the ceiling, and ends
 * the process as V8 would when that does not help. The next look comes before a heap that grows by
 * 2 MB a millisecond, faster than servers do, could have used up what is left; at rest that is a
 * few times a second. It cannot see a heap that grows within one turn of the event loop.
 */
function watchHeap(heapMb: number): void {
  const ceiling = heapMb * 2 ** 20;
  const { getHeapStatistics, setFlagsFromString } = v8();
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  let collect: (() => void) | undefined;
  const look = () => {
    const used = getHeapStatistics().used_heap_size;
    if (used > ceiling) {
      if (!collect) {
        setFlagsFromString('--expose-gc');
        collect = runInNewContext('gc') as () => void;
        setFlagsFromString('--no-expose-gc');
      }
      collect();
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
