import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Io } from '../io';
import type { RegistryConfig } from '../registry/config/config';
import { credentialsFor } from '../registry/config/credentials';
import { secretNames } from '../start/backend-env';

/** npm's configuration for one run: nothing of the user's but registries, credentials, network. */
export interface NpmConfig {
  /** The text of its only .npmrc; credentials are variables in it. */
  npmrc: string;
  env: Record<string, string | undefined>;
}

/**
 * Plans npm's clean configuration. Pure.
 * @param work a folder of ours for npm's home, cache and logs
 * @param withCredentials false for runs that execute packages' scripts
 * @param feed an address on this machine that serves in the place of every registry
 */
export function planNpmConfig(
  config: RegistryConfig,
  { env, execPath }: Pick<Io, 'env' | 'execPath'>,
  work: string,
  {
    withCredentials,
    scripts,
    feed,
  }: { withCredentials: boolean; scripts: readonly string[]; feed?: string },
): NpmConfig {
  const secrets = secretNames(env, config);
  const clean = Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^(npm_|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$)/i.test(name) && !secrets.includes(name),
    ),
  );
  const lines = [`registry=${feed ?? config.defaultRegistry.value}`];
  if (feed === undefined)
    for (const [scope, url] of config.scopes) lines.push(`${scope}:registry=${url}`);
  // npm would send a token over plain http, too.
  if (withCredentials && feed === undefined)
    for (const registry of [config.defaultRegistry.value, ...config.scopes.values()])
      if (URL.canParse(registry)) credentialsFor(registry, config);
  if (withCredentials)
    for (const [dart, { token, basic }] of config.credentials) {
      const variable = `BOOTLACE_CREDENTIAL_${lines.length}`;
      clean[variable] = (token ?? basic)?.reveal();
      lines.push(`${dart}:${token ? '_authToken' : '_auth'}=\${${variable}}`);
    }
  // npm 11 and 12 want it in a file; npm 10 does not know it and runs what rebuild names.
  if (scripts.length) lines.push(`allow-scripts=${scripts.join(',')}`);
  const { network } = config;
  const settings: Record<string, string | undefined> = {
    userconfig: join(work, 'npmrc'),
    globalconfig: join(work, 'no-global-npmrc'),
    cache: join(work, 'cache'),
    cafile: network.ca === undefined ? undefined : join(work, 'ca.pem'),
    strict_ssl: String(network.strictSSL),
    proxy: network.proxy,
    noproxy: [network.noProxy, feed && new URL(feed).hostname].filter(Boolean).join() || undefined,
    // npm waits 10 and 60 s by default, for a wrong checksum too.
    fetch_retry_mintimeout: '1000',
    fetch_retry_maxtimeout: '10000',
    logs_max: '0',
    loglevel: 'http',
    progress: 'false',
    color: 'false',
    audit: 'false',
    fund: 'false',
    update_notifier: 'false',
    omit: ['dev', ...config.omit].join('\n\n'),
    before: config.before?.value.toISOString(),
    min_release_age_exclude: config.beforeExclude.join('\n\n') || undefined,
    legacy_peer_deps: config.legacyPeerDeps ? 'true' : undefined,
    ignore_scripts: String(scripts.length === 0),
    package_lock: 'true',
    // npm 12 takes the tarball of a package that bundles others for one from anywhere, and refuses.
    allow_remote: feed && 'all',
    // An address on npm's own host would become one on the feed, which serves no such tarball.
    replace_registry_host: feed ? 'never' : config.replaceRegistryHost,
    omit_lockfile_registry_resolved: 'false',
  };
  for (const [key, value] of Object.entries(settings))
    if (value !== undefined) clean[`npm_config_${key}`] = value;
  return {
    npmrc: `${lines.join('\n')}\n`,
    env: {
      ...clean,
      HOME: work,
      PATH: [dirname(execPath), clean.PATH].filter(Boolean).join(delimiter),
    },
  };
}

/** Writes the configuration's files; no secret is in them. */
export function writeNpmConfig(npmConfig: NpmConfig, config: RegistryConfig, work: string): void {
  mkdirSync(join(work, 'cache'), { recursive: true });
  writeFileSync(join(work, 'npmrc'), npmConfig.npmrc, { mode: 0o600 });
  if (config.network.ca !== undefined) writeFileSync(join(work, 'ca.pem'), config.network.ca);
}
