import { readFileSync } from 'node:fs';
import { SettingError, systemCode } from '../../errors';
import type { Io } from '../../io';
import type { Setting } from '../../settings/settings';
import { isUnexpanded } from './npmrc';
import { lookUp, type NpmrcLevel } from './npmrc-files';

/** How registries are reached. */
export interface NetworkOptions {
  /** Certificates to trust, in PEM. */
  readonly ca?: string;
  readonly strictSSL: boolean;
  /** What .npmrc or npm_config_* name; npm uses either for every address. */
  readonly proxy?: string;
  /** The proxy for http addresses, and that for https addresses. */
  readonly httpProxy?: Setting<string>;
  readonly httpsProxy?: Setting<string>;
  /** Hosts that are reached without a proxy, as in NO_PROXY. */
  readonly noProxy?: string;
}

const networkKeys = ['ca', 'cafile', 'proxy', 'https-proxy', 'noproxy'];

/**
 * Reads proxies and certificates from .npmrc and the environment, as npm's agent does: .npmrc wins,
 * HTTPS_PROXY counts for every address and HTTP_PROXY for http addresses only.
 * @param warn told what npm passes over: a variable that is not set, a cafile that is not there
 * @throws SettingError CAFILE_UNREADABLE
 */
export function readNetwork(
  levels: readonly NpmrcLevel[],
  env: Io['env'],
  warn: (sentence: string) => void,
): NetworkOptions {
  const value = (key: string) => {
    const found = lookUp(levels, key);
    return found && found.value !== 'false' && !isUnexpanded(found.value) ? found : undefined;
  };
  for (const key of networkKeys) {
    const found = lookUp(levels, key);
    if (found && isUnexpanded(found.value))
      warn(`${key} in ${found.from} names a variable that is not set, and does not count`);
  }
  const variable = (name: string): Setting<string> | undefined => {
    const [from, text] = Object.entries(env).findLast(([key]) => key.toLowerCase() === name) ?? [];
    return from && text ? { value: text, from } : undefined;
  };
  const named = (key: string): Setting<string> | undefined => {
    const found = value(key);
    return found && { value: found.value, from: `${key} in ${found.place}` };
  };
  const proxy = named('https-proxy') ?? named('proxy');
  const httpsProxy = proxy ?? variable('https_proxy');
  const cafile = value('cafile');
  return {
    ca: value('ca')?.value ?? (cafile && readCertificates(cafile, env.HOME, warn)),
    strictSSL: lookUp(levels, 'strict-ssl')?.value !== 'false',
    proxy: proxy?.value,
    httpsProxy,
    httpProxy: httpsProxy ?? variable('http_proxy') ?? variable('proxy'),
    noProxy: value('noproxy')?.value ?? variable('no_proxy')?.value,
  };
}

function readCertificates(
  { value, place }: { value: string; place: string },
  home: string | undefined,
  warn: (sentence: string) => void,
): string | undefined {
  const file = value.replace(/^~(?=\/)/, home ?? '~');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      warn(`cafile in ${place} names ${file}, which is not there, and does not count`);
      return undefined;
    }
    throw new SettingError(
      'CAFILE_UNREADABLE',
      `cafile in ${place} names ${file}, which cannot be read (${systemCode(error)})`,
      { fix: 'correct cafile, or remove it', cause: error },
    );
  }
}
