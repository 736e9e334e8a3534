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
interface Refusal {
  /** `left@1.0.0`. */
  readonly what: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Its beginning. */
  readonly body: string;
  /** The configured registries, the backend's first. */
  readonly registries: readonly string[];
  /** Where the token came from that was sent. */
  readonly tokenFrom: string | undefined;
  readonly tokenHere: string;
}

/** The failure that a refusal stands for, naming the package. */
export function refusal({ what, url, registries, ...answer }: Refusal): BootlaceError {
  const { origin, pathname, protocol, hostname } = new URL(url);
  const { status } = answer;
  if (status === 404 || status === 405 || status === 410)
    return new NotFoundError(
      'DEPENDENCY_NOT_FOUND',
      `${origin} does not have the tarball of ${what}`,
      {
        fix: 'check the registry of its scope in .npmrc; if the version was removed, make the lock again',
        facts: { package: what, registry: origin, status },
      },
    );
  const registry = registries.find(each => each.startsWith(`${origin}/`)) ?? `${origin}/`;
  const failure = registryFailure({ ...answer, package: what, registry });
  if (!(failure instanceof AuthError)) return failure;
  const secure = registries.find(each => {
    const own = URL.canParse(each) ? new URL(each) : undefined;
    return own?.protocol === 'https:' && own.hostname === hostname;
  });
  if (secure && protocol === 'http:' && !answer.tokenFrom)
    return new AuthError(
      'TARBALL_OVER_HTTP',
      `${secure} names ${origin}${pathname} for ${what}; the token is not sent over http`,
      {
        fix: 'have the registry name https addresses: its public address is set wrong (for Verdaccio set VERDACCIO_PUBLIC_URL, for a proxy in front pass X-Forwarded-Proto)',
        facts: { package: what, registry: secure, tarball: origin + pathname },
      },
    );
  const message = `${what} cannot be fetched: ${failure.message}`;
  return new AuthError(failure.code, message, { fix: failure.fix, facts: failure.facts });
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
