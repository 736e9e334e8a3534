import { SettingError } from '../errors';
import { bundledNames, type LockedManifest } from '../lock/document';

interface Kind {
  kind: string;
  pattern: RegExp;
  fix: (name: string) => string;
}

export const publishFix = (name: string) =>
  `publish ${name} and depend on its version, or bundle its code into the build and move it to devDependencies`;

/** Dependencies that mean something on the publisher's machine only. */
const kinds: readonly Kind[] = [
  { kind: 'workspace:', pattern: /^workspace:/, fix: publishFix },
  {
    kind: 'catalog:',
    pattern: /^catalog:/,
    fix: name => `write the version that the workspace's catalog names for ${name}`,
  },
  { kind: 'link:', pattern: /^link:/, fix: publishFix },
  { kind: 'portal:', pattern: /^portal:/, fix: publishFix },
  {
    kind: 'patch:',
    pattern: /^patch:/,
    fix: name => `publish the patched ${name} under your own name, or depend on the plain version`,
  },
  { kind: 'file:', pattern: /^(file:|[./]|~[\\/]|[a-z]:[\\/])/i, fix: publishFix },
  {
    kind: 'git',
    pattern:
      /^(git(\+\w+)?:|git@|(github|gitlab|bitbucket|gist):|https?:.*\.git(#.*)?$|ssh:|[\w.-]+@[\w.-]+:)|^(?!@)[\w.-]+\/[\w.-]+(#.*)?$/i,
    fix: name => `publish ${name} to your registry and depend on its version`,
  },
];

const noText: Pick<Kind, 'fix'> = { fix: name => `write the version of ${name} in quotes` };

/**
 * Refuses dependencies that no other machine can install from a registry. Pure.
 * @throws SettingError LOCK_DEPENDENCY with every one of them in its facts
 */
export function checkLockable(manifest: LockedManifest): void {
  const bundled = new Set(bundledNames(manifest));
  const refused: string[] = [];
  let fix = '';
  for (const section of ['dependencies', 'optionalDependencies', 'peerDependencies'] as const)
    for (const [name, spec] of Object.entries(manifest[section] ?? {})) {
      if (bundled.has(name)) continue;
      const found =
        typeof spec === 'string' ? kinds.find(({ pattern }) => pattern.test(spec.trim())) : noText;
      if (!found) continue;
      refused.push(`${name}@${String(spec).slice(0, 80)}`);
      fix ||= found.fix(name);
    }
  if (refused.length === 0) return;
  throw new SettingError(
    'LOCK_DEPENDENCY',
    `${refused.join(', ')} cannot be locked: only a registry's versions can be installed elsewhere`,
    { fix, facts: { candidates: refused.join(', ') } },
  );
}
