import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { AuthError } from '../../errors';
import type { Io } from '../../io';
import type { Secret } from '../../secret';
import { scopeOf } from '../../settings/package-name';
import { githubPackages, nerfDart, parseRegistryUrl } from '../../settings/registry-url';
import type { Setting, Settings } from '../../settings/settings';
import { nameHere } from '../../settings/where-set';
import {
  authKeys,
  type CredentialConfig,
  type Credentials,
  credentialsFor,
  readCredentials,
} from './credentials';
import { type NetworkOptions, readNetwork } from './network';
import { type NpmKeys, readNpmKeys } from './npm-keys';
import { isUnexpanded } from './npmrc';
import { lookUp, type NpmrcLevel } from './npmrc-files';

/** Which registry serves what, with which credentials: one value, made once a command. */
export interface RegistryConfig extends CredentialConfig, NpmKeys {
  readonly network: NetworkOptions;
  /** The lines that setup keeps in .npmrc; no secret is in them. */
  readonly managedLines: readonly string[];
  /** Where the token for the backend's registry comes from; undefined when none is known. */
  readonly tokenFrom: string | undefined;
  readonly tokenEnv: string;
  /** The same for a fix, with the place where it is set on this host. */
  readonly tokenHere: string;
  /** Other variables that hold credentials of the backend's registry: its lines in .npmrc name them. */
  readonly secretEnv: readonly string[];
  /** Set when the backend's registry needs a token and none is known: throw it before a request. */
  readonly tokenMissing: AuthError | undefined;
  /** Another variable that is set and may hold the token that is missing, as a fix's end. */
  readonly tokenHint?: string;
  readonly warnings: readonly string[];
}

/**
 * Chooses registries and credentials by the rule of the README's settings table. Pure save for
 * the certificate file that .npmrc may name.
 * @param now in milliseconds since the epoch, for min-release-age
 * @throws SettingError for an address or a certificate file that cannot be used
 */
export function planRegistry(
  settings: Settings,
  levels: readonly NpmrcLevel[],
  env: Io['env'],
  now: number,
): RegistryConfig {
  const scope = scopeOf(settings.package.value);
  const { token } = settings;
  const warnings: string[] = [];
  const warn = (sentence: string) => warnings.push(sentence);
  const credentials = readCredentials(levels);
  const { registry, isNamed, defaultRegistry } = chooseRegistry(settings, levels, credentials);
  const scopes = readScopes(levels);
  if (scope) scopes.set(scope, registry.value);

  const dart = nerfDart(registry.value);
  const own = credentials.get(dart);
  // What the project's own .npmrc says for that registry is what npm would send, so it stays.
  const project = levels.find(level => level.ownKeys);
  const ownKeys = project?.ownKeys ?? {};
  const isOwnLine = own !== undefined && authKeys.some(name => `${dart}:${name}` in ownKeys);
  const takesToken = token !== undefined && isNamed;
  if (takesToken && !isOwnLine) credentials.set(dart, { token: token.value, from: token.from });
  const found = credentialsFor(registry.value, {
    ...{ credentials, registry, scopes, defaultRegistry },
    // The request refuses plain http; a plan can be shown.
    insecure: true,
  });
  if (token && !found)
    warn(
      `${token.from} is not used: ${settings.package.value} comes from ${registry.value} (${registry.from}). Set BACKEND_REGISTRY to use it.`,
    );
  if (scope && !token && registry === defaultRegistry)
    warn(
      `no ${settings.tokenEnv.value}, and no registry for ${scope}: asking the default registry`,
    );
  for (const { keys, from, sections = [], problem } of levels) {
    if (problem) warn(problem);
    for (const key of [`${dart}:certfile`, 'cert'])
      if (key in keys) warn(`client certificates (${key} in ${from}) are not supported`);
    for (const section of sections)
      warn(`npm reads nothing of the lines below [${section.slice(0, 60)}] in ${from}`);
  }
  const unset = levels.map(level => unsetVariable(level, dart)).find(Boolean);
  const other = token
    ? undefined
    : ['NPM_TOKEN', 'GITHUB_TOKEN', 'NODE_AUTH_TOKEN'].find(name => env[name]?.trim());
  const tokenHint = other && `, or take that of ${other}: set BACKEND_TOKEN_ENV=${other}`;
  const tokenMissing =
    !found && (registry.value === githubPackages || unset)
      ? missingToken(registry.value, unset ?? settings.tokenEnv.value, env, tokenHint)
      : undefined;

  return {
    registry,
    defaultRegistry: !scope && settings.registry ? registry : defaultRegistry,
    scopes,
    credentials,
    network: readNetwork(levels, env, warn),
    insecure: settings.insecure.value,
    ...readNpmKeys(levels, now, warn),
    managedLines: managedLines(),
    tokenFrom: found?.from,
    tokenEnv: settings.tokenEnv.value,
    tokenHere: nameHere(settings.tokenEnv.value, env),
    secretEnv: secretVariables(levels, registry.value).filter(
      name => name !== settings.tokenEnv.value,
    ),
    tokenMissing,
    tokenHint,
    warnings,
  };

  function managedLines(): string[] {
    const lines: string[] = [];
    const key = scope ? `${scope}:registry` : 'registry';
    const chosen = settings.registry !== undefined || (scope && registry !== defaultRegistry);
    if (chosen && !sameRegistry(ownKeys[key], registry.value))
      lines.push(`${key}=${registry.value}`);
    const auth = `${dart}:_authToken`;
    const isOwn = authKeys.some(name => `${dart}:${name}` in ownKeys);
    // Without a token at hand the line that an earlier setup wrote stays.
    const wasManaged = project !== undefined && auth in project.keys;
    if (!isOwn && (takesToken || wasManaged)) lines.push(`${auth}=\${${settings.tokenEnv.value}}`);
    return lines;
  }
}

