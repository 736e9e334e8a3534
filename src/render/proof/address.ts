import { UsageError } from '../../errors';
import { fetchText } from '../api/fetch-text';
import { hasUrl, type Service } from '../api/model';

/** How a backend shows its version. */
export interface VersionPlace {
  readonly kind: 'json' | 'header';
  /** A JSON pointer (RFC 6901) into the answer, or a header's name. */
  readonly name: string;
  /** What to expect there; undefined for the version that is deployed. */
  readonly value: string | undefined;
}

/**
 * Reads `--expect-json /version[=VALUE]` and `--expect-header x-version[=VALUE]`.
 * @throws UsageError EXPECT_INVALID
 */
export function parseVersionPlace(json: unknown, header: unknown): VersionPlace | undefined {
  if (json === undefined && header === undefined) return undefined;
  const kind = json === undefined ? 'header' : 'json';
  const [name = '', ...rest] = String(json ?? header).split('=');
  const isRight = kind === 'json' ? name.startsWith('/') : /^[\w-]+$/.test(name);
  if (!isRight || (json !== undefined && header !== undefined))
    throw new UsageError(
      'EXPECT_INVALID',
      '--expect-json needs a JSON pointer, or --expect-header the name of a header, not both',
      {
        fix: 'pass for example --expect-json /version, or --expect-header x-version',
      },
    );
  return { kind, name, value: rest.join('=') || undefined };
}

/** What an answer shows; undefined when it shows nothing there. */
export function readVersionAt(
  { kind, name }: VersionPlace,
  answer: { headers: Headers; text: string },
): string | undefined {
  if (kind === 'header') return answer.headers.get(name)?.trim() || undefined;
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch {
    return undefined;
  }
  for (const part of name.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** The place as a person names it. */
export function placeText({ kind, name }: VersionPlace): string {
  return kind === 'json' ? name : `the header ${name}`;
}

/** `v1.2.3` and `1.2.3` are the same version. */
export function sameVersion(a: string, b: string): boolean {
  return a.trim().replace(/^v(?=\d)/, '') === b.trim().replace(/^v(?=\d)/, '');
}

/** How the user wants a version to be proven. */
export interface ProofWish {
  /** undefined when no version is asked for. */
  readonly place?: VersionPlace | undefined;
  /** No version is asked for, only health. */
  readonly healthOnly: boolean;
  readonly url?: string | undefined;
  readonly health?: string | undefined;
}

/** An address that can prove something. */
export interface Address {
  readonly url: string;
  /**
   * Only 2xx and 3xx are healthy, as for a health path or a static site's first page; else any answer
   * below 500 is.
   */
  readonly isStrict: boolean;
}

/**
 * The address that proves a service: its own, or the user's, with the health path.
 * @param wish `--url` and `--health`
 * @returns undefined for a service that has none, or whose address answers for Render alone
 */
export function addressOf(
  service: Service,
  wish: Pick<ProofWish, 'url' | 'health'>,
): Address | undefined {
  const own = hasUrl(service) && !service.subdomainIsOff ? service.url : undefined;
  const base = wish.url ?? own;
  if (base === undefined || service.inMaintenance) return undefined;
  const path = wish.health ?? (wish.url === undefined ? service.healthPath : undefined);
  const isOwnPath = wish.url !== undefined && new URL(wish.url).pathname !== '/';
  const isStrict = Boolean(path) || isOwnPath || service.type === 'static_site';
  return { url: joinPath(base, path), isStrict };
}

/** What to say of a service whose address does not answer everybody. Pure. */
export function addressNotes(service: Service, wish: Pick<ProofWish, 'url'>): string[] {
  if (!hasUrl(service)) return [];
  const { name } = service;
  if (service.inMaintenance)
    return [`${name}: maintenance mode is on, so its address can prove nothing`];
  if (wish.url !== undefined) return [];
  if (service.subdomainIsOff)
    return [`${name}: its onrender.com address is switched off; --url names the one to ask`];
  if (service.isRestricted)
    return [`${name}: only the addresses in its allow list may ask it; no answer proves nothing`];
  return [];
}

/** An address with a path, where there is one. */
export function joinPath(base: string, path: string | undefined): string {
  return path ? `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}` : base;
}

/** What one look at an address found. */
export interface Probe {
  /** `waking`: a free service that sleeps, neither good nor bad; `wrong`: healthy, another version. */
  readonly state: 'ok' | 'waking' | 'unhealthy' | 'wrong';
  readonly text: string;
  /** undefined: no answer came. */
  readonly status: number | undefined;
  /** What it shows at the place. */
  readonly version: string | undefined;
}

/**
 * Asks an address once. A redirect counts as healthy, as Render's own check sees it, and is not
 * followed; no key of any kind is sent.
 * @param place where the version is shown; with no value in it, no answer is right
 */
export async function probe(
  { url, isStrict }: Address,
  place: VersionPlace | undefined,
  signal: AbortSignal,
): Promise<Probe> {
  const headers = { 'cache-control': 'no-cache', 'user-agent': 'bootlace' };
  const answer = await fetchText(url, { headers }, signal, 10_000).catch((error: Error) => {
    if (signal.aborted) throw error;
    return error.message;
  });
  if (typeof answer === 'string')
    return {
      state: 'unhealthy',
      text: `no answer (${answer})`,
      status: undefined,
      version: undefined,
    };
  const { status } = answer;
  const version = place && readVersionAt(place, answer);
  const answers = `it answers ${status}`;
  if (isWaking(status, answer.headers.get('x-render-routing') ?? '', answer.text))
    return { state: 'waking', text: `${status}: the service is waking up`, status, version };
  if (status < 200 || status >= (isStrict ? 400 : 500))
    return { state: 'unhealthy', text: answers, status, version };
  if (!place) return { state: 'ok', text: answers, status, version };
  const { value } = place;
  if (version !== undefined && value !== undefined && sameVersion(version, value))
    return { state: 'ok', text: `${answers} and ${version}`, status, version };
  const found = version === undefined ? 'nothing' : JSON.stringify(version.slice(0, 60));
  const instead = value === undefined ? '' : ` in place of ${value}`;
  const text = `${answers}, but ${found} at ${placeText(place)}${instead}`;
  return { state: 'wrong', text, status, version };
}

/** How Render's router answers for a free service that sleeps or wakes. */
function isWaking(status: number, routing: string, body: string): boolean {
  if (status === 503) return /hibernate/.test(routing) || /hibernate-wake-error/.test(body);
  return status === 404 && (/no-server/.test(routing) || /no-server/.test(body.slice(0, 2000)));
}
