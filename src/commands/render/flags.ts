import validVersion from 'semver/functions/valid';
import { UsageError } from '../../errors';
import { type ProofWish, parseVersionPlace } from '../../render/proof/address';
import type { Session } from '../../render/session';
import type { Command, Context, Flags } from '../command';

// The flags that the commands against Render have in common.

export const renderHelp: Command['help'] = [
  ['--env-key NAME', "the pin's variable (BACKEND_VERSION)"],
  ['--workspace NAME', 'id or name, where a name is in several (RENDER_WORKSPACE)'],
];

export const proofHelp: Command['help'] = [
  ['--expect-json /version[=V]', 'where the backend answers with its version'],
  ['--expect-header NAME[=V]', 'the header that shows its version'],
  ['--health PATH', "in place of the service's health path"],
  ['--url URL', "in place of the service's address"],
  ['--health-only', 'do not ask for the version'],
  ['--patience MINUTES', 'for the proof once a deploy is live (5)'],
];

/** The flags that lines of help name, as parseArgs wants them: `--flag VALUE` or `--flag`. */
export function optionsOf(help: Command['help']): Command['options'] {
  const flags = help.flatMap(([words]) => words.split(', ')).filter(word => word.startsWith('--'));
  return Object.fromEntries(
    flags.map(flag => {
      const [name = '', value] = flag.slice(2).split(' ');
      return [name, { type: value === undefined ? 'boolean' : 'string' }];
    }),
  );
}

/** @throws UsageError EXPECT_INVALID, URL_INVALID, HEALTH_INVALID */
export function readProofWish({ flags, positionals }: Context): ProofWish {
  if (flags.url !== undefined && positionals.length > 1)
    throw new UsageError('URL_INVALID', '--url is the address of one service', {
      fix: 'leave --url out, or name one service',
    });
  const health = textOf(flags.health);
  if (health !== undefined && !/^\/[^\s]*$/.test(health))
    throw new UsageError('HEALTH_INVALID', '--health is no path', {
      fix: 'pass a path such as --health /healthz',
    });
  const place = parseVersionPlace(flags['expect-json'], flags['expect-header']);
  const healthOnly = flags['health-only'] === true;
  return {
    place: healthOnly ? undefined : place,
    healthOnly,
    url: flags.url === undefined ? undefined : parseUrl(String(flags.url), '--url'),
    health,
  };
}

/** @throws UsageError URL_INVALID */
export function parseUrl(text: string, flag: string): string {
  const isUrl = /^https?:\/\//i.test(text) && URL.canParse(text);
  if (isUrl && !new URL(text).username) return text;
  throw new UsageError('URL_INVALID', `${flag} is no http or https address`, {
    fix: 'pass an address such as https://api.example.com/health',
  });
}

export function textOf(flag: Flags[string]): string | undefined {
  return flag === undefined ? undefined : String(flag);
}

/**
 * A flag's minutes in milliseconds; undefined when it was not given.
 * @throws UsageError MINUTES_INVALID
 */
export function minutes(flags: Flags, name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 24 * 60) return value * 60_000;
  const why = `--${name} ${JSON.stringify(text)} is no number of minutes`;
  throw new UsageError('MINUTES_INVALID', why, { fix: `pass minutes, such as --${name} 30` });
}

/** @throws UsageError ENV_KEY_INVALID */
export function envKeyOf({ flags }: Context): string | undefined {
  const key = textOf(flags['env-key']);
  if (key === undefined || /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return key;
  throw new UsageError('ENV_KEY_INVALID', '--env-key is no name of a variable', {
    fix: 'pass a name such as --env-key API_VERSION',
  });
}

/**
 * Refuses a version among the names of services: `deploy api 1.0.6`.
 * @throws UsageError WORD_UNEXPECTED
 */
export function refuseVersions({ line }: Session, words: readonly string[]): void {
  const version = words.find(word => validVersion(word));
  if (version === undefined) return;
  const services = words.filter(word => word !== version);
  throw new UsageError('WORD_UNEXPECTED', `${version} is a version and no service`, {
    fix: `type: ${line(undefined, { services: services.length ? services : ['SERVICE'], version })}`,
  });
}

/**
 * The services that the command names.
 * @param local what does the same for a backend on this machine
 * @throws UsageError SERVICE_MISSING
 */
export function servicesOf(
  { positionals }: Context,
  command: string,
  local?: string,
): readonly string[] {
  if (positionals.length > 0) return positionals;
  const here = local ? `; for the backend in this folder: ${local}` : '';
  throw new UsageError('SERVICE_MISSING', `${command} needs the name of a service on Render`, {
    fix: `type for example: npx bootlace ${command} api; the names: npx bootlace services${here}`,
  });
}
