import { statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { NotFoundError, SettingError } from '../errors';
import type { StartPlan } from '../release/receipt';
import { type Dotenv, isQuoted } from '../settings/dotenv-file';
import { whereSet } from '../settings/where-set';
import { expandWords, splitWords } from '../settings/words';
import { secretNames } from './backend-env';
import type { Entry } from './plan/entry';

type Env = Readonly<Record<string, string | undefined>>;

interface ChosenStart {
  entry: Entry;
  /** The backend's arguments. */
  args: readonly string[];
}

/**
 * Says which of a package's processes a command line means. Where the package names roles, the
 * first word is one: a worker with a typing error must not become a second web server. A word for
 * the backend itself then follows `--`. Where it names none, all words are the backend's.
 * @param asked the role of `bootlace start ROLE`
 * @throws NotFoundError ROLE_UNKNOWN or an entry's failure, SettingError ARGS_INVALID
 */
export function pickEntry(
  start: StartPlan,
  backend: string,
  env: Env,
  args: readonly string[],
  asked?: string,
): ChosenStart {
  const roles = start.roles ?? {};
  const [first] = args;
  if (asked !== undefined) return { entry: byRole(asked), args: argsOr(args) };
  if (start.roles && first === '--') return { entry: byDefault(), args: argsOr(args.slice(1)) };
  if (start.roles && first !== undefined && /^[A-Za-z][\w-]*$/.test(first))
    return { entry: byRole(first), args: args.slice(args[1] === '--' ? 2 : 1) };
  return { entry: byDefault(), args: argsOr(args) };

  function byRole(role: string): Entry {
    if (Object.hasOwn(roles, role)) return roles[role] as Entry;
    const known = Object.keys(roles).join(', ');
    throw new NotFoundError('ROLE_UNKNOWN', `the backend has no role ${JSON.stringify(role)}`, {
      fix: known
        ? `use one of ${known}; what is meant for the backend itself follows the role and --`
        : 'its package.json names no roles: start it without one, or set BACKEND_ENTRY to a file',
      facts: { role, ...(known && { candidates: known }) },
    });
  }

  /** What setup chose, unless BACKEND_ENTRY of now asks for another. */
  function byDefault(): Entry {
    const wanted = env.BACKEND_ENTRY?.trim() || undefined;
    if (wanted === undefined || wanted === start.asked) return start.entry;
    if (Object.hasOwn(roles, wanted)) return byRole(wanted);
    const { names = {} } = start;
    const named = [wanted, `./${wanted}`].find(name => Object.hasOwn(names, name));
    const file = named ? (names[named] as string) : posix.normalize(wanted.replaceAll('\\', '/'));
    const isInside = !file.startsWith('../') && !posix.isAbsolute(file);
    if (isInside && statSync(join(backend, file), { throwIfNoEntry: false })?.isFile())
      return { file, why: 'BACKEND_ENTRY', env: [], flags: [], args: [], unused: [] };
    throw new NotFoundError(
      'ENTRY_NOT_FOUND',
      `BACKEND_ENTRY=${JSON.stringify(wanted)} is no role, file, bin or export of the backend`,
      {
        fix: 'set BACKEND_ENTRY to one of the candidates, or to another file of the package',
        facts: {
          candidates: [...Object.keys(roles), start.entry.file, ...Object.keys(names)].join(', '),
        },
      },
    );
  }

  function argsOr(given: readonly string[]): readonly string[] {
    if (given.length) return given;
    const text = env.BACKEND_ARGS?.trim();
    if (!text) return start.args ?? [];
    const words = splitWords(text);
    if (!words)
      throw new SettingError('ARGS_INVALID', 'BACKEND_ARGS needs a shell to be understood', {
        fix: 'write plain words, with quotes around those that hold blanks or special characters',
      });
    return expandWords(words, env);
  }
}

/**
 * Checks the variables that the backend declares.
 * @param env what the backend gets
 * @param given what this process has; secrets of it and of .env are not the backend's
 * @returns warnings
 * @throws SettingError VARIABLE_MISSING that names every missing one at once, VARIABLE_REMOVED, or
 *   why .env could not be read
 */
export function checkRequired(
  start: StartPlan,
  env: Env,
  given: Env,
  { values, unreadable }: Dotenv,
): string[] {
  const { requires = [] } = start;
  const removed = secretNames({ ...values, ...given }, start);
  const missing = requires.filter(name => !env[name]?.trim());
  const secret = missing.filter(name => removed.includes(name)).join(', ');
  if (secret)
    throw new SettingError('VARIABLE_REMOVED', `the backend needs ${secret}, which it never gets`, {
      fix: `set the value under another name, and require that one; ${secret} belongs to the deployment`,
    });
  const names = missing.join(', ');
  if (names)
    throw (
      unreadable ??
      new SettingError('VARIABLE_MISSING', `the backend needs ${names}, not set here`, {
        fix: `set ${names} ${whereSet(given) ?? "in the service's environment or in .env"}`,
        facts: { missing: names },
      })
    );
  const quoted = requires.filter(name => isQuoted(env[name])).join(', ');
  return [
    ...(unreadable ? [unreadable.message] : []),
    ...(quoted ? [`the value of ${quoted} is in quotes, as docker's --env-file leaves it`] : []),
    ...(removed.includes('RENDER_API_KEY')
      ? ['RENDER_API_KEY belongs to the deployment; the backend does not get it']
      : []),
  ];
}
