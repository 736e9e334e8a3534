import { type ExecFileException, execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Io } from '../io';
import type { RegistryConfig } from '../registry/config/config';
import { credentialsFor } from '../registry/config/credentials';
import { secretNames } from '../start/backend-env';
import { npmFailure } from './failure';
import { findNpm } from './find';

export interface NpmRun {
  io: Pick<Io, 'env' | 'execPath'>;
  config: RegistryConfig;
  /** Where npm runs, and a folder of ours beside it. */
  cwd: string;
  work: string;
  /** Packages whose scripts this run may execute. */
  scripts?: readonly string[];
  /** Only where npm asks registries itself, and never together with scripts. */
  withCredentials?: boolean;
  /** npm's output goes here, secrets taken out. */
  log: string;
  redact: (text: string) => string;
  signal?: AbortSignal;
  /** An address on this machine that serves in the place of every registry. */
  feed?: string;
}

/**
 * Runs npm as a child with its own clean configuration.
 * @returns its standard output
 * @throws the failure that npm's error stands for, naming the log
 */
export async function runNpm(args: readonly string[], run: NpmRun): Promise<string> {
  const npm = findNpm(run.io);
  const scripts = run.scripts ?? [];
  const withCredentials = run.withCredentials === true && scripts.length === 0;
  const env = writeNpmConfig(run, scripts, withCredentials) as NodeJS.ProcessEnv;
  addToLog(run.log, `$ npm ${args.join(' ')}\n`);
  // What an aborted npm was doing is thrown away with the stage, so there is nothing to end gently.
  const { cwd, signal } = run;
  const options = { cwd, env, signal, killSignal: 'SIGKILL', maxBuffer: Infinity } as const;
  const { error, stdout, stderr } = await new Promise<{
    error: ExecFileException | null;
    stdout: string;
    stderr: string;
  }>(resolve => {
    const child = execFile(run.io.execPath, [npm, ...args], options, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
    child.stdin?.end();
  });
  signal?.throwIfAborted();
  const code = error ? (error.code ?? error.signal) : 0;
  addToLog(run.log, run.redact(`${stderr}${stdout}\nnpm ended with ${code}\n`));
  if (!error) return stdout;
  throw npmFailure({ stdout: run.redact(stdout), stderr: run.redact(stderr), code, log: run.log });
}

/** Another setup that ends removes the folder while it is empty. */
function addToLog(log: string, text: string): void {
  mkdirSync(dirname(log), { recursive: true });
  appendFileSync(log, text);
}

/**
 * Writes npm's configuration for one run: nothing of the user's but registries, credentials, network.
 * No secret is in the files.
 * @returns npm's environment, which holds the credentials
 */
function writeNpmConfig(
  { config, io: { env, execPath }, work, feed }: NpmRun,
  scripts: readonly string[],
  withCredentials: boolean,
): Record<string, string | undefined> {
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
  mkdirSync(join(work, 'cache'), { recursive: true });
  writeFileSync(join(work, 'npmrc'), `${lines.join('\n')}\n`, { mode: 0o600 });
  if (network.ca !== undefined) writeFileSync(join(work, 'ca.pem'), network.ca);
  return {
    ...clean,
    HOME: work,
    PATH: [dirname(execPath), clean.PATH].filter(Boolean).join(delimiter),
  };
}
