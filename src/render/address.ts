import { UsageError } from '../errors';
import { hasUrl, type Service } from './model';

/**
 * The address that proves a service: its own, or the user's, with the health path.
 * @param wish `--url` and `--health`
 */
export function urlOf(
  service: Service,
  wish: { url: string | undefined; health: string | undefined },
): string | undefined {
  const base = wish.url ?? (hasUrl(service) ? service.url : undefined);
  if (base === undefined) return undefined;
  const path = wish.health ?? (wish.url === undefined ? service.healthPath : undefined);
  return path ? joinPath(base, path) : base;
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
