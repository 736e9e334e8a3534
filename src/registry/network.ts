import { readFileSync } from 'node:fs';
import { SettingError, systemCode } from '../errors';
import type { Io } from '../io';
import { isUnexpanded } from './npmrc';
import { lookUp, type NpmrcLevel } from './npmrc-files';

export interface NetworkOptions {
  readonly ca?: string;
  readonly strictSSL: boolean;
  readonly proxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
}

const networkKeys = ['ca', 'cafile', 'proxy', 'https-proxy', 'noproxy'];

/** What is passed over, as npm does it, because it names a variable that is not set. */
export function sayUnsetNetwork(levels: readonly NpmrcLevel[]): string[] {
  return networkKeys.flatMap(key => {
    const found = lookUp(levels, key);
    return found && isUnexpanded(found.value)
      ? [`${key} in ${found.from} names a variable that is not set, and does not count`]
      : [];
  });
}

/**
 * How registries are reached, as .npmrc and the environment say it.
 * @throws SettingError PROXY_INVALID or CAFILE_UNREADABLE
 */
export function readNetwork(levels: readonly NpmrcLevel[], env: Io['env']): NetworkOptions {
  const value = (key: string) => {
    const found = lookUp(levels, key)?.value;
    return found === undefined || isUnexpanded(found) ? undefined : found;
  };
  const cafile = value('cafile');
  const proxy = proxyAddress(value('proxy') ?? env.HTTP_PROXY ?? env.http_proxy);
  const httpsProxy = proxyAddress(value('https-proxy') ?? env.HTTPS_PROXY ?? env.https_proxy);

  return {
    ca:
      value('ca') ??
      (cafile === undefined
        ? undefined
        : readCertificates(cafile.replace(/^~(?=\/)/, env.HOME ?? '~'))),
    strictSSL: value('strict-ssl') !== 'false',
    proxy,
    httpsProxy,
    noProxy: value('noproxy') ?? env.NO_PROXY ?? env.no_proxy,
  };
}

/** The address may hold a password, so an error never repeats it. */
function proxyAddress(address: string | undefined): string | undefined {
  if (!address || address === 'false') return undefined;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new SettingError('PROXY_INVALID', 'the proxy has no http or https address', {
    fix: 'set HTTPS_PROXY, or https-proxy in .npmrc, to an address such as http://proxy.acme.test:3128',
  });
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingError(
      'CAFILE_UNREADABLE',
      `cafile in .npmrc names ${file}, which cannot be read (${systemCode(error)})`,
      {
        fix: 'correct cafile, or remove it',
        cause: error,
      },
    );
  }
}
