type Env = Record<string, string | undefined>;

/** The names of the variables that hold credentials. */
export interface SecretVariables {
  readonly tokenEnv: string;
  readonly secretEnv?: readonly string[];
}

/**
 * The variables that hold secrets of the installation and never belong to the backend.
 * @param known what setup knew: the token's variable and others; BACKEND_TOKEN_ENV of now counts too
 */
export function secretNames(env: Readonly<Env>, known: SecretVariables): string[] {
  const named = new Set([
    'NPM_TOKEN',
    'NODE_AUTH_TOKEN',
    'RENDER_API_KEY',
    known.tokenEnv,
    ...(known.secretEnv ?? []),
    env.BACKEND_TOKEN_ENV?.trim(),
  ]);
  return Object.keys(env).filter(
    name => named.has(name) || /^npm_config_.*_(auth|authtoken|password)$/i.test(name),
  );
}

/** Takes them out of an environment, in place. @param known as for secretNames */
export function removeSecrets(env: Env, known: SecretVariables): void {
  for (const name of secretNames(env, known)) delete env[name];
}

/**
 * Prepares an environment for the backend, in place: .env beneath what is set, secrets out.
 * @param dotenv the values of .env
 */
export function prepareBackendEnv(env: Env, dotenv: Readonly<Env>, known: SecretVariables): void {
  for (const [name, value] of Object.entries(dotenv)) env[name] ??= value;
  removeSecrets(env, known);
}
