import { NotFoundError, SettingError, UsageError } from '../errors';
import type { Io } from '../io';
import { Secret } from '../secret';
import type { RenderClient } from './api/client';
import { isPrivate } from './api/fetch-text';
import type { LogLine, Service } from './api/model';
import type { Access } from './api/request';
import type { ProofWish } from './proof/address';

/**
 * A command line to type: the command and flags that were typed, with changes.
 * @param command undefined for the one that was typed; of its flags another keeps those that it knows
 */
export type CommandLine = (
  command: 'deploy' | 'rollback' | 'verify' | 'releases' | undefined,
  change: { services?: readonly string[]; version?: string | undefined },
) => string;

/** One exact version of the registry. */
export interface ResolvedWish {
  readonly package: string;
  readonly version: string;
  /** engines.node, where the package names it. */
  readonly engines: string | undefined;
}

/** What the steps of a deploy share. */
export interface Session {
  readonly client: RenderClient;
  /** For the last request after Ctrl-C: the same client, which no signal stops. */
  readonly lastClient: RenderClient;
  readonly io: Pick<Io, 'now' | 'sleep'>;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** One calm sentence about what is going on. */
  readonly say: (sentence: string) => void;
  readonly warn: (sentence: string) => void;
  /** Lines of the service's own logs. */
  readonly showLog: (title: string, lines: readonly LogLine[]) => void;
  /** The workspace that names are looked up in: an id or a name. */
  readonly workspace: string | undefined;
  readonly line: CommandLine;
  /** How the user wants a version to be proven. */
  readonly proof: ProofWish;
  /** The user's own name for the pin's variable, when one was given. */
  readonly envKey: string | undefined;
  /**
   * Asks the registry for what the user wants; once for each package and wish.
   * @param servicePackage the service's own BACKEND_PACKAGE, for when no setting here names one
   * @param ownWish a version, range or tag in place of the settings' wish
   * @throws SettingError, AuthError, NotFoundError, NetworkError as setup does
   */
  readonly resolve: (servicePackage: string | undefined, ownWish?: string) => Promise<ResolvedWish>;
  /** Show a build's log as it comes. */
  readonly followLogs: boolean;
  /** This run, different from every other. */
  readonly run: string;
  /** The person or workflow behind it, as others see it. */
  readonly by: string;
  /** The GitHub user who started the workflow. */
  readonly actor: string | undefined;
  /** Take a service over from a run that may still be at work. */
  readonly steal: boolean;
}

/** All in milliseconds. */
export interface Limits {
  /** For a deploy, from its creation until it is live. */
  readonly deployMs: number;
  /** For the proof once it is live; a service's shutdown delay is added. */
  readonly proofMs: number;
}

export const defaultLimits: Limits = { deployMs: 30 * 60_000, proofMs: 5 * 60_000 };
/** How often the API or an address is asked again, in milliseconds. */
export const pollMs = 5_000;

/** Says a sentence once until another comes; `trying again in 8 s` makes no new one. */
export function onceEach(say: (sentence: string) => void): (sentence: string) => void {
  let last = '';
  return sentence => {
    const news = sentence.replace(/(, after \d+ s)?; trying again in \d+ s$/, '');
    if (news !== last) say(sentence);
    last = news;
  };
}

/** The id of the session's workspace; undefined for all that the key can reach. */
export async function workspaceId({ client, workspace }: Session): Promise<string | undefined> {
  if (workspace === undefined || /^(tea|usr|own)-\w+$/.test(workspace)) return workspace;
  const [id, ...more] = await client.workspaces(workspace);
  const name = JSON.stringify(workspace.slice(0, 60));
  if (id !== undefined && more.length === 0) return id;
  const found = id === undefined ? 'no workspace' : `${more.length + 1} workspaces`;
  throw new NotFoundError('WORKSPACE_NOT_FOUND', `the key reaches ${found} named ${name}`, {
    fix: "pass the workspace's id, which is in the address of its settings in the dashboard: --workspace tea-…",
    facts: { found: [id, ...more].join(', ') },
  });
}

