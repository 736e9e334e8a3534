import { SettingError } from '../errors';
import { bundledNames, type LockedManifest, lockName } from '../lock/document';
import type { Workspace } from './workspace';

export const lockNotPackedFix = `add the line !${lockName} to .npmignore, or list the file in "files" of package.json`;

/** Means something on the publisher's machine only. */
const local =
  /^(workspace|catalog|file|link|portal|patch):|^(\.{0,2}|~)[\\/]|^\.\.?$|^[a-z]:[\\/]/i;
/** A repository or an address, as npm reads them: `owner/name` is one of GitHub. */
const remote =
  /^(git|github|gitlab|bitbucket|gist|ssh|https?)[+:]|^[\w.-]+@[\w.-]+:|^[\w.-]+\/[\w.-]+(#.*)?$/i;
/** A tarball's address, which npm can lock. */
const tarball = /^https?:(?!.*\.git(#.*)?$)/i;

/** A package that the host must install. */
interface HostDependency {
  section: 'dependencies' | 'optionalDependencies' | 'peerDependencies';
  name: string;
  spec: string;
  /** Where it comes from, when that is no registry. */
  from?: 'local' | 'remote';
  /** The folder of the workspace's private package that it is. */
  member?: string;
}

/**
 * What a package needs from a host: its own tarball brings the rest. Pure.
 * @param workspace whose private packages no registry has
 */
export function hostDependencies(
  manifest: LockedManifest,
  workspace?: Workspace,
): HostDependency[] {
  const bundled = new Set(bundledNames(manifest));
  return (['dependencies', 'optionalDependencies', 'peerDependencies'] as const).flatMap(section =>
    Object.entries(manifest[section] ?? {})
      .filter(([name]) => !bundled.has(name))
      .map(([name, text]) => {
        const spec = String(text);
        const member = workspace?.members.get(name);
        if (member?.manifest.private === true)
          return { section, name, spec, from: 'local' as const, member: member.folder };
        const from = local.test(spec.trim())
          ? 'local'
          : remote.test(spec.trim())
            ? 'remote'
            : undefined;
        return { section, name, spec, from };
      }),
  );
}

/** A dependency as a message names it. */
export function showDependency({ name, spec, member }: Omit<HostDependency, 'section'>): string {
  const where = member === undefined ? '' : ` (${member} of the workspace, which is private)`;
  return `${name}@${spec.slice(0, 80)}${where}`;
}

/** How to depend on the same code through a registry. */
export function publishFix({ name, spec, from, member }: Omit<HostDependency, 'section'>): string {
  if (member !== undefined)
    return `bundle its code into the build and move it to devDependencies, or remove "private" from ${member}/package.json and publish it first`;
  if (from === 'remote') return `publish ${name} to your registry and depend on its version`;
  if (spec.startsWith('catalog:'))
    return `write the version that the workspace's catalog names for ${name}`;
  if (spec.startsWith('patch:'))
    return `publish the patched ${name} under your own name, or depend on the plain version`;
  return `publish ${name} and depend on its version, or bundle its code into the build and move it to devDependencies`;
}

/**
 * Refuses dependencies that no other machine can install from a registry. Pure.
 * @throws SettingError LOCK_DEPENDENCY with every one of them in its facts
 */
export function checkLockable(manifest: LockedManifest, workspace?: Workspace): void {
  const isText = ({ section, name }: HostDependency) =>
    typeof manifest[section]?.[name] === 'string';
  const refused = hostDependencies(manifest, workspace).filter(
    each => !isText(each) || (each.from && !tarball.test(each.spec)),
  );
  const [first] = refused;
  if (!first) return;
  const candidates = refused.map(showDependency).join(', ');
  throw new SettingError(
    'LOCK_DEPENDENCY',
    `${candidates} cannot be locked: only a registry's versions can be installed elsewhere`,
    {
      fix: isText(first) ? publishFix(first) : `write the version of ${first.name} in quotes`,
      facts: { candidates },
    },
  );
}
