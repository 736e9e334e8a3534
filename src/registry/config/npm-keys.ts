import type { Setting } from '../../settings/settings';
import { isUnexpanded } from './npmrc';
import { lookUp, type NpmrcLevel } from './npmrc-files';

/** What .npmrc says about the tree that npm would install. */
export interface NpmKeys {
  /** Peer dependencies are not installed by themselves. */
  readonly legacyPeerDeps: boolean;
  /** Versions that were published later do not count: `before`, or `min-release-age` from now. */
  readonly before: Setting<Date> | undefined;
  /** Packages for which `before` does not count, as names or patterns. */
  readonly beforeExclude: readonly string[];
  /** Kinds of dependencies that npm leaves out besides `dev`: `omit`, without those of `include`. */
  readonly omit: readonly OmittedKind[];
  /** Whose addresses in a lock stand for the configured registry: npmjs, always, a host, a URL. */
  readonly replaceRegistryHost: string;
}

/** A package is of a kind where every way to it is. */
export type OmittedKind = 'optional' | 'peer';

/** Keys that change npm's tree and that bootlace does not honour, each with its harmless values. */
const notHonoured: Record<string, readonly string[]> = {
  'bin-links': ['true'],
  'engine-strict': ['false'],
  'global-style': ['false'],
  'install-links': ['false'],
  'install-strategy': ['hoisted'],
  'legacy-bundling': ['false'],
  offline: ['false'],
  'package-lock': ['true'],
  'prefer-dedupe': ['false'],
  shrinkwrap: ['true'],
  'strict-peer-deps': ['false'],
  cpu: [],
  libc: [],
  os: [],
  tag: ['latest'],
};

const dayMs = 86_400_000;

/**
 * Reads the keys of .npmrc that change what is installed. Pure.
 * @param now in milliseconds since the epoch
 * @param warn told each key that does not count
 */
export function readNpmKeys(
  levels: readonly NpmrcLevel[],
  now: number,
  warn: (sentence: string) => void,
): NpmKeys {
  for (const [key, harmless] of Object.entries(notHonoured)) {
    const found = lookUp(levels, key);
    if (found && !harmless.includes(found.value))
      warn(`${key} in ${found.from} does not count: bootlace does not honour it`);
  }
  return {
    legacyPeerDeps: lookUp(levels, 'legacy-peer-deps')?.value === 'true',
    before: readBefore(levels, now, warn),
    beforeExclude: (lookUp(levels, 'min-release-age-exclude')?.value ?? '')
      .split(/[\s,]+/)
      .filter(Boolean),
    omit: readOmit(levels),
    replaceRegistryHost: lookUp(levels, 'replace-registry-host')?.value ?? 'npmjs',
  };
}

/** `optional=false` is the old spelling of `omit=optional`; `include` wins over both, as in npm. */
function readOmit(levels: readonly NpmrcLevel[]): OmittedKind[] {
  const words = (key: string) => (lookUp(levels, key)?.value ?? '').split(/[\s,]+/);
  const optional = lookUp(levels, 'optional')?.value;
  const omitted = [...words('omit'), ...(optional === 'false' ? ['optional'] : [])];
  const included = [...words('include'), ...(optional === 'true' ? ['optional'] : [])];
  return (['optional', 'peer'] as const).filter(
    kind => omitted.includes(kind) && !included.includes(kind),
  );
}

/** The first level that has either key counts, and in it `before`, as in npm. */
function readBefore(
  levels: readonly NpmrcLevel[],
  now: number,
  warn: (sentence: string) => void,
): Setting<Date> | undefined {
  for (const level of levels) {
    const found = ['before', 'min-release-age']
      .map(key => ({ key, value: lookUp([level], key)?.value }))
      .find(({ value }) => value !== undefined);
    if (!found?.value) continue;
    const { key, value } = found;
    const time = key === 'before' ? Date.parse(value) : now - Number(value) * dayMs;
    if (!Number.isNaN(time) && !isUnexpanded(value)) {
      if (key === 'min-release-age' && Number(value) === 0) return undefined;
      return { value: new Date(time), from: `${key}=${value} in ${level.from}` };
    }
    warn(
      `${key} in ${level.from} is no ${key === 'before' ? 'date' : 'number of days'}, and does not count`,
    );
  }
  return undefined;
}

/** True for a package that `min-release-age-exclude` names; `*` stands for any part of a name. */
export function isExcluded(name: string, patterns: readonly string[]): boolean {
  return patterns.some(pattern => {
    const parts = pattern.split(/\*+/).map(part => part.replace(/[^\w@/-]/g, '\\$&'));
    return new RegExp(`^${parts.join('[^/]*')}$`).test(name);
  });
}
