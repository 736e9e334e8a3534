import type { ParseArgsConfig } from 'node:util';

/** One setting's three names. */
export interface Definition {
  env: string;
  flag: string;
  /** A switch takes no value on the command line; `1`, `true` and `yes` switch it on elsewhere. */
  switch?: true;
  help: string;
}

/**
 * Every setting of a host. The key is its name in the `bootlace` object of package.json or in
 * bootlace.json.
 */
export const definitions = {
  package: {
    env: 'BACKEND_PACKAGE',
    flag: 'package',
    help: 'the backend package, e.g. @acme/backend',
  },
  version: {
    env: 'BACKEND_VERSION',
    flag: 'backend-version',
    help: 'exact version, range or dist-tag (latest)',
  },
  registry: { env: 'BACKEND_REGISTRY', flag: 'registry', help: 'the registry of its scope' },
  tokenEnv: {
    env: 'BACKEND_TOKEN_ENV',
    flag: 'token-env',
    help: 'the variable that holds the token (NPM_TOKEN)',
  },
  insecure: {
    env: 'BACKEND_INSECURE_REGISTRY',
    flag: 'insecure-registry',
    switch: true,
    help: 'send the token over plain http, too',
  },
  entry: {
    env: 'BACKEND_ENTRY',
    flag: 'entry',
    help: 'a file, a bin or an export subpath to start',
  },
  args: { env: 'BACKEND_ARGS', flag: 'args', help: 'its arguments when none follow --' },
  memory: { env: 'BACKEND_MEMORY', flag: 'memory', help: 'auto, off or a number of MB (auto)' },
  scripts: {
    env: 'BACKEND_SCRIPTS',
    flag: 'scripts',
    help: 'packages whose install scripts may run (none)',
  },
  installer: {
    env: 'BACKEND_INSTALLER',
    flag: 'installer',
    help: 'bootlace or npm (bootlace)',
  },
  slim: {
    env: 'BACKEND_SLIM',
    flag: 'slim',
    switch: true,
    help: 'leave types, source maps and Markdown out',
  },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof definitions;

/** The settings' flags for util.parseArgs. */
export const settingFlags: NonNullable<ParseArgsConfig['options']> = Object.fromEntries(
  Object.values(definitions as Record<string, Definition>).map(({ flag, switch: isSwitch }) => [
    flag,
    { type: isSwitch ? ('boolean' as const) : ('string' as const) },
  ]),
);
