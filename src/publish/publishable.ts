import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingError } from '../errors';
import { isObject, parseObject } from '../json';
import type { LockedManifest } from '../lock/document';
import { parsePackageName } from '../settings/package-name';
import { readText } from '../settings/read-text';
import { findWorkspace, readWorkspace, type Workspace } from './workspace';

/** The folder that will be packed, and what its package.json says. */
export interface Publishable {
  /** The package's folder, where its own locks lie. */
  folder: string;
  /** The folder that is packed: `publishConfig.directory` of it, or itself. */
  target: string;
  manifest: LockedManifest;
  text: string;
  /** The workspace that it is a member of. */
  workspace: Workspace | undefined;
}

/**
 * Finds what `npm publish` (or pnpm's, which knows publishConfig.directory) would pack, its package.json
 * and its workspace.
 * @param command the one to name in a fix
 * @throws SettingError LOCK_NO_PACKAGE, LOCK_WORKSPACE_ROOT, LOCK_NOT_BUILT, CONFIG_INVALID or
 * PACKAGE_NAME_INVALID
 */
export function findPublishable(folder: string, command: 'lock' | 'check'): Publishable {
  const own = readManifest(folder, command);
  if (!own && existsSync(folder) && statSync(folder).isFile())
    throw new SettingError('LOCK_NO_PACKAGE', `${folder} is a file, and a folder is needed`, {
      fix: `name its folder: npx bootlace ${command} ${dirname(folder)}`,
    });
  if (!own)
    throw new SettingError('LOCK_NO_PACKAGE', `there is no package.json in ${folder}`, {
      fix: `run it in the backend package's folder, or name that folder: npx bootlace ${command} packages/backend`,
    });
  const workspace = findWorkspace(folder);
  const directory = (own.manifest.publishConfig as { directory?: unknown } | undefined)?.directory;
  if (typeof directory !== 'string') return { folder, target: folder, ...own, workspace };
  const target = join(folder, directory);
  const packed = readManifest(target, command);
  if (packed) return { folder, target, ...packed, workspace };
  throw new SettingError(
    'LOCK_NOT_BUILT',
    `publishConfig.directory names ${directory}, which has no package.json yet`,
    {
      fix:
        command === 'lock'
          ? 'build first, then run npx bootlace lock: the build would remove a lock written before'
          : `build first, then run: npx bootlace ${command}`,
    },
  );
}

function readManifest(
  folder: string,
  command: string,
): { manifest: LockedManifest; text: string } | undefined {
  const file = join(folder, 'package.json');
  const text = readText(file);
  if (text === undefined) return undefined;
  const value = parseObject(text);
  if (!value)
    throw new SettingError('CONFIG_INVALID', `${file} is not a JSON object`, {
      fix: `correct ${file}`,
    });
  refuseWorkspaceRoot(folder, value, command);
  const manifest = value as unknown as LockedManifest;
  parsePackageName(String(manifest.name ?? ''), `"name" in ${file}`);
  return { manifest, text };
}

/** A root that needs nothing itself is not the backend: its lock would be an empty one. */
function refuseWorkspaceRoot(
  folder: string,
  manifest: Record<string, unknown>,
  command: string,
): void {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const needed = [dependencies, optionalDependencies, peerDependencies];
  if (needed.some(table => isObject(table) && Object.keys(table).length > 0)) return;
  const workspace = readWorkspace(folder);
  const members = [...(workspace?.members.values() ?? [])].map(member => member.folder);
  if (members.length === 0) return;
  throw new SettingError(
    'LOCK_WORKSPACE_ROOT',
    `${folder} is the root of ${members.slice(0, 10).join(', ')} and depends on nothing itself`,
    {
      fix: `name the backend's folder, as in: npx bootlace ${command} ${join(folder, String(members[0]))}`,
      facts: { members },
    },
  );
}
