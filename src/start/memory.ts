import type { Memory } from '../settings/memory';

export interface MemoryFacts {
  wanted: Memory;
  /** The container's limit in bytes; 0 or huge for none: process.constrainedMemory(). */
  limit: number;
  /** What V8 allows the heap, in bytes: v8.getHeapStatistics().heap_size_limit. */
  heapLimit: number;
  /** NODE_OPTIONS and every flag that Node has or gets. */
  userFlags: string;
}

/** What a memory setting means for Node. */
export interface MemoryPlan {
  flags: readonly string[];
  /** For the log: why. */
  why: string;
}

const memoryFlag = /--(max|min|initial)[-_](old|young|heap|semi)[\w-]*/;

/**
 * Chooses V8 flags for a memory budget. Pure.
 *
 * The heap gets three quarters of the budget less 24 MB; the rest is for buffers, stacks and code.
 * `auto` acts only below V8's own ceiling: V8 takes half of a container's limit, but at least
 * 256 MB, which a smaller container does not have. A semi-space of at most 8 MB of a budget of
 * 512 MB halves what V8 takes for new objects (docs/bench/start.md).
 * @returns undefined when Node's own sizes stay
 */
export function planMemory(facts: MemoryFacts): MemoryPlan | undefined {
  const { wanted, limit, heapLimit, userFlags } = facts;
  // cgroup v1 writes "no limit" as a number near 2^63.
  const limitMb = limit > 0 && limit < 2 ** 50 ? Math.floor(limit / 2 ** 20) : Infinity;
  if (wanted === 'off' || memoryFlag.test(userFlags)) return undefined;
  if (wanted === 'auto' && limitMb * 2 ** 20 >= heapLimit) return undefined;
  const budget = Math.min(limitMb, wanted === 'auto' ? Infinity : wanted);
  const heapMb = Math.max(8, Math.floor(budget * 0.75 - 24));
  const semiMb = 2 ** Math.floor(Math.log2(Math.min(8, Math.max(1, budget / 64))));
  return {
    flags: [`--max-old-space-size=${heapMb}`, `--max-semi-space-size=${semiMb}`],
    why: wanted === 'auto' ? `a limit of ${limitMb} MB` : `BACKEND_MEMORY=${wanted}`,
  };
}
