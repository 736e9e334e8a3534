import { isObject } from '../json';
import { publisherKeys } from '../settings/config-file';

type Manifest = Readonly<Record<string, unknown>>;

/** Signs of something to start, the surest first. */
const signs: readonly ((manifest: Manifest) => boolean)[] = [
  ({ bootlace }) =>
    isObject(bootlace) && Object.keys(bootlace).some(key => publisherKeys.includes(key)),
  ({ scripts }) => isObject(scripts) && typeof scripts.start === 'string',
  ({ bin, main }) => bin !== undefined || main !== undefined,
];

/**
 * Tells how likely a package of a repository is the backend. A `bootlace` object says that more surely
 * than a start script, and that than a bin or main. npm does not publish a private package. Pure.
 * @returns 0 to 2, the surest first; from 3 for what cannot be published or started
 */
export function backendRank(manifest: Manifest): number {
  const sign = signs.findIndex(hasIt => hasIt(manifest));
  return (sign < 0 ? signs.length : sign) + (manifest.private === true ? 10 : 0);
}

/** The packages that are as likely the backend as any; none when no package can be started. Pure. */
export function likelyBackends<T extends { manifest: Manifest }>(packages: readonly T[]): T[] {
  const ranks = packages.map(({ manifest }) => backendRank(manifest));
  const best = Math.min(...ranks);
  return best < signs.length ? packages.filter((_, i) => ranks[i] === best) : [];
}
