import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  installLocked,
  type LockedInstall,
  type LockedInstalled,
} from '../../src/install/install-locked';
import { openUnpacker } from '../../src/install/unpacker';
import { type Lockfile, validateLock } from '../../src/lock/validate';
import type { RegistryConfig } from '../../src/registry/config/config';
import type { Credentials } from '../../src/registry/config/credentials';
import { createTransport } from '../../src/registry/transport';
import { Secret } from '../../src/secret';
import { root } from './run';

/** A configuration for one registry, with a token for it if one is given. */
export function configFor(registry: string, token?: string): RegistryConfig {
  const value = { value: registry, from: 'the test' };
  const { host, pathname } = new URL(registry);
  const credentials = new Map<string, Credentials>();
  if (token)
    credentials.set(`//${host}${pathname}`, { token: new Secret(token), from: 'NPM_TOKEN' });
  return {
    registry: value,
    defaultRegistry: value,
    scopes: new Map([['@acme', registry]]),
    credentials,
    network: { strictSSL: true },
    insecure: false,
    legacyPeerDeps: false,
    before: undefined,
    beforeExclude: [],
    omit: [],
    replaceRegistryHost: 'npmjs',
    managedLines: [],
    tokenFrom: token && 'NPM_TOKEN',
    tokenEnv: 'NPM_TOKEN',
    tokenHere: 'NPM_TOKEN',
    secretEnv: [],
    tokenMissing: undefined,
    warnings: [],
  };
}

/** A clock that a sleep moves on at once. */
export function fakeClock() {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
}

/** A lock's text, read and checked. */
export function parseLockfile(
  text: string,
  where: string,
  local?: Parameters<typeof validateLock>[2],
): Lockfile {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {}
  return validateLock(value, where, local);
}

/** Installs into folder/release with a host that fits nothing special. */
export async function installIn(
  folder: string,
  options: Pick<LockedInstall, 'lock' | 'config'> & Partial<LockedInstall>,
): Promise<LockedInstalled> {
  const release = join(folder, 'release');
  const work = join(folder, 'work');
  for (const each of [release, work]) mkdirSync(each, { recursive: true });
  const unpacker = options.unpacker ?? openUnpacker(join(root, 'dist', 'unpack-worker.js'));
  const transport = createTransport(options.config.network);
  return installLocked({
    transport,
    release,
    work,
    host: { platform: 'linux', arch: 'x64', libc: 'glibc', node: process.versions.node },
    io: fakeClock(),
    warn() {},
    ...options,
    unpacker,
  }).finally(() => {
    transport.close();
    return unpacker.close();
  });
}