const defaultHost = 'https://api.render.com/v1';

/**
 * Reads RENDER_API_KEY and RENDER_HOST.
 * @param values the environment over .env; of a host the environment alone
 * @param local what does the same for a backend on this machine
 * @throws SettingError RENDER_KEY_MISSING, RENDER_KEY_MALFORMED, RENDER_HOST_INVALID
 */
export function readAccess(
  values: Readonly<Record<string, string | undefined>>,
  local: string,
): Access {
  const key = values.RENDER_API_KEY?.trim();
  if (!key) {
    const set =
      values.GITHUB_ACTIONS === 'true'
        ? 'add it as the secret RENDER_API_KEY of the environment that the job names, on GitHub under Settings, Environments'
        : `set RENDER_API_KEY${local && `; for the backend in this folder: ${local}`}`;
    throw new SettingError('RENDER_KEY_MISSING', 'RENDER_API_KEY is not set', {
      fix: `create a key in the Render dashboard (Account Settings, API Keys) and ${set}`,
    });
  }
  // fetch would quote a value that no header can carry in its error.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new SettingError(
      'RENDER_KEY_MALFORMED',
      'RENDER_API_KEY holds blanks or characters that no key has',
      { fix: 'copy the key again, as one word' },
    );
  return { host: parseHost(values.RENDER_HOST?.trim() || defaultHost), key: new Secret(key) };
}

function parseHost(wanted: string): string {
  const text = /^[a-z]+:\/\//i.test(wanted) ? wanted : `https://${wanted}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.password || url.search || url.hash || !isPrivate(url))
    throw new SettingError('RENDER_HOST_INVALID', 'RENDER_HOST is not a plain https address', {
      fix: `set RENDER_HOST to an address such as ${defaultHost}, or unset it`,
    });
  const path = url.pathname.replace(/\/+$/, '') || '/v1';
  return `${url.origin}${path}`;
}

/**
 * Finds services by name or id, each once; names in the session's workspace where it has one.
 * @throws NotFoundError SERVICE_NOT_FOUND with the names that there are; UsageError
 *   SERVICE_AMBIGUOUS for a name that two services have
 */
export async function findServices(
  session: Session,
  wanted: readonly string[],
): Promise<Service[]> {
  const ownerId = await workspaceId(session);
  const found: Service[] = [];
  for (const word of wanted) {
    const service = /^(srv|crn)-\w+$/.test(word)
      ? await session.client.service(word)
      : await findByName(session, word, ownerId);
    if (!found.some(({ id }) => id === service.id)) found.push(service);
  }
  return found;
}

/** Finds one service. @throws as findServices does */
export async function findService(session: Session, wanted: string): Promise<Service> {
  const [service] = await findServices(session, [wanted]);
  return service as Service;
}

async function findByName(
  { client }: Session,
  name: string,
  ownerId: string | undefined,
): Promise<Service> {
  const [service, ...more] = await client.services(name, ownerId);
  if (!service) {
    const names = (await client.services(undefined, ownerId)).map(other => other.name);
    throw new NotFoundError(
      'SERVICE_NOT_FOUND',
      `there is no service named ${JSON.stringify(name.slice(0, 60))}`,
      {
        fix: 'use a name or an id that this lists: npx bootlace services',
        facts: { candidates: names.slice(0, 30).join(', ') || 'none' },
      },
    );
  }
  if (more.length) {
    const all = [service, ...more];
    const owners = new Set(all.map(one => one.ownerId));
    throw new UsageError('SERVICE_AMBIGUOUS', `${all.length} services are named ${name}`, {
      fix: `use the id of one: ${all.map(({ id }) => id).join(', ')}${owners.size > 1 ? `; or name its workspace: --workspace ${[...owners].join(' or ')}` : ''}`,
    });
  }
  return service;
}
