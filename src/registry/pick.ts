import compare from 'semver/functions/compare';
import parse from 'semver/functions/parse';
import satisfies from 'semver/functions/satisfies';
import { NotFoundError, SettingError, systemCode } from '../errors';
import type { Setting } from '../settings/settings';
import { type VersionWish, wishText } from '../settings/version-wish';
import {
  cleanVersion,
  integrityOf,
  type Manifest,
  type Packument,
  parseManifest,
} from './packument';

/** One exact version, where its tarball is, and what the tarball must be. */
export interface Locator {
  readonly name: string;
  readonly version: string;
  /** The tarball's address. */
  readonly tarball: string;
  /** Its checksum, as a Subresource Integrity text. */
  readonly integrity: string;
  /** The rule that chose it, for the report: `pinned`, `the tag latest`, `the best in ^1.0.0`. */
  readonly why: string;
  /** What the registry says of it. */
  readonly manifest: Manifest;
}

type PickManifest = (
  packument: Packument,
  wanted: string,
  options: { nodeVersion: string; before?: Date },
) => Manifest;

/**
 * Chooses the one version that a wish stands for, as npm does. A tag is what the tag says, whatever
 * is newer. Pure.
 * @param pickManifest npm-pick-manifest, handed in because it loads with the network libraries
 * @throws NotFoundError VERSION_NOT_FOUND with the nearest versions and the tags
 */
export function pickVersion(
  packument: Packument,
  wish: VersionWish,
  options: {
    registry: string;
    nodeVersion: string;
    /** Where the wish comes from, such as `--backend-version`. */
    from?: string;
    pickManifest: PickManifest;
    /** Versions that were published later do not count. */
    before?: Setting<Date>;
  },
): Locator {
  const { registry, nodeVersion, before } = options;
  try {
    const picked = options.pickManifest(packument, wishText(wish), {
      nodeVersion,
      before: before?.value,
    });
    // A registry may name it as the publisher wrote it.
    const version = Object.hasOwn(packument.versions, picked.version)
      ? picked.version
      : cleanVersion(picked.version);
    const manifest = parseManifest(packument.versions[version], packument.name, version, registry);
    return {
      name: packument.name,
      version,
      tarball: manifest.dist.tarball,
      integrity: integrityOf(manifest),
      why: whyOf(wish) + (before ? `, ${before.from}` : ''),
      manifest,
    };
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ETARGET' && code !== 'ENOVERSIONS') throw error;
    throw notFound(packument, wish, options);
  }
}

function whyOf(wish: VersionWish): string {
  if (wish.kind === 'exact') return 'pinned';
  return wish.kind === 'tag' ? `the tag ${wish.tag}` : `the best in ${wish.range}`;
}

/**
 * Checks a package's engines.node against the host.
 * @throws SettingError ENGINE_MISMATCH
 */
export function checkEngines({ name, version, engines }: Manifest, nodeVersion: string): void {
  const wanted = engines?.node;
  if (typeof wanted !== 'string' || satisfies(nodeVersion, wanted, { includePrerelease: true }))
    return;
  throw new SettingError(
    'ENGINE_MISMATCH',
    `${name}@${version} needs Node ${wanted}, this is ${nodeVersion}`,
    {
      fix: `use a Node that fits (NODE_VERSION on Render), choose another version, or pass --ignore-engines`,
      facts: { package: name, version, wanted, node: nodeVersion },
    },
  );
}

function notFound(
  packument: Packument,
  wish: VersionWish,
  {
    registry,
    before,
    from = 'default',
  }: { registry: string; before?: Setting<Date>; from?: string },
): NotFoundError {
  const { name, 'dist-tags': tags } = packument;
  const wanted = wishText(wish);
  const versions = Object.keys(packument.versions);
  const tagged = wish.kind === 'tag' ? tags[wish.tag] : undefined;
  const isUnknownTag = wish.kind === 'tag' && tagged === undefined;
  const near = isUnknownTag ? [] : nearest(tagged ?? wanted, versions, 5);
  const tagText = Object.entries(tags).map(([tag, version]) => `${tag} ${version}`);
  const isTooNew = before && (wish.kind === 'range' || versions.includes(tagged ?? wanted));
  // A build command holds --backend-version "${BACKEND_VERSION:?}".
  const places: Record<string, string> = {
    default: 'BACKEND_VERSION',
    '--backend-version': '--backend-version, or the variable in it,',
  };
  const choose = `set ${places[from] ?? from} to one of these`;
  let message = `${name} has no ${{ exact: 'version', range: 'version in', tag: 'tag' }[wish.kind]} ${wanted}`;
  const missing =
    wish.kind === 'exact' ? wanted : `a version ${wish.kind === 'tag' ? 'as' : 'in'} ${wanted}`;
  let fix = `${choose}, or publish ${missing} first; --wait-for MINUTES waits for it`;
  if (isTooNew) {
    message = `${name} has no ${wanted} that is as old as ${before.from} asks for`;
    fix = `choose an older version, or change ${before.from}`;
  } else if (tagged !== undefined) {
    message = `the tag ${wanted} of ${name} names ${tagged}, which was deleted`;
    fix = near[0]
      ? `${choose}, or move the tag: npm dist-tag add ${name}@${near[0]} ${wanted}`
      : '';
  }
  return new NotFoundError('VERSION_NOT_FOUND', message, {
    fix: versions.length ? fix : 'publish a version first',
    facts: {
      ...(near.length && { nearest: near.join(', ') }),
      tags: tagText.slice(0, 10).join(', ') || 'none',
      instead: isTooNew ? undefined : (near[0] ?? (tags.latest && 'latest')),
      registry,
    },
  });
}

/** The versions closest to a wanted one: same major and minor first, then newest first. */
export function nearest(wanted: string, versions: readonly string[], count: number): string[] {
  const like = parse(wanted) ?? parse(/\d+\.\d+\.\d+/.exec(wanted)?.[0] ?? '');
  const distance = (version: string) => {
    const v = parse(version);
    if (!v || !like) return 0;
    return v.major !== like.major ? 2 : v.minor !== like.minor ? 1 : 0;
  };
  return versions
    .filter(version => parse(version))
    .sort((a, b) => distance(a) - distance(b) || compare(b, a))
    .slice(0, count);
}
