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

/** A registry with https whose packument names a tarball on the same host with http. */
function isOverHttp({ url, registry }: Refusal): boolean {
  const [tarball, own] = [new URL(url), new URL(registry)];
  return (
    tarball.protocol === 'http:' && own.protocol === 'https:' && tarball.hostname === own.hostname
  );
}

/** Without a query, which may be a signature. */
function plainAddress(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

/** The failure that a refusal stands for, naming the package. */
export function refusal(answer: Refusal): BootlaceError {
  const { what, status, body, headers, tokenFrom, tokenEnv } = answer;
  const { origin } = new URL(answer.url);
  const facts = { package: what, registry: origin, status };
  if ((status === 401 || status === 403) && !tokenFrom && isOverHttp(answer))
    return new AuthError(
      'TARBALL_OVER_HTTP',
      `${answer.registry} names ${plainAddress(answer.url)} for ${what}; the token is not sent over http`,
      {
        fix: 'have the registry name https addresses: its public address is set wrong (for Verdaccio set VERDACCIO_PUBLIC_URL, for a proxy in front pass X-Forwarded-Proto)',
        facts: { ...facts, tarball: plainAddress(answer.url) },
      },
    );
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

/** The registry could not be reached, or broke off. */
export function outOfReach(what: string, url: string, error: unknown): NetworkError {
  const { host } = new URL(url);
  const reason = systemCode(error) ?? (error instanceof Error ? error.message : '');
  return new NetworkError(
    'REGISTRY_UNREACHABLE',
    `${what} cannot be fetched from ${host} (${reason})`,
    {
      fix: 'check the network, HTTPS_PROXY and the registry, then run the same command again',
      facts: { package: what, host, reason },
      cause: error,
    },
  );
}

/** A login page, a proxy's own words or nothing at all, with 200 in place of the bytes. */
export function noTarball(what: string, url: string, kind: string): NetworkError {
  const { host } = new URL(url);
  const sent = kind === 'other' ? 'something else' : kind;
  return new NetworkError(
    'REGISTRY_BAD_ANSWER',
    `${host} answers with ${sent} in place of the tarball of ${what}`,
    {
      fix: 'see what stands between: a login page of the network, or a proxy; then run the same command again',
      facts: { package: what, host },
    },
  );
}

/** The body does not end. */
export function tooLarge(what: string, url: string): NetworkError {
  const { host } = new URL(url);
  return new NetworkError(
    'REGISTRY_BAD_ANSWER',
    `${host} answers with more than 2 GB in place of the tarball of ${what}`,
    { fix: 'check the address of the registry in .npmrc', facts: { package: what, host } },
  );
}

/** The bytes are others than those that were locked. */
export function mismatch(
  what: string,
  url: string,
  { algorithm, digests }: Checksum,
  found: string,
): IntegrityError {
  return new IntegrityError(
    'INTEGRITY_MISMATCH',
    `the tarball of ${what} is not the one that the lock names`,
    {
      fix: "do not install this; tell the package's publisher or the registry's owner",
      facts: {
        package: what,
        expected: digests.map(digest => `${algorithm}-${digest}`).join(' '),
        found,
        registry: new URL(url).origin,
      },
    },
  );
}
