import type { HeapSpaceInfo } from 'node:v8';

/** What V8 says of the young generation; sizes in bytes. */
export function youngSpace(): HeapSpaceInfo | undefined {
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8');
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
}
