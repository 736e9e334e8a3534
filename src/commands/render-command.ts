import { UsageError } from '../errors';
import { parseUrl } from '../render/address';
import { openSession, type Surroundings } from '../render/connect';
import type { ProofWish } from '../render/deploy-one';
import { parseShown } from '../render/expect';
import { deployPace } from '../render/pace';
import { type ResolvedWish, resolveWish } from '../render/resolve-wish';
import type { Session } from '../render/session';
import { workflowOf } from '../ui/github-actions';
import type { Command, Context, Flags } from './command';

// What deploy, rollback and verify have in common on the command line and in their reports.

export const proofOptions: Command['options'] = {
  health: { type: 'string' },
  url: { type: 'string' },
  'expect-json': { type: 'string' },
  'expect-header': { type: 'string' },
  'health-only': { type: 'boolean' },
  patience: { type: 'string' },
};

export const proofHelp: Command['help'] = [
  ['--expect-json /version[=V]', 'where the backend answers with its version'],
  ['--expect-header NAME[=V]', 'the header that shows its version'],
  ['--health PATH', "in place of the service's health path"],
  ['--url URL', "in place of the service's address"],
  ['--health-only', 'do not ask for the version'],
  ['--patience MINUTES', 'for the proof once a deploy is live (5)'],
];

/** @throws UsageError EXPECT_INVALID, URL_INVALID, HEALTH_INVALID */
export function readProofWish({ flags, positionals }: Context): ProofWish {
  if (flags.url !== undefined && positionals.length > 1)
    throw new UsageError('URL_INVALID', '--url is the address of one service', {
      fix: 'leave --url out, or name one service',
    });
  const health = flags.health === undefined ? undefined : String(flags.health);
  if (health !== undefined && !/^\/[^\s]*$/.test(health))
    throw new UsageError('HEALTH_INVALID', '--health is no path', {
      fix: 'pass a path such as --health /healthz',
    });
  return {
    shown: parseShown(flags['expect-json'], flags['expect-header']),
    healthOnly: flags['health-only'] === true,
    url: flags.url === undefined ? undefined : parseUrl(String(flags.url), '--url'),
    health,
  };
}

/** A flag's minutes in milliseconds; undefined when it was not given. */
export function minutes(flags: Flags, name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 24 * 60) return value * 60_000;
  throw new UsageError(
    'MINUTES_INVALID',
    `--${name} ${JSON.stringify(text)} is no number of minutes`,
    {
      fix: `pass minutes, such as --${name} 30`,
    },
  );
}

/** Resolves a wish once for each package. */
export function resolver(
  context: Context,
): (servicePackage: string | undefined, version?: string) => Promise<ResolvedWish> {
  const { dir, flags, io, signal, report, redactor } = context;
  const known = new Map<string, Promise<ResolvedWish>>();
  return (servicePackage, version) => {
    const key = `${servicePackage ?? ''} ${version ?? ''}`;
    const resolved =
      known.get(key) ??
      resolveWish(
        {
          dir,
          flags,
          io,
          signal,
          addSecret: secret => redactor.add(secret),
          say: sentence => report.progress(sentence),
          warn: sentence => report.warn(sentence),
          waitForMs: minutes(flags, 'wait-for'),
        },
        servicePackage,
        version,
      );
    known.set(key, resolved);
    return resolved;
  };
}

/** @throws UsageError ENV_KEY_INVALID */
export function envKeyOf({ flags }: Context): string | undefined {
  const key = flags['env-key'] === undefined ? undefined : String(flags['env-key']);
  if (key === undefined || /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return key;
  throw new UsageError('ENV_KEY_INVALID', '--env-key is no name of a variable', {
    fix: 'pass a name such as --env-key API_VERSION',
  });
}

/**
 * A session for deploys and rollbacks, with the limits of the command line.
 * @throws UsageError MINUTES_INVALID; what openSession throws
 */
export function openDeploySession(context: Context): Session {
  const { flags } = context;
  return openSession(surroundingsOf(context), deployPace, {
    ...(flags.timeout !== undefined && { deployMs: minutes(flags, 'timeout') }),
    ...(flags.patience !== undefined && { proofMs: minutes(flags, 'patience') }),
  });
}

/** The services that the command names. @throws UsageError SERVICE_MISSING */
export function servicesOf({ positionals }: Context, command: string): readonly string[] {
  if (positionals.length > 0) return positionals;
  throw new UsageError('SERVICE_MISSING', `${command} needs the name of a service`, {
    fix: `type for example: npx bootlace ${command} api; the names: npx bootlace services`,
  });
}

/** The way from a session to the user. */
export function surroundingsOf(context: Context): Surroundings {
  const { dir, io, signal, report, redactor } = context;
  const workflow = workflowOf(io, report);
  return {
    dir,
    io,
    signal,
    addSecret: secret => redactor.add(secret),
    say: sentence => report.progress(sentence),
    warn: sentence => report.warn(sentence),
    showLog: (title, lines) => {
      const texts = lines.map(({ message }) => message.trimEnd());
      if (workflow) return workflow.group(title, texts);
      report.progress(`${title}:`);
      for (const text of texts) report.progress(`  | ${text}`);
    },
  };
}
