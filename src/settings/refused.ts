import { SettingError } from '../errors';

/**
 * A value that a setting cannot have, shown without the password of an address.
 * @param name the variable or flag
 */
export function refused(
  code: string,
  name: string,
  text: string,
  why: string,
  fix: string,
): SettingError {
  const shown = JSON.stringify(shorten(text.replace(/\/\/[^/@]*@/, '//***@')));
  return new SettingError(code, `${name}=${shown} ${why}`, { fix });
}

export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
