import { AuthError, type BootlaceError, NetworkError, NotFoundError, systemCode } from '../errors';
import { githubPackages } from '../settings/registry-url';
import { isLoopback } from './config/credentials';

/** What a registry said, and what is needed to say it better. */
export interface RegistryAnswer {
  status: number;
  body: string;
  headers: Readonly<Record<string, string | undefined>>;
  package: string;
  registry: string;
  /** Where the token that was sent came from; undefined when none was sent. */
  tokenFrom: string | undefined;
  /** The token's variable for a fix, with the place where it is set. */
  tokenHere: string;
  /** Another variable that may hold the token, as a fix's end. */
  tokenHint?: string;
  /** The first characters of the token that say its kind, such as `github_pat_`; never more. */
  tokenKind?: string;
}

/**
 * The failure that an answer stands for. GitHub Packages gives the same status for different
 * causes, so the body's text decides; other registries are told apart by status alone.
 */
export function registryFailure(answer: RegistryAnswer): BootlaceError {
  const { status, registry, tokenHere } = answer;
  const name = answer.package;
  const says = sentence(answer.body);
  const facts = { registry, package: name, status, ...(says && { answer: says }) };
  const isGithub = registry === githubPackages;
  const kindOf = isGithub ? 'a classic token with read:packages' : 'a token that may read it';
  const from = answer.tokenFrom;

  if (status === 401 || status === 403) {
    if (!answer.tokenFrom)
      return new AuthError('TOKEN_MISSING', `${registry} asks for a token`, {
        fix: `set ${tokenHere} to ${kindOf}${isGithub ? '' : `, and BACKEND_REGISTRY=${withHttps(registry)}`}${answer.tokenHint ?? ''}`,
        facts,
      });
    if (wrongKind(answer) && (isGithub || !/permission_denied|saml/i.test(answer.body)))
      return new AuthError(
        'TOKEN_WRONG_KIND',
        `${registry} does not take the kind of token in ${from}`,
        {
          fix: `set ${tokenHere} to ${isGithub ? 'a classic token (ghp_…) with read:packages, or to GITHUB_TOKEN in a workflow' : 'a token of this registry'}`,
          facts,
        },
      );
    if (
      answer.headers['x-github-sso'] !== undefined ||
      /saml|sso|organization .*enforce/i.test(answer.body)
    )
      return new AuthError(
        'TOKEN_NEEDS_SSO',
        `the organisation of ${name} asks for single sign-on`,
        {
          fix: 'on GitHub open Settings, Developer settings, Tokens (classic), Configure SSO, and authorise the token',
          facts,
        },
      );
    if (/expected scopes|read:packages|insufficient.scope/i.test(answer.body))
      return new AuthError('TOKEN_SCOPE', `the token in ${from} may not read packages`, {
        fix: `give the token the scope read:packages, or set ${tokenHere} to one that has it`,
        facts,
      });
    if (/permission_denied|read_package/i.test(answer.body) || status === 403)
      return new AuthError('NO_ACCESS', `the token in ${from} may not read ${name}`, {
        fix: `give the token's owner read access to ${name} (package settings, Manage access), or set ${tokenHere} to another token`,
        facts,
      });
    return new AuthError('TOKEN_INVALID', `${registry} refuses the token in ${from}`, {
      fix: `it is wrong, expired or revoked: make a new token and set ${tokenHere} to it`,
      facts,
    });
  }
  if (status === 404 || status === 410) {
    if (/does not exist under owner/i.test(answer.body))
      return new NotFoundError('PACKAGE_NOT_FOUND', `${name} does not exist on ${registry}`, {
        fix: 'check BACKEND_PACKAGE, or publish it first; the scope must be the owner on GitHub',
        facts,
      });
    return new NotFoundError(
      'PACKAGE_NOT_FOUND',
      answer.tokenFrom
        ? `${registry} has no ${name} for this token`
        : `${registry} has no ${name} that is public`,
      {
        fix: answer.tokenFrom
          ? `check BACKEND_PACKAGE and BACKEND_REGISTRY, and that the token in ${from} may read it`
          : `check BACKEND_PACKAGE; for a private package set ${tokenHere}, and BACKEND_REGISTRY if it is not on GitHub Packages`,
        facts,
      },
    );
  }
  if (status === 429)
    return new NetworkError('RATE_LIMITED', `${registry} limits the rate of requests, at ${name}`, {
      fix: 'wait a few minutes and run the same command again',
      facts,
    });
  if (status >= 500 || status === 408)
    return new NetworkError('REGISTRY_ERROR', `${registry} answers ${status} for ${name}`, {
      fix: 'run the same command again later; see the status page of the registry',
      facts,
    });
  return new NetworkError('REGISTRY_BAD_ANSWER', `${registry} answers ${status} for ${name}`, {
    fix: 'check BACKEND_REGISTRY: is it the address of an npm registry?',
    facts,
  });
}

/** A fix never asks for a token over plain http. */
function withHttps(registry: string): string {
  return isLoopback(new URL(registry).hostname) ? registry : registry.replace(/^http:/, 'https:');
}

/** The registry could not be reached, or not within the time. */
export function unreachable(registry: string, cause: unknown, seconds: number): NetworkError {
  const reason = systemCode(cause) ?? (cause instanceof Error ? cause.message : '');
  return new NetworkError(
    'REGISTRY_UNREACHABLE',
    `${registry} is out of reach (${reason}), after ${seconds} s`,
    {
      fix: 'check the network, HTTPS_PROXY and BACKEND_REGISTRY, then run the same command again',
      facts: { registry, reason },
      cause,
    },
  );
}

/** The answer is a page and not JSON: most often the login page of a proxy. */
export function notJson(registry: string, contentType: string | undefined): NetworkError {
  return new NetworkError(
    'REGISTRY_NOT_JSON',
    `${registry} answers with ${contentType?.split(';')[0] || 'something else'} instead of JSON`,
    {
      fix: 'a proxy or a login page stands in between: check HTTPS_PROXY, NO_PROXY and BACKEND_REGISTRY',
      facts: { registry, contentType },
    },
  );
}

function wrongKind({ tokenKind, registry }: RegistryAnswer): boolean {
  if (!tokenKind) return false;
  const isGithubToken = /^(gh[a-z]_|github_pat_)/.test(tokenKind);
  if (registry === githubPackages) return tokenKind === 'github_pat_' || !isGithubToken;
  return isGithubToken;
}

/** What kind of token it is, by its public prefix; undefined for none that is known. */
export function kindOfToken(token: string): string | undefined {
  return /^(github_pat_|gh[a-z]_|npm_|glpat-)/.exec(token)?.[1];
}

/** The registry's own sentence: the `error` of a JSON body, or the body's start. */
function sentence(body: string): string {
  let text = body;
  try {
    const value = JSON.parse(body) as { error?: unknown; message?: unknown };
    text = String(value?.error ?? value?.message ?? body);
  } catch {
    if (/<html|<!doctype/i.test(body)) return '';
  }
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}
