import { UsageError } from '../../errors';
import { hasUrl, type Service } from '../api/model';

/** How a backend shows its version: a place in a JSON answer, or a header. */
export type VersionPlace =
  | { kind: 'json'; pointer: string; value: string | undefined }
  | { kind: 'header'; name: string; value: string | undefined };

/**
 * Reads `--expect-json /version[=VALUE]` (a JSON pointer, RFC 6901) and
 * `--expect-header x-version[=VALUE]`. Without a value the version that is deployed is expected.
 * @throws UsageError EXPECT_INVALID
 */
export function parseVersionPlace(json: unknown, header: unknown): VersionPlace | undefined {
  if (json !== undefined && header !== undefined)
    throw invalid('--expect-json and --expect-header', 'exclude each other', 'pass one of them');
  if (json !== undefined) {
    const { name, value } = split(String(json));
    if (!/^(\/[^=]*)+$/.test(name))
      throw invalid(
        '--expect-json',
        'has no JSON pointer',
        'pass for example --expect-json /version',
      );
    return { kind: 'json', pointer: name, value };
  }
  if (header === undefined) return undefined;
  const { name, value } = split(String(header));
  if (!/^[\w-]+$/.test(name))
    throw invalid(
      '--expect-header',
      'names no header',
      'pass for example --expect-header x-version',
    );
  return { kind: 'header', name: name.toLowerCase(), value };
}

/** What an answer shows; undefined when it shows nothing there. */
export function readVersionAt(
  place: VersionPlace,
  answer: { headers: Headers; body: string },
): string | undefined {
  if (place.kind === 'header') return answer.headers.get(place.name)?.trim() || undefined;
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch {
    return undefined;
  }
  for (const part of place.pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** The place as a person names it. */
export function placeOf(place: VersionPlace): string {
  return place.kind === 'json' ? place.pointer : `the header ${place.name}`;
}

/** `v1.2.3` and `1.2.3` are the same version. */
export function sameVersion(a: string, b: string): boolean {
  return a.trim().replace(/^v(?=\d)/, '') === b.trim().replace(/^v(?=\d)/, '');
}

function split(text: string): { name: string; value: string | undefined } {
  const at = text.indexOf('=');
  if (at < 0) return { name: text, value: undefined };
  return { name: text.slice(0, at), value: text.slice(at + 1) || undefined };
}

function invalid(flag: string, why: string, fix: string): UsageError {
  return new UsageError('EXPECT_INVALID', `${flag} ${why}`, { fix });
}

/** How the user wants a version to be proven. */
export interface ProofWish {
  readonly place?: VersionPlace | undefined;
  /** No version is asked for, only health. */
  readonly healthOnly: boolean;
  readonly url?: string | undefined;
  readonly health?: string | undefined;
}

/** An address that can prove something. */
export interface Address {
  readonly url: string;
  /** It is a health path, or a static site's first page: 404 there is a failure. */
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
  return { url: path ? joinPath(base, path) : base, isStrict };
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

export function joinPath(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
}

/** @throws UsageError URL_INVALID */
export function parseUrl(text: string, flag: string): string {
  const isUrl = /^https?:\/\//i.test(text) && URL.canParse(text);
  if (isUrl && !new URL(text).username) return text;
  throw new UsageError('URL_INVALID', `${flag} is no http or https address`, {
    fix: 'pass an address such as https://api.example.com/health',
  });
}
