import { realpathSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isObject } from '../json';
import { hasOwnWays, keptForMs, own, readKept, wasThere, writeKept } from './kept-file';

interface Resolved {
  url: string;
  format?: string | null | undefined;
  shortCircuit?: boolean;
}
interface Context {
  parentURL?: string;
  conditions: readonly string[];
  importAttributes?: object;
}
type Resolve = (
  specifier: string,
  context: Context,
  next: (specifier: string, context: Context) => Resolved,
) => Resolved;

/** From Node 22.15 and 23.5; absent before. */
type RegisterHooks = (hooks: { resolve: Resolve }) => { deregister(): void };

/** Where each import of a release led: by the folder of the importing file, then as it was written. */
interface KeptImports {
  /** Resolution is under these. */
  conditions: string;
  /** Paths below the release. */
  imports: Record<string, Record<string, [path: string, format: string | null]>>;
}

/**
 * The hook costs each require 15 microseconds, and saves an import 60 at least: it is for backends
 * with an import for every so many requires.
 */
const requiresPerImport = 3;

/**
 * Writes down where imports lead, for `useKeptImports`.
 * @returns what writes them to the file, or removes it when they are too few to pay
 */
export function keepImports(file: string, release: string): () => void {
  const root = rootOf(release);
  const kept: KeptImports = { conditions: '', imports: {} };
  let imports = 0;
  let requires = 0;
  const record: Resolve = (specifier, context, next) => {
    const found = next(specifier, context);
    const from = folderOf(context, root);
    if (from !== undefined && found.url.startsWith(root)) {
      kept.conditions ||= context.conditions.join();
      if (context.conditions.join() !== kept.conditions) return found;
      const folder = own(kept.imports, from) ?? {};
      folder[specifier] = [found.url.slice(root.length), found.format ?? null];
      kept.imports[from] = folder;
      imports++;
    } else if (!isImport(context)) requires++;
    return found;
  };
  if (!hasOwnWays()) intercept(record);
  return () => {
    for (const folder of Object.values(kept.imports))
      for (const [specifier, [path]] of Object.entries(folder))
        if (!wasThere(fileURLToPath(root + path))) delete folder[specifier];
    writeKept(file, imports * requiresPerImport > requires ? kept : undefined);
  };
}

/**
 * Answers imports from what a warm run wrote down. For each file that is imported Node looks for
 * the package.json that says what kind of module it is, and parses all of its exports again: a
 * millisecond a file in packages that export hundreds, a quarter and more of a large start and much
 * of its garbage. A release never changes, so what Node found there once is what it would find.
 * Without that file, or when it is another Node's, nothing is different.
 * https://nodejs.org/api/module.html#moduleregisterhooksoptions
 */
export function useKeptImports(file: string, release: string): void {
  const kept = readKept(file);
  if (!isObject(kept?.imports)) return;
  const root = rootOf(release);
  const { conditions, imports } = kept as unknown as KeptImports;
  const end = intercept((specifier, context, next) => {
    const from = folderOf(context, root);
    const folder = from !== undefined ? own(imports, from) : undefined;
    const kept = folder && own(folder, specifier);
    if (!kept || context.conditions.join() !== conditions) return next(specifier, context);
    const [path, format] = kept;
    return { url: root + path, format, shortCircuit: true };
  });
  setTimeout(end, keptForMs).unref();
}

const rootOf = (release: string) => `${pathToFileURL(realpathSync(release)).href}/`;

const isImport = ({ conditions }: Context) => conditions.includes('import');

/** The importing file's folder below root; undefined when this is no import that one may keep. */
function folderOf(context: Context, root: string): string | undefined {
  const { parentURL, importAttributes } = context;
  if (!parentURL?.startsWith(root) || !isImport(context)) return undefined;
  for (const _ in importAttributes) return undefined;
  return parentURL.slice(root.length, parentURL.lastIndexOf('/'));
}

/**
 * Puts a hook before Node's own resolution. Hooks that the backend registers come before it, as
 * they would before Node's; those of module.register, which run in a thread, would come behind it,
 * so the first one ends it.
 * @returns what takes it away
 */
function intercept(resolve: Resolve): () => void {
  const { registerHooks } = nodeModule as unknown as { registerHooks?: RegisterHooks };
  if (!registerHooks) return () => {};
  const hooks = registerHooks({ resolve });
  const { register } = nodeModule;
  const end = () => {
    hooks.deregister();
    if (nodeModule.register === ending) setRegister(register);
  };
  const ending = ((...args: Parameters<typeof register>) => {
    end();
    return register(...args);
  }) as typeof register;
  setRegister(ending);
  return end;
}

function setRegister(register: typeof nodeModule.register): void {
  nodeModule.register = register;
  nodeModule.syncBuiltinESMExports();
}
