import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfToken, type RegistryAnswer, registryFailure } from '../../src/registry/failure';

const github: Omit<RegistryAnswer, 'status' | 'body'> = {
  headers: {},
  package: '@acme/backend',
  registry: 'https://npm.pkg.github.com/',
  tokenFrom: 'NPM_TOKEN',
  tokenHere: 'NPM_TOKEN',
};
const says = (error: string) => JSON.stringify({ error });
const unauthenticated = says(
  'unauthenticated: User cannot be authenticated with the token provided.',
);

const cases: [
  name: string,
  answer: Partial<RegistryAnswer> & { status: number; body: string },
  code: string,
  exit: number,
  fix: RegExp,
][] = [
  [
    'no token',
    { status: 401, body: says('authentication token not provided'), tokenFrom: undefined },
    'TOKEN_MISSING',
    4,
    /set NPM_TOKEN to a classic token/,
  ],
  [
    'bad token',
    { status: 401, body: unauthenticated, tokenKind: 'ghp_' },
    'TOKEN_INVALID',
    4,
    /make a new token/,
  ],
  [
    'fine-grained token',
    { status: 401, body: unauthenticated, tokenKind: 'github_pat_' },
    'TOKEN_WRONG_KIND',
    4,
    /classic token/,
  ],
  [
    "another registry's token",
    { status: 401, body: unauthenticated, tokenKind: 'npm_' },
    'TOKEN_WRONG_KIND',
    4,
    /classic token/,
  ],
  [
    'no read:packages',
    {
      status: 403,
      body: says('permission_denied: The token provided does not match expected scopes'),
      tokenKind: 'ghp_',
    },
    'TOKEN_SCOPE',
    4,
    /read:packages/,
  ],
  [
    'SSO by header',
    {
      status: 403,
      body: says('Forbidden'),
      headers: { 'x-github-sso': 'required' },
      tokenKind: 'ghp_',
    },
    'TOKEN_NEEDS_SSO',
    4,
    /Configure SSO/,
  ],
  [
    'SSO by text',
    {
      status: 403,
      body: says('Resource protected by organization SAML enforcement.'),
      tokenKind: 'ghp_',
    },
    'TOKEN_NEEDS_SSO',
    4,
    /Configure SSO/,
  ],
  [
    'no access to this package',
    { status: 403, body: says('permission_denied: read_package'), tokenKind: 'ghp_' },
    'NO_ACCESS',
    4,
    /Manage access/,
  ],
  [
    'no such package',
    { status: 404, body: says('npm package "backend" does not exist under owner "acme"') },
    'PACKAGE_NOT_FOUND',
    5,
    /check BACKEND_PACKAGE/,
  ],
  [
    '404 that may be no access',
    { status: 404, body: says('not found') },
    'PACKAGE_NOT_FOUND',
    5,
    /may read it/,
  ],
  [
    '404 without a token',
    { status: 404, body: says('not found'), tokenFrom: undefined },
    'PACKAGE_NOT_FOUND',
    5,
    /set NPM_TOKEN/,
  ],
  ['rate limit', { status: 429, body: '' }, 'RATE_LIMITED', 7, /wait/],
  ['server fault', { status: 502, body: '<html>' }, 'REGISTRY_ERROR', 7, /again later/],
  ['method not allowed', { status: 405, body: '' }, 'REGISTRY_BAD_ANSWER', 7, /BACKEND_REGISTRY/],
];
for (const [name, answer, code, exit, fix] of cases)
  test(`GitHub Packages: ${name}`, () => {
    const failure = registryFailure({ ...github, ...answer });
    assert.equal(failure.code, code);
    assert.equal(failure.exitCode, exit);
    assert.match(failure.fix, fix);
  });

test('a GitHub token at another registry is the wrong kind', () => {
  const failure = registryFailure({
    ...github,
    registry: 'https://acme.test/',
    status: 401,
    body: '',
    tokenKind: 'ghp_',
  });
  assert.equal(failure.code, 'TOKEN_WRONG_KIND');
});

test('the kind of a token is its public prefix and no more', () => {
  assert.equal(kindOfToken('github_pat_11ABC'), 'github_pat_');
  assert.equal(kindOfToken('ghp_abc'), 'ghp_');
  assert.equal(kindOfToken('plain'), undefined);
});

const unsent: [registry: string, address: string][] = [
  ['http://mirror.test/npm/', 'https://mirror.test/npm/'],
  ['http://127.0.0.1:4873/', 'http://127.0.0.1:4873/'],
  ['https://mirror.test/', 'https://mirror.test/'],
];
for (const [registry, address] of unsent)
  test(`no fix asks for a token over plain http: ${registry}`, () => {
    const failure = registryFailure({
      ...github,
      registry,
      status: 401,
      body: '',
      tokenFrom: undefined,
    });
    assert.match(failure.fix, new RegExp(`and BACKEND_REGISTRY=${address}$`));
  });
