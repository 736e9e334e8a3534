import { UsageError } from '../../errors';
import { hasUrl, type Service } from '../api/model';
import type { VersionPlace } from './expect';

/** How the user wants a version to be proven. */
export interface ProofWish {
  readonly place: VersionPlace | undefined;
  /** No version is asked for, only health. */
  readonly healthOnly: boolean;
  readonly url: string | undefined;
  readonly health: string | undefined;
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
