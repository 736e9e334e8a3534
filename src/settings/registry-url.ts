import { SettingError } from '../errors';

/** The registry of GitHub Packages; a token is needed there even for public packages. */
export const githubPackages = 'https://npm.pkg.github.com/';

/**
 * Normalises a registry address: scheme and host in lower case, one slash at the end.
 * @throws SettingError REGISTRY_URL_INVALID, REGISTRY_URL_HAS_CREDENTIALS or REGISTRY_URL_HAS_OWNER
 */
export function parseRegistryUrl(text: string, name: string): string {
  const wanted = text.trim();
  const shown = shorten(wanted.replace(/\/\/[^/@]*@/, '//***@'));
  let url: URL;
  try {
    url = new URL(wanted);
  } catch {
    throw new SettingError(
      'REGISTRY_URL_INVALID',
      `${name}=${JSON.stringify(shown)} is not a URL`,
      {
        fix: /^[\w.-]+\.[a-z]{2,}(:\d+)?(\/\S*)?$/i.test(wanted)
          ? `set ${name}=https://${shown}`
          : `set ${name} to an address such as https://npm.pkg.github.com`,
      },
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new SettingError(
      'REGISTRY_URL_INVALID',
      `${name}=${JSON.stringify(shown)} is not an http or https address`,
      { fix: `set ${name} to an address such as https://npm.pkg.github.com` },
    );
  if (url.username || url.password)
    throw new SettingError('REGISTRY_URL_HAS_CREDENTIALS', `${name} holds credentials`, {
      fix: `take them out of the address and set the token in NPM_TOKEN`,
    });
  if (url.search || url.hash)
    throw new SettingError('REGISTRY_URL_INVALID', `${name} has a query or a fragment`, {
      fix: `set ${name}=${url.origin}${url.pathname}`,
    });
  // npm cannot install through a path that names the owner (npm/cli#2758).
  if (url.href.startsWith(githubPackages) && url.pathname !== '/')
    throw new SettingError(
      'REGISTRY_URL_HAS_OWNER',
      `${name}=${JSON.stringify(shown)}: GitHub Packages takes no path, the scope names the owner`,
      { fix: `set ${name}=https://npm.pkg.github.com` },
    );
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/`;
  return url.href;
}

/** Where a registry's credentials live in .npmrc: the address without its scheme. */
export function nerfDart(registry: string): string {
  const url = new URL(registry);
  return `//${url.host}${url.pathname}`;
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
