import {
  AuthError,
  type BootlaceError,
  type FailureDetails,
  InstallError,
  IntegrityError,
  NetworkError,
  NotFoundError,
} from '../errors';
import { parseObject } from '../json';

interface NpmResult {
  stdout: string;
  stderr: string;
  code: unknown;
  log: string;
}

type Family = new (code: string, message: string, details: FailureDetails) => BootlaceError;

/** What npm's codes stand for. */
const failures: [npm: RegExp, family: Family, code: string, sentence: string, fix: string][] = [
  [
    /^E404$/,
    NotFoundError,
    'DEPENDENCY_NOT_FOUND',
    'a dependency does not exist',
    "check the backend's dependencies; for a private one its scope needs a registry line in .npmrc",
  ],
  [
    /^(ETARGET|ENOVERSIONS)$/,
    NotFoundError,
    'DEPENDENCY_VERSION_NOT_FOUND',
    'a dependency has no such version',
    "correct it in the backend's package.json and publish again",
  ],
  [
    /^(E401|E403|ENEEDAUTH)$/,
    AuthError,
    'DEPENDENCY_NO_ACCESS',
    'a registry refuses a dependency',
    'give the token read access to every private dependency of the backend',
  ],
  [
    /^EINTEGRITY$/,
    IntegrityError,
    'INTEGRITY_MISMATCH',
    'a package is not what its checksum says',
    "do not install this; tell the package's publisher or the registry's owner",
  ],
  [
    /^(EUNSUPPORTEDPROTOCOL|EALLOWREMOTE|EALLOWGIT)$/,
    InstallError,
    'DEPENDENCY_PROTOCOL',
    'a dependency cannot come from a registry',
    'publish the backend with versions in place of workspace:, catalog: and file:',
  ],
  [
    /^ERESOLVE$/,
    InstallError,
    'PEER_CONFLICT',
    "the backend's peer dependencies contradict each other",
    "correct them in the backend's package.json and publish again",
  ],
  [
    /^ENOSPC$/,
    InstallError,
    'DISK_FULL',
    'the disk is full',
    'make room and run the same command again',
  ],
  [
    /^(EACCES|EPERM|EROFS)$/,
    InstallError,
    'NOT_WRITABLE',
    'a folder cannot be written',
    'run as the owner of the folder, or choose another with --dir',
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|E50[0234]|E429)$/,
    NetworkError,
    'REGISTRY_UNREACHABLE',
    'a registry is out of reach',
    'check the network and run the same command again',
  ],
];

/** The failure that npm's error stands for. npm 10, 11 and 12 print it as JSON under --json. */
export function npmFailure({ stdout, stderr, code: exit, log }: NpmResult): BootlaceError {
  const json = parseObject(stdout.slice(stdout.indexOf('{')));
  const error = (json?.error ?? {}) as Record<'code' | 'summary' | 'detail', string | null>;
  const what = error.summary?.split('\n')[0] || `npm ended with ${exit}`;
  const detail = error.detail?.split('\n')[0]?.slice(0, 300) || undefined;
  const facts = { npm: error.code ?? undefined, detail, log };
  for (const [npm, Family, code, sentence, fix] of failures)
    if (npm.test(error.code ?? '')) return new Family(code, `${sentence}: ${what}`, { fix, facts });
  const message = `npm could not install${failedPackage(stderr)}: ${what}`;
  return new InstallError('NPM_FAILED', message, { fix: `read ${log}`, facts });
}

/** The package whose install script failed: npm names its folder on stderr only. */
function failedPackage(stderr: string): string {
  const name = /^npm (?:error|ERR!) path .*node_modules[\\/](.+)$/m.exec(stderr)?.[1];
  return name ? ` ${name.replaceAll('\\', '/')}` : '';
}
