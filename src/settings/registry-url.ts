import { SettingError } from '../errors';
import { refused } from './refused';

const example = 'https://npm.pkg.github.com';

/** The registry of GitHub Packages; a token is needed there even for public packages. */
export const githubPackages = `${example}/`;

/**
 * Normalises a registry address: scheme and host in lower case, one slash at the end.
 * @throws SettingError REGISTRY_URL_INVALID, REGISTRY_URL_HAS_CREDENTIALS or REGISTRY_URL_HAS_OWNER
 */
export function parseRegistryUrl(text: string, name: string): string {
  const wanted = text.trim();
  const url = URL.canParse(wanted) ? new URL(wanted) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    const isHost = /^[\w.-]+\.[a-z]{2,}(:\d+)?(\/\S*)?$/i.test(wanted);
    const fix = isHost
      ? `set ${name}=https://${wanted}`
      : `set ${name} to an address such as ${example}`;
    throw refused('REGISTRY_URL_INVALID', name, wanted, 'is no http or https address', fix);
  }
  if (url.username || url.password)
    throw new SettingError('REGISTRY_URL_HAS_CREDENTIALS', `${name} holds credentials`, {
      fix: `take them out of the address and set the token in NPM_TOKEN`,
    });
  if (url.search || url.hash)
    throw new SettingError('REGISTRY_URL_INVALID', `${name} has a query or a fragment`, {
      fix: `set ${name}=${url.origin}${url.pathname}`,
    });
  // npm cannot install through a path that names the owner (npm/cli#2758).
  if (url.href.startsWith(githubPackages) && url.pathname !== '/') {
    const why = 'has a path, which GitHub Packages does not take: the scope names the owner';
    const fix = `set ${name}=${example}`;
    throw refused('REGISTRY_URL_HAS_OWNER', name, wanted, why, fix);
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/`;
  return url.href;
}

/** Where a registry's credentials live in .npmrc: the address without its scheme. */
export function nerfDart(registry: string): string {
  const url = new URL(registry);
  return `//${url.host}${url.pathname}`;
}
