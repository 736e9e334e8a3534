import { pathToFileURL } from 'node:url';

type Env = Record<string, string | undefined>;

/** The names of the variables that hold credentials. */
interface SecretVariables {
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

/**
 * Variables that Node, ICU, OpenSSL, libc or the loader read when a process begins, so that a new
 * value needs a new process: https://nodejs.org/api/cli.html#environment-variables
 */
const readAtStart =
  /^(NODE_(COMPILE_CACHE|DEBUG|DISABLE|EXTRA_CA|ICU_DATA|NO_WARNINGS|OPTIONS|PATH|PENDING|PRESERVE|REDIRECT|USE_|V8_)|MALLOC_|LD_|GLIBC_|LC_|LANG$|OPENSSL_CONF$|SSL_CERT_)/;
const proxy = /^(https?|no)_proxy$/i;

/** True for a variable that is read when a process begins. Node reads proxies only where it uses them. */
export function isReadAtStart(name: string, env: Readonly<Env>): boolean {
  return readAtStart.test(name) || (proxy.test(name) && env.NODE_USE_ENV_PROXY !== undefined);
}

/** The release that `up` has set up: its start refuses another one. */
export const expectedRelease = 'BOOTLACE_EXPECTED_RELEASE';

/** Stand for the release's folder in the flags of a start plan, since a release may be copied. */
export const releaseFolder = 'BOOTLACE_RELEASE';
export const releaseUrl = 'BOOTLACE_RELEASE_URL';

/**
 * @param folder the release's, absolute
 * @param target the variable that holds the text; in NODE_OPTIONS a backslash or quote is escaped
 */
export function releaseVariables(folder: string, target?: string): Record<string, string> {
  const text = target === 'NODE_OPTIONS' ? folder.replace(/["\\]/g, '\\$&') : folder;
  return { [releaseFolder]: text, [releaseUrl]: pathToFileURL(folder).href };
}
