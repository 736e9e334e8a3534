import validateName from 'validate-npm-package-name';
import { SettingError } from '../errors';

/**
 * Checks a package name as npm does.
 * @returns the name, blanks around it removed
 * @throws SettingError PACKAGE_NAME_HAS_VERSION or PACKAGE_NAME_INVALID
 */
export function parsePackageName(text: string, name: string): string {
  const wanted = text.trim();
  const at = wanted.indexOf('@', 1);
  if (at > 0 && validateName(wanted.slice(0, at)).validForOldPackages)
    throw new SettingError(
      'PACKAGE_NAME_HAS_VERSION',
      `${name}=${JSON.stringify(shorten(wanted))} holds a version as well`,
      {
        fix: name.startsWith('--')
          ? `pass ${name} ${wanted.slice(0, at)} --backend-version ${shorten(wanted.slice(at + 1))}`
          : `set ${name}=${wanted.slice(0, at)} and BACKEND_VERSION=${shorten(wanted.slice(at + 1))}`,
      },
    );
  const verdict = validateName(wanted);
  if (verdict.validForOldPackages) return wanted;
  if (/^[\w.-]+\/[\w.-]+$/.test(wanted))
    throw new SettingError(
      'PACKAGE_NAME_INVALID',
      `${name}=${JSON.stringify(shorten(wanted))} lacks the @ before its scope`,
      { fix: `set ${name} to @${shorten(wanted)}` },
    );
  throw new SettingError(
    'PACKAGE_NAME_INVALID',
    `${name}=${JSON.stringify(shorten(wanted))} is not a package name: ${verdict.errors?.[0] ?? 'invalid'}`,
    { fix: `set ${name} to a name such as @acme/backend` },
  );
}

/** The scope with its @, or undefined. */
export function scopeOf(packageName: string): string | undefined {
  return packageName.startsWith('@') ? packageName.slice(0, packageName.indexOf('/')) : undefined;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
