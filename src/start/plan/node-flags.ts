import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { literal, type Word } from '../../settings/words';
import { releaseFolder, releaseUrl } from '../backend-env';
import { exportTarget } from './entry';
import { packageIn } from './package-files';

/** Where a backend lies: paths in its flags start from its own folder, as under `npm start`. */
export interface Place {
  /** The release's folder and the backend's folder in it, absolute. */
  release: string;
  backend: string;
}

const flagOf = {
  require: /^(-r|--require)$/,
  import: /^--(import|loader|experimental-loader)$/,
  condition: /^(-C|--conditions)$/,
  path: /^--(openssl-config|icu-data-dir|snapshot-blob|allow-fs-(read|write))$/,
};

/**
 * Makes the paths and packages that flags of scripts.start name absolute: the backend starts in the
 * user's folder. A path in the release becomes a variable and the rest, so that a release may be
 * copied. A word that holds a variable of its own stays as it is.
 */
export function resolveFlags(flags: readonly Word[], place: Place): Word[] {
  const texts = flags.map(literal);
  const conditions = texts.flatMap((text, i) => {
    const [name, value = texts[i + 1]] = splitFlag(text ?? '');
    return flagOf.condition.test(name) && value !== undefined ? [value] : [];
  });
  return flags.map((word, i) => {
    const text = texts[i];
    if (text === undefined) return word;
    const [name, value] = splitFlag(text);
    if (name.startsWith('-'))
      return value === undefined ? word : [`${name}=`, ...absolute(name, value)];
    const before = texts[i - 1];
    return before === undefined ? word : absolute(before, text);
  });

  function absolute(flag: string, value: string): Word {
    try {
      if (flagOf.require.test(flag))
        return placed(resolveFrom(value, place.backend, 'require', conditions), place);
      if (flagOf.import.test(flag)) return placed(resolveImport(value, place, conditions), place);
      if (flagOf.path.test(flag) && value !== '*')
        return placed(resolve(place.backend, value), place);
    } catch {
      // Node itself says what is missing, and ends as it would.
    }
    return [value];
  }
}

/**
 * The same for the flags in a NODE_OPTIONS that scripts.start sets. Its parts end at blanks outside
 * of double quotes: https://nodejs.org/api/cli.html#node_optionsoptions
 */
export function resolveNodeOptions(value: Word, place: Place): Word {
  return value.flatMap(part => {
    if (typeof part !== 'string') return [part];
    const words = [...part.matchAll(/(?:[^ "]|"(?:\\.|[^"\\])*")+/g)].map(
      ([word]): Word => [
        word.replace(/"((?:\\.|[^"\\])*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1')),
      ],
    );
    const flags = resolveFlags(words, place).map(quoted);
    const [first = '', last = ''] = [part[0], part.at(-1)];
    return [
      ...(first === ' ' ? [' '] : []),
      ...flags.flatMap((flag, i) => (i ? [' ', ...flag] : flag)),
      ...(last === ' ' && flags.length ? [' '] : []),
    ];
  });
}

function quoted(word: Word): Word {
  const isPlain = word.every(part => typeof part === 'string' && !/[ "\\]/.test(part));
  if (isPlain) return word;
  const escaped = word.map(part =>
    typeof part === 'string' ? part.replace(/["\\]/g, '\\$&') : part,
  );
  return ['"', ...escaped, '"'];
}

/** An absolute path or a file URL; in the release a variable and the rest. */
function placed(path: string, { release }: Place): Word {
  for (const folder of [release, realpathSync(release)]) {
    const href = pathToFileURL(folder).href;
    if (path.startsWith(`${folder}${sep}`))
      return [{ name: releaseFolder, fallback: '', quoted: true }, path.slice(folder.length)];
    if (path.startsWith(`${href}/`))
      return [{ name: releaseUrl, fallback: '', quoted: true }, path.slice(href.length)];
  }
  return [path];
}

function splitFlag(flag: string): [string, string | undefined] {
  const at = flag.indexOf('=');
  return at < 0 || !flag.startsWith('-')
    ? [flag, undefined]
    : [flag.slice(0, at), flag.slice(at + 1)];
}

function resolveImport(request: string, { backend }: Place, conditions: readonly string[]): string {
  if (/^[a-z]+:/i.test(request)) return request;
  return pathToFileURL(
    /^[./]/.test(request)
      ? resolve(backend, request)
      : resolveFrom(request, backend, 'import', conditions),
  ).href;
}

/** What a package exports to an import may be another file, or nothing, for a require. */
function resolveFrom(
  request: string,
  folder: string,
  kind: 'require' | 'import',
  conditions: readonly string[],
): string {
  const require = createRequire(join(folder, 'package.json'));
  const [, name = '', subpath = ''] = /^((?:@[^/]+\/)?[^./@#][^/]*)(\/.+)?$/.exec(request) ?? [];
  for (const home of (name && require.resolve.paths(request)) || []) {
    const json = packageIn(join(home, name));
    const target = json && exportTarget(json, `.${subpath}`, [kind], conditions);
    if (target) return join(home, name, target);
    if (json) break;
  }
  return require.resolve(request);
}
