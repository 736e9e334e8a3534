import { SettingError } from '../../errors';
import { Secret } from '../../secret';

/** Where the API is and the key for it. */
export interface Access {
  readonly host: string;
  readonly key: Secret;
}

const defaultHost = 'https://api.render.com/v1';

/**
 * Reads RENDER_API_KEY and RENDER_HOST.
 * @param values the environment over .env
 * @throws SettingError RENDER_KEY_MISSING, RENDER_KEY_MALFORMED, RENDER_HOST_INVALID
 */
export function readAccess(values: Readonly<Record<string, string | undefined>>): Access {
  const key = values.RENDER_API_KEY?.trim();
  if (!key)
    throw new SettingError('RENDER_KEY_MISSING', 'RENDER_API_KEY is not set', {
      fix: 'create a key in the Render dashboard (Account Settings, API Keys) and set RENDER_API_KEY to it',
    });
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
  const fix = `set RENDER_HOST to an address such as ${defaultHost}, or unset it`;
  if (!URL.canParse(text))
    throw new SettingError('RENDER_HOST_INVALID', 'RENDER_HOST is no address', { fix });
  const url = new URL(text);
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.username || url.password || url.search || url.hash)
    throw new SettingError('RENDER_HOST_INVALID', 'RENDER_HOST holds more than an address', {
      fix,
    });
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))
    throw new SettingError(
      'RENDER_HOST_INVALID',
      'RENDER_HOST is not an https address, and the key must not travel in the clear',
      { fix },
    );
  const path = url.pathname.replace(/\/+$/, '') || '/v1';
  return `${url.origin}${path}`;
}
