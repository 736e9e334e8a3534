import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { UsageError } from '../../errors';
import { createRenderClient } from '../../render/api/client';
import { deployPace } from '../../render/api/request';
import { type ResolvedWish, resolveWish } from '../../render/move/resolve-wish';
import { type ProofWish, parseVersionPlace } from '../../render/proof/address';
import {
  type CommandLine,
  defaultLimits,
  onceEach,
  readAccess,
  type Session,
} from '../../render/session';
import { loadSources } from '../../settings/load';
import { shellWord } from '../../settings/words';
import { workflowOf } from '../../ui/github-actions';
import type { Command, Context, Flags } from '../command';

// What the commands against Render have in common on the command line.

export const renderOptions: Command['options'] = {
  workspace: { type: 'string' },
  'env-key': { type: 'string' },
};

export const renderHelp: Command['help'] = [
  ['--env-key NAME', "the pin's variable (BACKEND_VERSION)"],
  ['--workspace NAME', 'id or name, where a name is in several (RENDER_WORKSPACE)'],
];

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
          say: onceEach(sentence => report.progress(sentence)),
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
function envKeyOf({ flags }: Context): string | undefined {
  const key = textOf(flags['env-key']);
  if (key === undefined || /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return key;
  throw new UsageError('ENV_KEY_INVALID', '--env-key is no name of a variable', {
    fix: 'pass a name such as --env-key API_VERSION',
  });
}

/**
 * A session with the key from the environment or .env, and the limits of the command line; asks
 * nothing yet.
 * @param local what does the same for a backend on this machine, where a command has such a counterpart
 * @throws UsageError MINUTES_INVALID; SettingError of readAccess, or for a settings file that cannot be
 *   read
 */
export function sessionOf(
  context: Context,
  command: string,
  { readsAMinute = deployPace, proofMs = defaultLimits.proofMs, local = '' } = {},
): Session {
  const { dir, io, signal, report, redactor, flags } = context;
  const values = { ...loadSources(dir, {}, io.env).dotenv, ...io.env };
  const access = readAccess(values, local);
  redactor.add(access.key);
  const { GITHUB_ACTIONS, GITHUB_ACTOR, GITHUB_RUN_ID } = io.env;
  const workflow = workflowOf(io, report);
  const actor = GITHUB_ACTIONS === 'true' ? word(GITHUB_ACTOR) : undefined;
  const say = onceEach(sentence => report.progress(sentence));
  const shared = { access, io, readsAMinute, onRetry: say };
  return {
    client: createRenderClient({ ...shared, signal }),
    lastClient: createRenderClient({ ...shared, signal: new AbortController().signal }),
    io,
    signal,
    say,
    warn: sentence => report.warn(sentence),
    showLog: (title, lines) => {
      const texts = lines.map(({ message }) => message.trimEnd());
      if (workflow) return workflow.group(title, texts);
      report.progress(`${title}:`);
      for (const text of texts) report.progress(`  | ${text}`);
    },
    limits: {
      deployMs: minutes(flags, 'timeout') ?? defaultLimits.deployMs,
      proofMs: minutes(flags, 'patience') ?? proofMs,
      pollMs: defaultLimits.pollMs,
    },
    workspace: (textOf(flags.workspace) || values.RENDER_WORKSPACE)?.trim() || undefined,
    line: commandLine(command, context),
    proof: readProofWish(context),
    envKey: envKeyOf(context),
    followLogs: flags.logs === true,
    run: randomBytes(6).toString('hex'),
    by: actor ? `${actor} (workflow run ${word(GITHUB_RUN_ID) ?? '?'})` : localUser(),
    actor,
    steal: flags.steal === true,
  };
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

/** Flags that are typed again in no printed command; a hook's address is a secret. */
const neverRepeated = ['json', 'quiet', 'help', 'hook', 'dry-run', 'steal'];
/** Flags that all commands about a service understand. */
const shared = ['dir', 'workspace', 'env-key'];
const ofProof = [...shared, 'health', 'url', 'health-only', 'patience'];
const known: Readonly<Record<string, readonly string[]>> = {
  deploy: [...ofProof, 'timeout'],
  rollback: [...ofProof, 'timeout'],
  verify: ofProof,
  releases: shared,
};

/** Command lines that repeat what was typed, with changes. */
export function commandLine(typed: string, { flags, positionals }: Context): CommandLine {
  return (command = typed as 'deploy', { services = positionals, version }) => {
    const versionFlag = command === 'rollback' ? 'to' : 'backend-version';
    const isSame = command === typed;
    const words = ['npx bootlace', command, ...services.map(shellWord)];
    if (version !== undefined) words.push(`--${versionFlag} ${shellWord(version)}`);
    for (const [name, value] of Object.entries(flags)) {
      if (neverRepeated.includes(name) || value === false || value === undefined) continue;
      if (name === versionFlag && (version !== undefined || !isSame)) continue;
      if (/^expect-/.test(name) && !isSame && command !== 'releases') {
        // The value that was expected belongs to the other version.
        const place = String(value).split('=')[0] ?? '';
        words.push(`--${name} ${shellWord(place)}`);
      } else if (isSame || known[command]?.includes(name))
        words.push(value === true ? `--${name}` : `--${name} ${shellWord(String(value))}`);
    }
    return words.join(' ');
  };
}

function word(text: string | undefined): string | undefined {
  return text?.match(/^[\w.[\]-]{1,60}$/)?.[0];
}

function localUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`.slice(0, 90);
  } catch {
    // A container may run as a user without a name.
    return hostname().slice(0, 90);
  }
}
