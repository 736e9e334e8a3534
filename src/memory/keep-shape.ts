const kept: unknown[] = [];

/**
 * Keeps one of the objects that Node makes of each nextTick, for good. V8 knows the shape of a literal
 * with computed keys, as that one is, while an object of it lives. When a collection finds none, as at
 * rest, each later one is defined key by key in C++: 3 % of node-red's processor time and 4 % of a Nest
 * API's, and not only in their first requests. V8 collects what rests by itself too, so it stays.
 */
export function keepTickShape(): void {
  const { executionAsyncResource } = process.getBuiltinModule('node:async_hooks');
  process.nextTick(() => kept.push(executionAsyncResource()));
}
