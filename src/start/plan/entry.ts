import { isObject } from '../../json';
import type { Word } from '../../settings/words';
import { parseStartScript } from './start-script';

/** What of a backend's package.json decides how it starts. */
export interface PackageJson {
  name?: string;
  version?: string;
  type?: string;
  main?: unknown;
  bin?: unknown;
  exports?: unknown;
  scripts?: unknown;
  /** What a publisher tells bootlace: see publisher.ts. */
  bootlace?: unknown;
}

/** How to start the backend: plain data, kept in the receipt and used by the launcher. */
export interface Entry {
  /** Path in the package, with forward slashes. */
  file: string;
  /** The rule that chose it, for the log line: `scripts.start`, `bin node-red`, `main`. */
  why: string;
  /** What scripts.start puts around it; empty for the other rules. */
  env: readonly (readonly [string, Word])[];
  flags: readonly Word[];
  args: readonly Word[];
  /** What else could have been meant, when the choice was a guess. */
  unused: readonly string[];
}

/** The packages' bins, by name; only those with a usable path. */
export function binsOf({ name, bin }: PackageJson): Record<string, string> {
  const bins = typeof bin === 'string' ? { [withoutScope(name)]: bin } : isObject(bin) ? bin : {};
  return Object.fromEntries(
    Object.entries(bins).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

const withoutScope = (name?: string | null) => name?.replace(/^@[^/]*\//, '') ?? '';

/** Says which file a path of package.json means, as Node does; undefined for none in the package. */
export type FindFile = (path: string) => string | undefined;

export type EntryChoice =
  | { entry: Entry }
  | {
      failure: 'ENTRY_NOT_FOUND' | 'ENTRY_AMBIGUOUS' | 'ENTRY_MISSING';
      message: string;
      candidates: string[];
    };

/**
 * Chooses what to start; the first rule that applies wins: what was asked for, scripts.start, the
 * package's own bin, exports or main or index.js or server.js, the only bin. Pure save for `find`.
 * @param asked BACKEND_ENTRY: a file, a bin's name or an export subpath
 */
export function chooseEntry(
  json: PackageJson,
  asked: string | undefined,
  find: FindFile,
): EntryChoice {
  const bins = binsOf(json);
  const scripts = isObject(json.scripts) ? json.scripts : {};
  const startText = typeof scripts.start === 'string' ? scripts.start : undefined;
  const candidates = listCandidates(json, bins, find);
  if (asked !== undefined) {
    const found = findAsked(json, bins, asked, find);
    if (found) return plain(found.file, found.why);
    return {
      failure: 'ENTRY_NOT_FOUND',
      message: `${json.name} holds no ${JSON.stringify(asked)}: no such file, bin or export`,
      candidates,
    };
  }
  const script = startText === undefined ? undefined : parseStartScript(startText);
  const scriptFile = script && find(script.file);
  if (script && scriptFile)
    return { entry: { ...script, file: scriptFile, why: 'scripts.start', unused: [] } };

  const unscoped = withoutScope(json.name);
  const ownBin = bins[unscoped] && find(bins[unscoped]);
  if (ownBin) return plain(ownBin, `bin ${unscoped}`);

  const names = Object.keys(bins).filter(name => find(bins[name] as string));
  const main = mainFile(json, find);
  if (main)
    return plain(main.file, main.why, [
      ...names.map(name => `the bin ${name}`),
      ...(startText === undefined
        ? []
        : [
            `scripts.start (${startText.slice(0, 80)})${script ? `, whose ${script.file} is not in the package` : ''}`,
          ]),
    ]);
  const [only] = names;
  if (only && names.length === 1)
    return plain(find(bins[only] as string) as string, `the only bin, ${only}`);
  if (names.length > 1)
    return {
      failure: 'ENTRY_AMBIGUOUS',
      message: `${json.name} has several bins and nothing says which one is the server`,
      candidates,
    };
  return {
    failure: 'ENTRY_MISSING',
    message: `${json.name} has no entry point`,
    candidates,
  };
}

function plain(file: string, why: string, unused: readonly string[] = []): EntryChoice {
  return { entry: { file, why, env: [], flags: [], args: [], unused } };
}

function findAsked(json: PackageJson, bins: Record<string, string>, asked: string, find: FindFile) {
  const bin = Object.hasOwn(bins, asked) ? find(bins[asked] as string) : undefined;
  if (bin) return { file: bin, why: `BACKEND_ENTRY, bin ${asked}` };
  const subpath = asked.startsWith('.') ? asked : `./${asked}`;
  const target = exportTarget(json, subpath);
  const exported = target && find(target);
  if (exported) return { file: exported, why: `BACKEND_ENTRY, export ${subpath}` };
  const file = find(asked);
  return file ? { file, why: 'BACKEND_ENTRY' } : undefined;
}

function mainFile(json: PackageJson, find: FindFile): { file: string; why: string } | undefined {
  const target = exportTarget(json, '.');
  const exported = target && find(target);
  if (exported) return { file: exported, why: 'exports' };
  const main = typeof json.main === 'string' ? find(json.main) : undefined;
  if (main) return { file: main, why: 'main' };
  const file = find('index.js') ?? find('server.js');
  return file ? { file, why: file } : undefined;
}

/**
 * The target of an export subpath under Node's conditions, patterns (`./*`) included.
 * @param kinds `import` and `require` in the order to try; by default that of the package's own type
 * @param more conditions that hold as well, as of --conditions
 */
export function exportTarget(
  json: PackageJson,
  subpath: string,
  kinds = json.type === 'module' ? ['import', 'require'] : ['require', 'import'],
  more: readonly string[] = [],
): string | undefined {
  if (json.exports === undefined || json.exports === null) return undefined;
  const isMap =
    isObject(json.exports) && Object.keys(json.exports).some(key => key.startsWith('.'));
  const map: Record<string, unknown> = isMap
    ? (json.exports as Record<string, unknown>)
    : { '.': json.exports };
  const [key, part] = matchExport(Object.keys(map), subpath) ?? [];
  if (key === undefined) return undefined;
  for (const kind of kinds) {
    const target = pickCondition(map[key], [
      'node',
      'default',
      'node-addons',
      'module-sync',
      kind,
      ...more,
    ]);
    if (target) return part === undefined ? target : target.replaceAll('*', () => part);
  }
  return undefined;
}

/**
 * The key of an exports map that a subpath falls under: its own, else the pattern with the longest
 * beginning. @returns the key, and what its `*` stands for
 */
function matchExport(
  keys: readonly string[],
  subpath: string,
): [key: string, part?: string] | undefined {
  if (keys.includes(subpath)) return [subpath];
  let best: [key: string, part: string] | undefined;
  for (const key of keys) {
    const [before = '', after] = key.split('*');
    if (after === undefined || subpath.length < key.length) continue;
    if (!subpath.startsWith(before) || !subpath.endsWith(after)) continue;
    if (!best || before.length > best[0].indexOf('*'))
      best = [key, subpath.slice(before.length, subpath.length - after.length)];
  }
  return best;
}

function pickCondition(target: unknown, conditions: readonly string[]): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) {
    for (const item of target) {
      const found = pickCondition(item, conditions);
      if (found) return found;
    }
  } else if (isObject(target)) {
    for (const [condition, item] of Object.entries(target)) {
      if (!conditions.includes(condition)) continue;
      const found = pickCondition(item, conditions);
      if (found) return found;
    }
  }
  return undefined;
}

function listCandidates(json: PackageJson, bins: Record<string, string>, find: FindFile): string[] {
  const subpaths = isObject(json.exports) ? Object.keys(json.exports) : [];
  const found = [
    ...Object.keys(bins).filter(name => find(bins[name] as string)),
    ...subpaths.filter(path => path.startsWith('.') && exportTarget(json, path)),
    ...[
      'dist/main.js',
      'dist/index.js',
      'dist/server.js',
      'server.js',
      'index.js',
      'main.js',
      'app.js',
    ].flatMap(path => find(path) ?? []),
  ];
  return [...new Set(found)].slice(0, 12);
}