/** Where the backend comes from. */
interface RegistryChoice {
  registry: Setting<string>;
  /**
   * True when somebody named it for the backend, so that the token is meant for it. The public
   * default is not that: a GitHub token must not travel there because a package has no scope.
   */
  isNamed: boolean;
  defaultRegistry: Setting<string>;
}

/**
 * The first that applies: BACKEND_REGISTRY; the scope's line in .npmrc; another default registry
 * than npm's own; GitHub Packages for a scoped package with a token, unless a line of .npmrc gives
 * this token to another host; npm's own registry.
 */
function chooseRegistry(
  { package: { value: name }, registry, token }: Settings,
  levels: readonly NpmrcLevel[],
  credentials: ReadonlyMap<string, Credentials>,
): RegistryChoice {
  const scope = scopeOf(name);
  const npms = { value: defaults.registry, from: 'default' };
  const defaultRegistry = registryFrom(levels, 'registry') ?? npms;
  const named = registry ?? (scope ? registryFrom(levels, `${scope}:registry`) : undefined);
  if (named) return { registry: named, isNamed: true, defaultRegistry };
  if (!scope || !token || defaultRegistry.value !== npms.value)
    return { registry: defaultRegistry, isNamed: false, defaultRegistry };
  const secret = token.value.reveal();
  const [elsewhere] =
    [...credentials].find(
      ([dart, line]) => dart !== nerfDart(githubPackages) && line.token?.reveal() === secret,
    ) ?? [];
  if (elsewhere === undefined)
    return {
      registry: { value: githubPackages, from: `${scope} is scoped and ${token.from} is set` },
      isNamed: true,
      defaultRegistry,
    };
  const ofDefault = {
    value: defaultRegistry.value,
    from: `${defaultRegistry.from}, since .npmrc gives ${token.from} to ${elsewhere}`,
  };
  return { registry: ofDefault, isNamed: false, defaultRegistry: ofDefault };
}

/** A line may name the registry's host alone, or a folder of it, with or without a slash at its end. */
function secretVariables(levels: readonly NpmrcLevel[], registry: string): string[] {
  const { host } = new URL(registry);
  const names = levels.flatMap(({ variables = {} }) =>
    Object.entries(variables).flatMap(([key, all]) => {
      const [, own, name = ''] = /^\/\/([^/]+?)(?:\/.*)?:(\w+)$/.exec(key) ?? [];
      return own === host && authKeys.includes(name) ? all : [];
    }),
  );
  return [...new Set(names)];
}

function missingToken(registry: string, variable: string, env: Io['env'], hint = ''): AuthError {
  const kind = registry === githubPackages ? ' (a classic token with read:packages)' : '';
  return new AuthError('TOKEN_MISSING', `${registry} needs a token and ${variable} is not set`, {
    fix: `set ${nameHere(variable, env)} to a token that may read packages${kind}${hint}`,
    facts: { registry, variable },
  });
}

/** Every secret that a command with these settings holds. */
export function secretsOf(settings: Settings, config: RegistryConfig): Secret[] {
  const known = [...config.credentials.values()].flatMap(({ token, basic }) => [token, basic]);
  return [settings.token?.value, ...known].filter(secret => secret !== undefined);
}

/**
 * The registry that serves a package.
 * @throws SettingError REGISTRY_URL_INVALID for a scope whose registry is no address
 */
export function registryOf(packageName: string, config: RegistryConfig): string {
  const scope = scopeOf(packageName);
  const own = scope && config.scopes.get(scope);
  if (!own) return config.defaultRegistry.value;
  return URL.canParse(own) ? own : parseRegistryUrl(own, `${scope}:registry in .npmrc`);
}

function registryFrom(levels: readonly NpmrcLevel[], key: string): Setting<string> | undefined {
  const found = lookUp(levels, key);
  return (
    found && {
      value: parseRegistryUrl(found.value, `${key} in ${found.place}`),
      from: `${key} in ${found.from}`,
    }
  );
}

function sameRegistry(text: string | undefined, registry: string): boolean {
  const isAddress = text !== undefined && URL.canParse(text.trim());
  return isAddress && parseRegistryUrl(text, 'registry in .npmrc') === registry;
}

function readScopes(levels: readonly NpmrcLevel[]): Map<string, string> {
  const scopes = new Map<string, string>();
  for (const { keys, from } of levels)
    for (const [key, value] of Object.entries(keys)) {
      const scope = /^(@[^/:]+):registry$/.exec(key)?.[1];
      // npm asks the default registry for a scope whose own is blank.
      if (!scope || scopes.has(scope) || value.trim() === '') continue;
      // Another scope may never be asked for: what is no address is said when it is.
      const isAddress = URL.canParse(value.trim()) && !isUnexpanded(value);
      scopes.set(scope, isAddress ? parseRegistryUrl(value, `${key} in ${from}`) : value);
    }
  return scopes;
}

/** The variable that this registry's line in .npmrc names, when it is unset. */
function unsetVariable({ keys }: NpmrcLevel, dart: string): string | undefined {
  const value = keys[`${dart}:_authToken`];
  return value === undefined ? undefined : /\$\{([^}?]+)\??\}/.exec(value)?.[1];
}
