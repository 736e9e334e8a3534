import satisfies from 'semver/functions/satisfies';
import validVersion from 'semver/functions/valid';
import validRange from 'semver/ranges/valid';
import { SettingError } from '../errors';
import { refused } from './refused';

/** What the user asked for. A tag names whatever the registry says it names right now. */
export type VersionWish =
  | { kind: 'exact'; version: string }
  | { kind: 'range'; range: string }
  | { kind: 'tag'; tag: string };

const longest = 256;

/**
 * Reads BACKEND_VERSION: an exact version, a range or a dist-tag. Blanks around it and a leading
 * `v` are forgiven; everything that could reach another place than the registry is refused.
 * @param text the value as given
 * @param name what to call it in an error, such as BACKEND_VERSION
 * @throws SettingError VERSION_EMPTY, VERSION_TOO_LONG, VERSION_IS_PATH, VERSION_IS_URL,
 *   VERSION_IS_ALIAS or VERSION_INVALID
 */
export function parseVersionWish(text: string, name: string): VersionWish {
  const wanted = text.trim();
  if (wanted === '')
    throw new SettingError('VERSION_EMPTY', `${name} is set, but blank`, {
      fix: `set ${name} to a version such as 1.4.2, or unset it to follow the tag latest`,
    });
  if (wanted.length > longest)
    throw invalid('VERSION_TOO_LONG', `is ${wanted.length} characters long`);
  if (
    /^(file|link|portal|workspace|catalog):|^[./\\]|^~(?![\d v=])|^[a-z]:\\|\.t(ar\.)?gz$/i.test(
      wanted,
    )
  )
    throw invalid('VERSION_IS_PATH', 'is a path; use --from for a local build');
  if (/^npm:/i.test(wanted)) throw invalid('VERSION_IS_ALIAS', 'is an alias');
  if (/^[a-z][a-z+.-]*:|^[^@\s]+@[^\s]+:|^[\w.-]+\/[\w.-]+/i.test(wanted))
    throw invalid('VERSION_IS_URL', 'is a URL or a repository');

  const isText = !/[\0-\x1f\x7f]/.test(wanted);
  const range = isText ? validRange(wanted) : null;
  const version = validVersion(wanted) ?? (range && validVersion(range));
  if (version) return { kind: 'exact', version };
  if (range !== null) return { kind: 'range', range: wanted };
  if (/^[A-Za-z0-9_.~-]+$/.test(wanted)) return { kind: 'tag', tag: wanted };
  throw invalid('VERSION_INVALID', 'is neither a version, a range nor a dist-tag');

  function invalid(code: string, why: string): SettingError {
    const fix = `set ${name} to a version such as 1.4.2, a range such as ^1.4.0, or a tag such as latest`;
    return refused(code, name, wanted, why, fix);
  }
}

/** True when a version that is installed may stand for the wish; what a tag means, a registry says. */
export function satisfiesWish(wish: VersionWish, version: string): boolean {
  if (wish.kind === 'exact') return wish.version === version;
  if (wish.kind === 'tag') return true;
  // npm takes a prerelease for `*` when the tag latest names one, else for a range that names one.
  return satisfies(version, wish.range, { includePrerelease: validRange(wish.range) === '*' });
}

/** The wish as a user would type it. */
export function wishText(wish: VersionWish): string {
  if (wish.kind === 'exact') return wish.version;
  return wish.kind === 'range' ? wish.range : wish.tag;
}
