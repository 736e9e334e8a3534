import Range from 'semver/classes/range';

const plainVersion = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/;
const plainRange = /^([~^])(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/;

/**
 * Whether a version is in a range, as npm's semver decides it. Nearly all of a lock's are `^1.2.3` and
 * `~1.2.3`, for which reading the range takes ten times as long as comparing.
 * @throws TypeError for what is no range
 */
export function fitsRange(version: string, range: string): boolean {
  const is = plainVersion.exec(version);
  const from = is && plainRange.exec(range);
  if (!is || !from) return new Range(range, { loose: true }).test(version);
  const [major = 0, minor = 0, patch = 0] = is.slice(1).map(Number);
  const [fromMajor = 0, fromMinor = 0, fromPatch = 0] = from.slice(2).map(Number);
  if (major !== fromMajor) return false;
  if (minor === fromMinor) {
    // Of 0.0.x each one is a break.
    const isExact = from[1] === '^' && major === 0 && minor === 0;
    return isExact ? patch === fromPatch : patch >= fromPatch;
  }
  return from[1] === '^' && major > 0 && minor > fromMinor;
}
