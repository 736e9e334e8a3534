import {
  AuthError,
  type BootlaceError,
  IntegrityError,
  NetworkError,
  NotFoundError,
  systemCode,
} from '../errors';
import { registryFailure } from './failure';
import type { Checksum } from './integrity';

/** A registry's answer to the request for a tarball that was not one. */
export interface Refusal {
  /** `left@1.0.0`. */
  readonly what: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Its beginning. */
  readonly body: string;
  /** The backend's registry, and where the token came from that was sent. */
  readonly registry: string;
  readonly tokenFrom: string | undefined;
  readonly tokenEnv: string;
}

/** The failure that a refusal stands for, naming the package. */
export function refusal(answer: Refusal): BootlaceError {
  const { what, status, body, headers, tokenFrom, tokenEnv } = answer;
  const { origin } = new URL(answer.url);
  const facts = { package: what, registry: origin, status };
  if (status === 401 || status === 403) {
    const registry = answer.registry.startsWith(`${origin}/`) ? answer.registry : `${origin}/`;
    const failure = registryFailure({
      status,
      body,
      headers,
      package: what,
      registry,
      tokenFrom,
      tokenEnv,
    });
    return new AuthError(failure.code, `${what} cannot be fetched: ${failure.message}`, {
      fix: failure.fix,
      facts: { ...failure.facts, ...facts },
    });
  }
  if (status === 404 || status === 405 || status === 410)
    return new NotFoundError(
      'DEPENDENCY_NOT_FOUND',
      `${origin} does not have the tarball of ${what}`,
      {
        fix: 'check the registry of its scope in .npmrc; if the version was removed, make the lock again',
        facts,
      },
    );
  if (status === 429)
    return new NetworkError('RATE_LIMITED', `${origin} limits the rate of requests, at ${what}`, {
      fix: 'wait a few minutes and run the same command again',
      facts,
    });
  if (status >= 500 || status === 408)
    return new NetworkError('REGISTRY_ERROR', `${origin} answers ${status} for ${what}`, {
      fix: 'run the same command again later; see the status page of the registry',
      facts,
    });
  return new NetworkError('REGISTRY_BAD_ANSWER', `${origin} answers ${status} for ${what}`, {
    fix: 'check the address of the registry in .npmrc',
    facts,
  });
}

interface Wanted {
  readonly what: string;
  readonly url: string;
}

/** The registry could not be reached, or broke off. */
export function outOfReach(wanted: Wanted, error: unknown): NetworkError {
  const { host } = new URL(wanted.url);
  const reason = systemCode(error) ?? (error instanceof Error ? error.message : '');
  return new NetworkError(
    'REGISTRY_UNREACHABLE',
    `${wanted.what} cannot be fetched from ${host} (${reason})`,
    {
      fix: 'check the network, HTTPS_PROXY and the registry, then run the same command again',
      facts: { package: wanted.what, host, reason },
      cause: error,
    },
  );
}

/** The body ended before its announced length. */
export function cutOff(what: string, size: number, length: number): NetworkError {
  return new NetworkError(
    'TARBALL_CUT_OFF',
    `the tarball of ${what} ends after ${size} of ${length} bytes`,
    {
      fix: 'run the same command again; a proxy or the registry breaks the transfer off',
      facts: { package: what },
    },
  );
}

/** A login page, or a proxy's own words, with 200 in place of the bytes. */
export function webPage(wanted: Wanted): NetworkError {
  const { host } = new URL(wanted.url);
  return new NetworkError(
    'REGISTRY_BAD_ANSWER',
    `${host} answers with a web page in place of the tarball of ${wanted.what}`,
    {
      fix: 'see what stands between: a login page of the network, or a proxy; then run the same command again',
      facts: { package: wanted.what, host },
    },
  );
}

/** The bytes are others than those that were locked. */
export function mismatch(wanted: Wanted & { checksum: Checksum }, found: string): IntegrityError {
  const { algorithm, digests } = wanted.checksum;
  return new IntegrityError(
    'INTEGRITY_MISMATCH',
    `the tarball of ${wanted.what} is not the one that the lock names`,
    {
      fix: "do not install this; tell the package's publisher or the registry's owner",
      facts: {
        package: wanted.what,
        expected: digests.map(digest => `${algorithm}-${digest}`).join(' '),
        found,
        registry: new URL(wanted.url).origin,
      },
    },
  );
}
