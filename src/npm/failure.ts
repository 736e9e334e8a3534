import {
  AuthError,
  type BootlaceError,
  InstallError,
  IntegrityError,
  NetworkError,
  NotFoundError,
} from '../errors';

export interface NpmResult {
  stdout: string;
  stderr: string;
  code: number | null;
  log: string;
}

/** The failure that npm's error stands for. npm 10, 11 and 12 print it as JSON under --json. */
export function npmFailure({ stdout, stderr, code: exit, log }: NpmResult): BootlaceError {
  const { code, summary, detail } = readError(stdout, stderr);
  const what = summary.split('\n')[0] || `npm ended with ${exit}`;
  const facts = { npm: code, detail: detail.split('\n')[0]?.slice(0, 300) || undefined, log };
  switch (code) {
    case 'E404':
      return new NotFoundError('DEPENDENCY_NOT_FOUND', `a dependency does not exist: ${what}`, {
        fix: "check the backend's dependencies; for a private one its scope needs a registry line in .npmrc",
        facts,
      });
    case 'ETARGET':
    case 'ENOVERSIONS':
      return new NotFoundError(
        'DEPENDENCY_VERSION_NOT_FOUND',
        `a dependency has no such version: ${what}`,
        {
          fix: "correct it in the backend's package.json and publish again",
          facts,
        },
      );
    case 'E401':
    case 'E403':
    case 'ENEEDAUTH':
      return new AuthError('DEPENDENCY_NO_ACCESS', `a registry refuses a dependency: ${what}`, {
        fix: 'give the token read access to every private dependency of the backend',
        facts,
      });
    case 'EINTEGRITY':
      return new IntegrityError(
        'INTEGRITY_MISMATCH',
        `a package is not what its checksum says: ${what}`,
        {
          fix: "do not install this; tell the package's publisher or the registry's owner",
          facts,
        },
      );
    case 'EUNSUPPORTEDPROTOCOL':
    case 'EALLOWREMOTE':
    case 'EALLOWGIT':
      return new InstallError(
        'DEPENDENCY_PROTOCOL',
        `a dependency cannot come from a registry: ${what}`,
        {
          fix: 'publish the backend with versions in place of workspace:, catalog: and file:',
          facts,
        },
      );
    case 'ERESOLVE':
      return new InstallError(
        'PEER_CONFLICT',
        `the backend's peer dependencies contradict each other: ${what}`,
        {
          fix: "correct them in the backend's package.json and publish again",
          facts,
        },
      );
    case 'ENOSPC':
      return new InstallError('DISK_FULL', 'the disk is full', {
        fix: 'make room and run the same command again',
        facts,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new InstallError('NOT_WRITABLE', `a folder cannot be written: ${what}`, {
        fix: 'run as the owner of the folder, or choose another with --dir',
        facts,
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'ETIMEDOUT':
    case 'ERR_SOCKET_TIMEOUT':
    case 'E500':
    case 'E502':
    case 'E503':
    case 'E504':
    case 'E429':
      return new NetworkError('REGISTRY_UNREACHABLE', `a registry is out of reach: ${what}`, {
        fix: 'check the network and run the same command again',
        facts,
      });
    default:
      return new InstallError(
        'NPM_FAILED',
        `npm could not install${failedPackage(stderr)}: ${what}`,
        {
          fix: `read ${log}`,
          facts,
        },
      );
  }
}

/** The package whose install script failed: npm names its folder on stderr only. */
function failedPackage(stderr: string): string {
  const name = /^npm (?:error|ERR!) path .*node_modules[\\/](.+)$/m.exec(stderr)?.[1];
  return name ? ` ${name.replaceAll('\\', '/')}` : '';
}

function readError(
  stdout: string,
  stderr: string,
): { code?: string; summary: string; detail: string } {
  try {
    const { error } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      error?: { code?: string; summary?: string; detail?: string };
    };
    if (error)
      return {
        code: error.code ?? undefined,
        summary: error.summary ?? '',
        detail: error.detail ?? '',
      };
  } catch {}
  const lines = stderr
    .split('\n')
    .flatMap(line => /^npm (?:error|ERR!) (.*)/.exec(line)?.[1] ?? []);
  const code = lines.map(line => /^code (\S+)/.exec(line)?.[1]).find(Boolean);
  return { code, summary: lines.find(line => !line.startsWith('code ')) ?? '', detail: '' };
}
