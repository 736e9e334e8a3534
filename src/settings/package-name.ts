import validateName from 'validate-npm-package-name';
import { SettingError } from '../errors';
import { refused, shorten } from './refused';

/**
 * Checks a package name as npm does.
 * @returns the name, blanks around it removed
 * @throws SettingError PACKAGE_NAME_HAS_VERSION or PACKAGE_NAME_INVALID
 */
export function parsePackageName(text: string, name: string): string {
  const wanted = text.trim();
  const at = wanted.indexOf('@', 1);
  const before = wanted.slice(0, at);
  if (at > 0 && validateName(before).validForOldPackages) {
    const version = shorten(wanted.slice(at + 1));
    const what = `${name}=${JSON.stringify(shorten(wanted))} holds a version as well`;
    throw new SettingError('PACKAGE_NAME_HAS_VERSION', what, {
      fix: name.startsWith('--')
        ? `pass ${name} ${before} --backend-version ${version}`
        : `set ${name}=${before} and BACKEND_VERSION=${version}`,
    });
  }
  const { validForOldPackages, errors = ['invalid'] } = validateName(wanted);
  if (validForOldPackages) return wanted;
  const [why, fix] = /^[\w.-]+\/[\w.-]+$/.test(wanted)
    ? ['lacks the @ before its scope', `set ${name} to @${shorten(wanted)}`]
    : [`is not a package name: ${errors[0]}`, `set ${name} to a name such as @acme/backend`];
  throw refused('PACKAGE_NAME_INVALID', name, wanted, why, fix);
}

/** The scope with its @, or undefined. */
export function scopeOf(packageName: string): string | undefined {
  return packageName.startsWith('@') ? packageName.slice(0, packageName.indexOf('/')) : undefined;
}
