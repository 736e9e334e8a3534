import { realpathSync } from 'node:fs';
import nodeModule from 'node:module';
import { sep } from 'node:path';
import { isObject } from '../json';
import { hasOwnWays, keptForMs, own, readKept, wasThere, writeKept } from './kept-file';

/** What every `require` and `require.resolve` asks; tools of all kinds put theirs before it. */
type ResolveFilename = (this: unknown, request: string, ...rest: Rest) => string;
type Rest = [
  parent?: { path?: unknown } | null,
  isMain?: boolean,
  /** Conditions are given where there are hooks. */
  options?: { paths?: unknown; conditions?: Iterable<string> },
];
const Module = nodeModule as unknown as { _resolveFilename: ResolveFilename };

interface KeptRequires {
  /** The conditions that hooks are told of. */
  conditions: string;
  /**
   * Folder of the requiring file → request → file, both below the release; '' where one request led
   * to two files.
   */
  requires: Record<string, Record<string, string>>;
}

/**
 * Writes down where requires lead, for `useKeptRequires`.
 * @returns what writes them to the file, or removes it when there are none
 */
export function keepRequires(file: string, release: string): () => void {
  const root = realpathSync(release) + sep;
  const kept: KeptRequires = { conditions: '', requires: {} };
  if (!hasOwnWays())
    intercept(
      next =>
        function (request, ...rest) {
          const found = next.call(this, request, ...rest);
          kept.conditions ||= conditionsOf(rest);
          const from = folderOf(rest, root, kept.conditions);
          if (from === undefined || !found.startsWith(root)) return found;
          const folder = own(kept.requires, from) ?? {};
          const path = found.slice(root.length);
          folder[request] = (own(folder, request) ?? path) === path ? path : '';
          kept.requires[from] = folder;
          return found;
        },
    );
  return () => {
    for (const folder of Object.values(kept.requires))
      for (const [request, path] of Object.entries(folder))
        if (!wasThere(root + path)) delete folder[request];
    writeKept(file, Object.keys(kept.requires).length ? kept : undefined);
  };
}

/**
 * Answers requires from what a warm run wrote down: Node looks at a dozen names and folders for each,
 * a sixth of the start of node-red. A release never changes, so where a request led once is where it
 * leads. What was not kept, and all of it when the file is another Node's, Node resolves as ever.
 */
export function useKeptRequires(file: string, release: string): void {
  const kept = readKept(file);
  if (!isObject(kept?.requires)) return;
  const root = realpathSync(release) + sep;
  const { conditions } = kept as unknown as KeptRequires;
  let requires: KeptRequires['requires'] | undefined = kept.requires as KeptRequires['requires'];
  const end = intercept(
    next =>
      function (request, ...rest) {
        const from = requires && folderOf(rest, root, conditions);
        const folder = from !== undefined && requires ? own(requires, from) : undefined;
        const path = folder && own(folder, request);
        return path ? root + path : next.call(this, request, ...rest);
      },
  );
  setTimeout(() => {
    requires = undefined;
    end();
  }, keptForMs).unref();
}

const conditionsOf = ([, , options]: Rest) => [...(options?.conditions ?? [])].join();

/** The requiring file's folder below root; undefined for what is asked in another way. */
function folderOf(rest: Rest, root: string, conditions: string): string | undefined {
  const [parent, , options] = rest;
  if (options?.paths !== undefined) return undefined;
  if (options?.conditions !== undefined && conditionsOf(rest) !== conditions) return undefined;
  const path = parent?.path;
  return typeof path === 'string' && path.startsWith(root) ? path.slice(root.length) : undefined;
}

/** @returns what takes it away, unless somebody has put theirs before it meanwhile */
function intercept(make: (next: ResolveFilename) => ResolveFilename): () => void {
  const next = Module._resolveFilename;
  const ours = make(next);
  Module._resolveFilename = ours;
  return () => {
    if (Module._resolveFilename === ours) Module._resolveFilename = next;
  };
}
