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

interface EntryFailure {
  failure: 'ENTRY_NOT_FOUND' | 'ENTRY_AMBIGUOUS' | 'ENTRY_MISSING';
  message: string;
  candidates: string[];
}

/**
 * Chooses what to start; the first rule that applies wins: what was asked for, scripts.start, the
 * package's own bin, exports or main or index.js or server.js, the only bin. Pure save for `find`.
 * @param asked BACKEND_ENTRY: a file, a bin's name or an export subpath
 */
export function chooseEntry(
  json: PackageJson,
  asked: string | undefined,
  find: FindFile,
): { entry: Entry } | EntryFailure {
  const bins = new Map(
    Object.entries(binsOf(json)).flatMap(([name, path]) => {
      const file = find(path);
      return file ? [[name, file] as const] : [];
    }),
  );
  const names = [...bins.keys()];
  const exported = (subpath: string) => {
    const target = exportTarget(json, subpath);
    return target && find(target);
  };
  const none = (failure: EntryFailure['failure'], message: string): EntryFailure => ({
    failure,
    message: `${json.name} ${message}`,
    candidates: listCandidates(json, names, find),
  });
  if (asked !== undefined) {
    const subpath = asked.startsWith('.') ? asked : `./${asked}`;
    for (const [file, how] of [
      [bins.get(asked), `, bin ${asked}`],
      [exported(subpath), `, export ${subpath}`],
      [find(asked), ''],
    ] as const)
      if (file) return plain(file, `BACKEND_ENTRY${how}`);
    const message = `holds no ${JSON.stringify(asked)}: no such file, bin or export`;
    return none('ENTRY_NOT_FOUND', message);
  }
  const start = isObject(json.scripts) ? json.scripts.start : undefined;
  const script = typeof start === 'string' ? parseStartScript(start) : undefined;
  const scriptFile = script && find(script.file);
  if (script && scriptFile)
    return { entry: { ...script, file: scriptFile, why: 'scripts.start', unused: [] } };
  const unscoped = withoutScope(json.name);
  const own = bins.get(unscoped);
  if (own) return plain(own, `bin ${unscoped}`);
  const unused = names.map(name => `the bin ${name}`);
  if (typeof start === 'string') {
    const gone = script ? `, whose ${script.file} is not in the package` : '';
    unused.push(`scripts.start (${start.slice(0, 80)})${gone}`);
  }
  for (const [file, why] of [
    [exported('.'), 'exports'],
    [typeof json.main === 'string' ? find(json.main) : undefined, 'main'],
    [find('index.js'), 'index.js'],
    [find('server.js'), 'server.js'],
  ] as const)
    if (file) return plain(file, why, unused);
  const [only] = bins;
  if (!only) return none('ENTRY_MISSING', 'has no entry point');
  if (bins.size === 1) return plain(only[1], `the only bin, ${only[0]}`);
  return none('ENTRY_AMBIGUOUS', 'has several bins and nothing says which one is the server');
}

function plain(file: string, why: string, unused: readonly string[] = []): { entry: Entry } {
  return { entry: { file, why, env: [], flags: [], args: [], unused } };
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
  const { exports } = json;
  if (exports === undefined || exports === null) return undefined;
  const isMap = isObject(exports) && Object.keys(exports).some(key => key.startsWith('.'));
  const map = isMap ? exports : { '.': exports };
  const [key, part] = matchExport(Object.keys(map), subpath) ?? [];
  if (key === undefined) return undefined;
  for (const kind of kinds) {
    const conditions = ['node', 'default', 'node-addons', 'module-sync', kind, ...more];
    const target = pickCondition(map[key], conditions);
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
  const items = Array.isArray(target)
    ? target
    : Object.entries(isObject(target) ? target : {}).flatMap(([condition, item]) =>
        conditions.includes(condition) ? [item] : [],
      );
  for (const item of items) {
    const found = pickCondition(item, conditions);
    if (found) return found;
  }
  return undefined;
}

const usual = ['dist/main', 'dist/index', 'dist/server', 'server', 'index', 'main', 'app'];

function listCandidates(json: PackageJson, bins: readonly string[], find: FindFile): string[] {
  const subpaths = isObject(json.exports) ? Object.keys(json.exports) : [];
  const found = [
    ...bins,
    ...subpaths.filter(path => path.startsWith('.') && exportTarget(json, path)),
    ...usual.flatMap(path => find(`${path}.js`) ?? []),
  ];
  return [...new Set(found)].slice(0, 12);
}
