import type { HeapSpaceInfo } from 'node:v8';

/** Loaded only where something is to be done: it costs a start milliseconds. */
export const v8 = () => process.getBuiltinModule('node:v8');

/** What V8 says of the young generation; sizes in bytes. */
export function youngSpace(): HeapSpaceInfo | undefined {
  return v8()
    .getHeapSpaceStatistics()
    .find(({ space_name }) => space_name === 'new_space');
}

/** Flags of V8 that count from when they are set. */
export function setFlags(...flags: readonly string[]): void {
  for (const flag of flags) v8().setFlagsFromString(`--${flag}`);
}
