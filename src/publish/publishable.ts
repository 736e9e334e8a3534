import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingError } from '../errors';
import { isObject } from '../json';
import type { LockedManifest } from '../lock/document';
import { parsePackageName } from '../settings/package-name';
import { readText } from '../settings/read-text';
import { readPublisher } from '../start/publisher';
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
 * Finds what `npm publish` (or pnpm's, which knows publishConfig.directory) would pack.
 * @throws SettingError LOCK_NO_PACKAGE, LOCK_WORKSPACE_ROOT, LOCK_NOT_BUILT, PACKAGE_NAME_INVALID or
 * PACKAGE_CONFIG_INVALID
 */
export function readPublishable(folder: string): Publishable {
  const own = readManifest(folder);
  if (!own && isFile(folder))
    throw new SettingError('LOCK_NO_PACKAGE', `${folder} is a file, and a folder is needed`, {
      fix: `name its folder: npx bootlace lock ${dirname(folder)}`,
    });
  if (!own)
    throw new SettingError('LOCK_NO_PACKAGE', `there is no package.json in ${folder}`, {
      fix: "run it in the backend package's folder, or name that folder: npx bootlace lock packages/backend",
    });
  const workspace = findWorkspace(folder);
  const directory = (own.manifest.publishConfig as { directory?: unknown } | undefined)?.directory;
  if (typeof directory !== 'string') return { folder, target: folder, ...own, workspace };
  const target = join(folder, directory);
  const packed = readManifest(target);
  if (packed) return { folder, target, ...packed, workspace };
  throw new SettingError(
    'LOCK_NOT_BUILT',
    `publishConfig.directory names ${directory}, which has no package.json yet`,
    {
      fix: 'build first, then run npx bootlace lock: the build would remove a lock written before',
    },
  );
}

function readManifest(folder: string): { manifest: LockedManifest; text: string } | undefined {
  const file = join(folder, 'package.json');
  const text = readText(file);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (!isObject(value))
    throw new SettingError('CONFIG_INVALID', `${file} is not a JSON object`, {
      fix: `correct ${file}`,
    });
  refuseWorkspaceRoot(folder, value);
  const manifest = value as LockedManifest;
  parsePackageName(String(manifest.name ?? ''), `"name" in ${file}`);
  // Its host would refuse it, and it is easier to correct here.
  readPublisher(manifest);
  return { manifest, text };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** A root that needs nothing itself is not the backend: its lock would be an empty one. */
function refuseWorkspaceRoot(folder: string, manifest: Record<string, unknown>): void {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const needed = [dependencies, optionalDependencies, peerDependencies];
  if (needed.some(table => isObject(table) && Object.keys(table).length > 0)) return;
  const members = [...(readWorkspace(folder)?.members.values() ?? [])];
  if (members.length === 0) return;
  throw new SettingError(
    'LOCK_WORKSPACE_ROOT',
    `${folder} is the root of ${members.slice(0, 10).join(', ')} and depends on nothing itself`,
    {
      fix: `name the backend's folder, as in: npx bootlace lock ${join(folder, String(members[0]))}`,
      facts: { members },
    },
  );
}
