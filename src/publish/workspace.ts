import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { isObject, parseObject } from '../json';
import { type LockedManifest, rootOverrides } from '../lock/document';
import { backendRank } from './startable';

/** npm's workspaces: the root, whose `overrides` are the only ones that npm reads there. */
export interface Workspace {
  manifest: Record<string, unknown>;
  members: ReadonlyMap<string, Member>;
}

/** A package of a workspace. */
interface Member {
  /** Below the root's, with slashes. */
  folder: string;
  manifest: Record<string, unknown>;
}

/** The workspace that a package is a member of, or lies in a member of. */
export function findWorkspace(folder: string): Workspace | undefined {
  for (const at of foldersAbove(folder)) {
    const workspace = readWorkspace(at);
    const place = `${relative(at, folder).split(sep).join('/')}/`;
    if (
      workspace &&
      [...workspace.members.values()].some(({ folder: each }) => place.startsWith(`${each}/`))
    )
      return workspace;
  }
  return undefined;
}

/**
 * Reads the workspace whose root a folder is.
 * @returns the members with the likeliest backend first; undefined for another folder
 */
export function readWorkspace(folder: string): Workspace | undefined {
  const manifest = readJson(join(folder, 'package.json'));
  const listed = isObject(manifest?.workspaces)
    ? manifest.workspaces.packages
    : manifest?.workspaces;
  if (!manifest || !Array.isArray(listed)) return undefined;
  const patterns = listed.filter(each => typeof each === 'string');
  const depths = patterns.map(each =>
    each.includes('**') ? Number.POSITIVE_INFINITY : partsOf(each).length,
  );
  const members = new Map<string, Member>();
  for (const place of foldersBelow(folder, Math.max(0, ...depths))) {
    // The last pattern that fits decides.
    const pattern = patterns.findLast(each => patternOf(each).test(`/${place}`));
    if (pattern === undefined || pattern.startsWith('!')) continue;
    const member = readJson(join(folder, place, 'package.json'));
    const name = member?.name;
    if (member && typeof name === 'string') members.set(name, { folder: place, manifest: member });
  }
  const rank = ([, member]: [string, Member]) => backendRank(member.manifest);
  return { manifest, members: new Map([...members].sort((a, b) => rank(a) - rank(b))) };
}

function partsOf(pattern: string): string[] {
  return pattern
    .replace(/^!/, '')
    .split('/')
    .filter(part => part !== '' && part !== '.');
}

/** The folders that a pattern of `workspaces` names: `packages/*`, `apps/**`, `libs/{a,b}`. */
function patternOf(pattern: string): RegExp {
  const source = partsOf(pattern).map(part => {
    if (part === '**') return '(/[^/]+)*';
    const literal = part.replace(/[.+^$()|[\]\\]/g, '\\$&');
    const choices = literal.replace(/\{([^{}]*)\}/g, (_, list) => `(${list.replaceAll(',', '|')})`);
    return `/${choices.replace(/\*+/g, '[^/]*').replace(/\?/g, '[^/]')}`;
  });
  return new RegExp(`^${source.join('')}$`);
}

/**
 * What a workspace's root overrides, over what the member itself does. npm reads the root's only, and
 * a host sees the member's only: the lock records them.
 * @returns undefined when the root overrides nothing
 */
export function workspaceOverrides(
  workspace: Workspace | undefined,
  member: LockedManifest,
): Record<string, unknown> | undefined {
  const overrides = workspace && rootOverrides(workspace.manifest as LockedManifest);
  if (!overrides || Object.keys(overrides).length === 0) return undefined;
  return { ...rootOverrides(member), ...overrides };
}

/** Says what yarn or pnpm would override and npm does not, for a package and what is around it. */
export function sayForeignOverrides(folder: string): string | undefined {
  for (const at of [folder, ...foldersAbove(folder)]) {
    const file = join(at, 'package.json');
    const { resolutions, pnpm } = readJson(file) ?? {};
    const yaml = join(at, 'pnpm-workspace.yaml');
    const found = hasKeys(resolutions)
      ? `"resolutions" in ${file}`
      : isObject(pnpm) && hasKeys(pnpm.overrides)
        ? `"pnpm.overrides" in ${file}`
        : existsSync(yaml) && /^overrides:/m.test(readFileSync(yaml, 'utf8'))
          ? `"overrides" in ${yaml}`
          : undefined;
    if (found)
      return `${found} do not count for npm, and are not in the lock: write them as "overrides" in ${join(folder, 'package.json')}`;
  }
  return undefined;
}

/** The folders around a folder, up to the repository's top. */
export function foldersAbove(folder: string): string[] {
  const above: string[] = [];
  for (let at = folder; !existsSync(join(at, '.git')) && dirname(at) !== at; ) {
    at = dirname(at);
    above.push(at);
  }
  return above;
}

function hasKeys(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

/**
 * The folders below a folder, without hidden ones and node_modules.
 * @param depth 1 for its own
 */
export function foldersBelow(root: string, depth: number): string[] {
  return depth === 0
    ? []
    : foldersIn(root).flatMap(name => [
        name,
        ...foldersBelow(join(root, name), depth - 1).map(inner => `${name}/${inner}`),
      ]);
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

function readJson(file: string): Record<string, unknown> | undefined {
  try {
    return parseObject(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
