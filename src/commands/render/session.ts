import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { createRenderClient } from '../../render/api/client';
import { deployPace } from '../../render/api/request';
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
import type { Context } from '../command';
import { envKeyOf, minutes, readProofWish, textOf } from './flags';
import { resolver } from './resolve';

/**
 * A session with the key from the environment or .env, the host from the environment alone, and the
 * limits of the command line; asks nothing yet.
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
  // A checkout's .env must not send the environment's key to another host.
  const access = readAccess({ ...values, RENDER_HOST: io.env.RENDER_HOST }, local);
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
    },
    workspace: (textOf(flags.workspace) || values.RENDER_WORKSPACE)?.trim() || undefined,
    line: commandLine(command, context),
    proof: readProofWish(context),
    envKey: envKeyOf(context),
    resolve: resolver(context),
    followLogs: flags.logs === true,
    run: randomBytes(6).toString('hex'),
    by: actor ? `${actor} (workflow run ${word(GITHUB_RUN_ID) ?? '?'})` : localUser(),
    actor,
    steal: flags.steal === true,
  };
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
function commandLine(typed: string, { flags, positionals }: Context): CommandLine {
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
