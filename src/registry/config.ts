import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { AuthError } from '../errors';
import type { Io } from '../io';
import type { Secret } from '../secret';
import { scopeOf } from '../settings/package-name';
import { githubPackages, nerfDart, parseRegistryUrl } from '../settings/registry-url';
import type { Setting, Settings } from '../settings/settings';
import { authKeys, type Credentials, credentialsFor, readCredentials } from './credentials';
import { type NetworkOptions, readNetwork } from './network';
import { isUnexpanded } from './npmrc';
import { lookUp, type NpmrcLevel } from './npmrc-files';

/** Which registry serves what, with which credentials: one value, made once a command. */
export interface RegistryConfig {
  /** Where the backend comes from, and by which rule. */
  readonly registry: Setting<string>;
  /** Where packages come from whose scope names no registry. */
  readonly defaultRegistry: Setting<string>;
  /** `@scope` → address; the backend's own scope among them. One that is no address is as written. */
  readonly scopes: ReadonlyMap<string, string>;
  readonly credentials: ReadonlyMap<string, Credentials>;
  readonly network: NetworkOptions;
  /** Send the token over plain http, too. */
  readonly insecure: boolean;
  /** npm's setting: peers are left to whoever wants them. */
  readonly legacyPeerDeps: boolean;
  /** The lines that setup keeps in .npmrc; no secret is in them. */
  readonly managedLines: readonly string[];
  /** Where the token for the backend's registry comes from; undefined when none is known. */
  readonly tokenFrom: string | undefined;
  readonly tokenEnv: string;
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
 * @throws SettingError for an address or a certificate file that cannot be used
 */
export function planRegistry(
  settings: Settings,
  levels: readonly NpmrcLevel[],
  env: Io['env'],
): RegistryConfig {
  const scope = scopeOf(settings.package.value);
  const token = settings.token;
  const defaultRegistry = registryFrom(levels, 'registry') ?? {
    value: defaults.registry as string,
    from: 'default',
  };
  const ofScope = scope ? registryFrom(levels, `${scope}:registry`) : undefined;
  const registry =
    settings.registry ??
    ofScope ??
    (scope && token
      ? { value: githubPackages, from: `${scope} is scoped and ${token.from} is set` }
      : defaultRegistry);

  const scopes = readScopes(levels);
  if (scope) scopes.set(scope, registry.value);
  const credentials = readCredentials(levels);
  const warnings: string[] = [];

  // The token belongs to a registry that somebody named for the backend. The public default is
  // not that: a GitHub token must not travel there because a package has no scope.
  const dart = nerfDart(registry.value);
  const isNamed = settings.registry !== undefined || ofScope !== undefined || (scope && token);
  const own = credentials.get(dart);
  // What the project's own .npmrc says for that registry is what npm would send, so it stays.
  const project = levels.find(level => level.ownKeys)?.ownKeys ?? {};
  const isOwnLine = own !== undefined && authKeys.some(name => `${dart}:${name}` in project);
  if (token && isNamed && !isOwnLine)
    credentials.set(dart, { token: token.value, from: token.from });
  else if (token && !own)
    warnings.push(
      `${token.from} is not used: ${settings.package.value} comes from the default registry. Set BACKEND_REGISTRY to use it.`,
    );
  if (scope && !token && registry === defaultRegistry)
    warnings.push(
      `${settings.tokenEnv.value} is not set and no .npmrc names a registry for ${scope}, so ${settings.package.value} comes from the default registry`,
    );
  if (`${dart}:certfile` in Object.assign({}, ...levels.map(({ keys }) => keys)))
    warnings.push(`client certificates (certfile for ${dart} in .npmrc) are not supported`);
  for (const { sections = [], from } of levels)
    for (const section of sections)
      warnings.push(`npm reads nothing of the lines below [${section.slice(0, 60)}] in ${from}`);
  const network = readNetwork(levels, env, sentence => warnings.push(sentence));
  const unset = levels.map(level => unsetVariable(level, dart)).find(Boolean);
  const found = credentialsFor(registry.value, {
    ...{ credentials, registry, scopes, defaultRegistry },
    // The request says it; a plan can be shown.
    insecure: true,
  });
  const other = token
    ? undefined
    : ['NPM_TOKEN', 'GITHUB_TOKEN', 'NODE_AUTH_TOKEN'].find(name => env[name]?.trim());
  const tokenHint = other && `, or take that of ${other}: set BACKEND_TOKEN_ENV=${other}`;
  const tokenMissing =
    !found && (registry.value === githubPackages || unset)
      ? missingToken(registry.value, unset ?? settings.tokenEnv.value, tokenHint)
      : undefined;

  return {
    registry,
    defaultRegistry: !scope && settings.registry ? registry : defaultRegistry,
    scopes,
    credentials,
    network,
    insecure: settings.insecure.value,
    legacyPeerDeps: lookUp(levels, 'legacy-peer-deps')?.value === 'true',
    managedLines: managedLines(),
    tokenFrom: found?.from,
    tokenEnv: settings.tokenEnv.value,
    secretEnv: secretVariables(levels, dart).filter(name => name !== settings.tokenEnv.value),
    tokenMissing,
    tokenHint,
    warnings,
  };

  function managedLines(): string[] {
    const project = levels.find(level => level.ownKeys);
    const own = project?.ownKeys ?? {};
    const lines: string[] = [];
    const key = scope ? `${scope}:registry` : 'registry';
    const chosen = settings.registry !== undefined || (scope && registry !== defaultRegistry);
    if (chosen && !sameRegistry(own[key], registry.value)) lines.push(`${key}=${registry.value}`);
    const auth = `${dart}:_authToken`;
    const isOwn = authKeys.some(name => `${dart}:${name}` in own);
    // Without a token at hand the line that an earlier setup wrote stays.
    const wasManaged = project !== undefined && auth in project.keys;
    if (!isOwn && ((token && isNamed) || wasManaged))
      lines.push(`${auth}=\${${settings.tokenEnv.value}}`);
    return lines;
  }
}

function secretVariables(levels: readonly NpmrcLevel[], dart: string): string[] {
  const names = levels.flatMap(({ variables = {} }) =>
    authKeys.flatMap(key => variables[`${dart}:${key}`] ?? []),
  );
  return [...new Set(names)];
}

function missingToken(registry: string, variable: string, hint = ''): AuthError {
  const kind = registry === githubPackages ? ' (a classic token with read:packages)' : '';
  return new AuthError('TOKEN_MISSING', `${registry} needs a token and ${variable} is not set`, {
    fix: `set ${variable} to a token that may read packages${kind}${hint}`,
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
      value: parseRegistryUrl(found.value, `${key} in ${found.from}`),
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
