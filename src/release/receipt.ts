import { isObject, parseObject } from '../json';
import { shellWord } from '../settings/words';
import type { Entry } from '../start/plan/entry';

/** What an install is, once and for all; written last, so a release that has one is whole. */
export interface Receipt {
  readonly format: 1;
  readonly package: string;
  readonly version: string;
  /** Of the backend's tarball. */
  readonly integrity: string;
  readonly source: Source;
  /** What makes two installs of one version differ; part of the release's id. */
  readonly host: Host;
  /** Packages whose install scripts ran. */
  readonly scripts: readonly string[];
  readonly tree: Tree;
  /** What decided the tree. */
  readonly lock?: ReceiptLock;
  readonly installer?: 'bootlace' | 'npm';
  /** Kinds of dependencies that .npmrc left out besides `dev`. */
  readonly omit?: readonly string[];
  /** What --slim left out; undefined when nothing was to be left out. */
  readonly slim?: { readonly files: number; readonly bytes: number };
  readonly bootlace: string;
  readonly node: string;
  /** ISO 8601. */
  readonly installedAt: string;
}

/**
 * The lock that a tree stands on: the package's own, one that an earlier setup kept, one given by
 * --lock, or what npm resolved just then.
 */
export interface ReceiptLock {
  readonly kind: 'package' | 'kept' | 'file' | 'resolved';
  /** Of the backend's own lock as text. */
  readonly sha256: string;
  /** For a file: as it was given. */
  readonly file?: string;
}

/** A registry's address, or the path given to --from. */
export type Source = { readonly registry: string } | { readonly path: string };

export interface Host {
  readonly platform: string;
  readonly arch: string;
  /** Node's ABI for native modules. */
  readonly abi: string;
}

export interface Tree {
  /** Folders of the packages, from the release's folder. */
  readonly paths: readonly string[];
  readonly sha256: string;
  readonly files: number;
  readonly bytes: number;
  /** The first 16 digits of each package's hash, by its folder. */
  readonly packages?: Readonly<Record<string, string>>;
}

/** Which release is active and how it starts; replaced by one rename. */
export interface Current {
  readonly format: 1;
  /** Names of folders in releases/. */
  readonly active: string;
  /** Those before it, newest first. */
  readonly previous: readonly string[];
  readonly wanted: VersionChoice;
  readonly start: StartPlan;
  /** The flags of setup's command line that decide what is installed. */
  readonly typed?: readonly string[];
  /** ISO 8601. */
  readonly activatedAt: string;
}

/** The wish that chose the version, where it came from, and the rule. */
export interface VersionChoice {
  readonly text: string;
  readonly from: string;
  readonly why: string;
}

/** What the launcher needs besides the release. */
export interface StartPlan {
  readonly entry: Entry;
  /** BACKEND_ENTRY as it stood at setup. */
  readonly asked?: string;
  readonly args?: readonly string[];
  readonly tokenEnv: string;
  /** More variables that hold credentials and are not the backend's to see. */
  readonly secretEnv?: readonly string[];
  /** BACKEND_MEMORY as it stood at setup; absent for auto. */
  readonly memory?: 'off' | number;
  /** What the backend's package.json declares: its processes, and the variables it cannot do without. */
  readonly roles?: Readonly<Record<string, Entry>>;
  /** Bins and export subpaths, and their files. */
  readonly names?: Readonly<Record<string, string>>;
  readonly requires?: readonly string[];
}

const packageName = /^(@[^@/\\\s]+\/)?[^@/\\\s.][^@/\\\s]*$/;
const releaseName = /^[0-9A-Za-z][0-9A-Za-z.+-]*-[0-9a-f]{10}$/;

/** Checks a receipt at the door; undefined for anything this version did not write. */
export function parseReceipt(text: string): Receipt | undefined {
  const value = parseObject(text);
  const tree = value?.tree as Tree | undefined;
  const isReceipt =
    value?.format === 1 &&
    isObject(value.host) &&
    isObject(value.source) &&
    areTexts([
      value.package,
      value.version,
      value.installedAt,
      value.source.registry ?? value.source.path,
    ]) &&
    packageName.test(String(value.package)) &&
    Array.isArray(value.scripts) &&
    Array.isArray(tree?.paths) &&
    tree.paths.every(isInnerPath);
  return isReceipt ? (value as unknown as Receipt) : undefined;
}

/** Checks current.json at the door; undefined when it cannot be relied on. */
export function parseCurrent(text: string): Current | undefined {
  const value = parseObject(text);
  const names = [value?.active, ...(Array.isArray(value?.previous) ? value.previous : [null])];
  const start = (value?.start ?? {}) as StartPlan;
  const { args, secretEnv, requires, tokenEnv, asked = '' } = start;
  const isCurrent =
    value?.format === 1 &&
    names.every(name => typeof name === 'string' && releaseName.test(name)) &&
    isObject(value.wanted) &&
    isEntry(start.entry) &&
    Object.values(start.roles ?? {}).every(isEntry) &&
    Object.values(start.names ?? {}).every(isInnerPath) &&
    [args, secretEnv, requires, value.typed, [tokenEnv, asked]].every(areTexts);
  return isCurrent ? (value as unknown as Current) : undefined;
}

/**
 * The command that installs a release again as it is, whatever version the tag or range means now.
 * @param current undefined where it is lost, too
 * @param version by default that of the active release
 */
export function setupAgain(current: Current | undefined, version = current?.active.slice(0, -11)) {
  const typed = current?.typed ?? [];
  const pin = version && !typed.includes('--from') ? ['--backend-version', version] : [];
  return ['npx bootlace setup', ...[...typed, ...pin].map(shellWord)].join(' ');
}

/** A file on disk may be damaged or forged: nothing in it may lead out of the release. */
function isInnerPath(path: unknown): boolean {
  return (
    typeof path === 'string' &&
    path !== '' &&
    !/^[\\/]|^[a-z]:|(^|[\\/])\.\.([\\/]|$)|\0/i.test(path)
  );
}

function isEntry(value: unknown): boolean {
  if (!isObject(value)) return false;
  return (
    isInnerPath(value.file) &&
    ['env', 'flags', 'args', 'unused'].every(key => Array.isArray(value[key]))
  );
}

function areTexts(value: unknown = []): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
