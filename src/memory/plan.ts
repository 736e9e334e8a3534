import type { MemoryLimit } from './limit';
import type { Memory } from './setting';

export interface MemoryFacts {
  asked: Memory;
  limit: MemoryLimit | undefined;
  /** What V8 allows itself now, in bytes: v8.getHeapStatistics().heap_size_limit. */
  heapLimit: number;
  /** NODE_OPTIONS and every flag that this Node was or will be started with. */
  userFlags: string;
  /** True where process.execve gives real flags without a second process. */
  canReplace: boolean;
  /** True when a new process is needed anyway, so that real flags cost nothing. */
  isReplaced: boolean;
}

/** What to do about memory, and the log line's words. */
export interface MemoryPlan {
  /** The largest semi-space in MB; the young generation is three of them at most. */
  youngMb?: number;
  /** The largest heap in MB; undefined where Node's own is small enough. */
  heapMb?: number;
  /** V8's own ceiling, for which the process begins again, or a watch within it. */
  ceiling?: 'v8' | 'watch';
  /** For the log; undefined when nothing was found and nothing asked. */
  says?: string;
}

/** Above this limit in MB `auto` leaves everything to V8. */
const smallMb = 1024;

const memoryFlag =
  /--(?:(?:max|min|initial|huge-max)[-_](?:old|young|heap|semi)|semi[-_]space|heap[-_]growing|optimize[-_]for)[\w-]*/;

/**
 * Chooses a young generation and a heap ceiling. Pure.
 *
 * V8 sizes its young generation by the limit that it sees. Under a real one of 512 MB (Node 24) a
 * smaller one took nothing off the 147 MB of unleash-server and the 107 MB of node-red, and cost
 * the former processor time under load; so `auto` leaves it alone wherever V8's heap fits. Without
 * a limit V8 sizes it by the machine, and a budget takes half and a quarter off those two. Held at
 * 1 MB whatever the heap, that cost up to 23 % of processor time under load; so it may grow with
 * the heap, to 12 MB of a budget of 512: of 8, 12, 16 and 24 MB that was the best for
 * unleash-server, by 13 % of its steady processor time against 16. V8's flag takes powers of two.
 *
 * The ceiling leaves a quarter and 24 MB for buffers, stacks, code and the C++ side: measured with
 * real cgroups, a growing heap then meets V8's end and not the kernel's at 64, 128, 256 and 512 MB.
 * It only ever lowers what V8 allows: V8 takes half of a limit that it sees, but never less than
 * 256 MB, which is more than a container of 256 MB has.
 */
export function planMemory(facts: MemoryFacts): MemoryPlan {
  const { asked, limit, userFlags } = facts;
  const limitMb = limit && Math.floor(limit.bytes / 2 ** 20);
  const found = limit ? `limit ${limitMb} MB (${limit.from})` : 'no limit';
  if (asked === 'off') return {};
  const theirs = memoryFlag.exec(userFlags)?.[0];
  if (theirs) return { says: `${found}, ${theirs} is set and stays as it is` };
  const budget = typeof asked === 'number' ? asked : undefined;
  const total = Math.min(limitMb ?? Infinity, budget ?? Infinity);
  if (total === Infinity) return {};
  const heapMb = Math.max(8, Math.floor(total * 0.75 - 24));
  const needsCeiling = facts.heapLimit > heapMb * 2 ** 20;
  if (budget === undefined && (total > smallMb || !needsCeiling))
    return { says: `${found}, Node's own sizes fit` };
  // A kernel that kills at the limit leaves no second chance, so there V8 itself must stop; a
  // budget alone is a wish, which a watch keeps without starting Node twice.
  const isHard = limitMb !== undefined && limitMb <= total;
  const ceiling = !needsCeiling
    ? undefined
    : facts.isReplaced || (isHard && facts.canReplace)
      ? 'v8'
      : 'watch';
  const mostMb = Math.min(12, Math.max(1, Math.floor((total * 3) / 128)));
  const youngMb =
    facts.isReplaced || ceiling === 'v8' ? 2 ** Math.floor(Math.log2(mostMb)) : mostMb;
  const why = budget === undefined ? found : `budget ${budget} MB (BACKEND_MEMORY), ${found}`;
  const heap = ceiling
    ? `heap at most ${heapMb} MB (${ceiling === 'v8' ? 'by V8' : 'watched'})`
    : `Node's heap ceiling of ${Math.round(facts.heapLimit / 2 ** 20)} MB fits`;
  return {
    youngMb,
    ...(ceiling && { heapMb, ceiling }),
    says: `${why}: semi-space at most ${youngMb} MB, ${heap}`,
  };
}

/** The plan as flags for a new process. */
export function memoryFlags({ youngMb, heapMb }: MemoryPlan): string[] {
  return [
    ...(youngMb ? [`--max-semi-space-size=${youngMb}`] : []),
    ...(heapMb ? [`--max-old-space-size=${heapMb}`] : []),
  ];
}
