import satisfies from 'semver/functions/satisfies';
import minVersion from 'semver/ranges/min-version';
import validRange from 'semver/ranges/valid';

/** The newest release of each supported line on 2026-11-28, the preferred line first. */
const newest = ['24.22.3', '26.12.1', '22.23.5', '20.20.2'];

/**
 * Chooses the exact Node of the hosts: a range would let a rebuild change it. Pure.
 * @param engines engines.node of the backend
 * @param pinned the text of .node-version or .nvmrc, which Render and setup-node read as well
 */
export function pickNode(engines: string | undefined, pinned: string | undefined): string {
  const range = validRange(engines ?? '*') ?? '*';
  const own = /^v?(\d+\.\d+\.\d+)$/.exec(pinned?.trim() ?? '')?.[1];
  if (own && satisfies(own, range)) return own;
  return (
    newest.find(version => satisfies(version, range)) ??
    minVersion(range)?.version ??
    (newest[0] as string)
  );
}
