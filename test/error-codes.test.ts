import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as errors from '../src/errors';
import { root } from './support/run';

/** Variables, and codes of Node, npm and the YAML reader: words of a code's form that are none. */
const others = new Set(
  `
  BACKEND_ARGS BACKEND_ENTRY BACKEND_INSECURE_REGISTRY BACKEND_INSTALLER BACKEND_MEMORY
  BACKEND_PACKAGE BACKEND_REGISTRY BACKEND_SCRIPTS BACKEND_SLIM BACKEND_TOKEN_ENV BACKEND_VERSION
  BOOTLACE_EXPECTED_RELEASE BOOTLACE_RECORD BOOTLACE_RELEASE BOOTLACE_RELEASE_URL GITHUB_TOKEN
  HTTPS_PROXY MIGRATE_IN_BUILD
  NODE_AUTH_TOKEN NODE_ENV NODE_OPTIONS NODE_VERSION NPM_TOKEN PYTHON_VERSION RENDER_API_KEY
  RENDER_DEPLOY_HOOK RENDER_DEPLOY_HOOK_URL RENDER_EXTERNAL_URL SKIP_INSTALL_DEPS
  BAD_INDENT MISSING_CHAR TAB_AS_INDENT EAI_AGAIN ERR_BUFFER_TOO_LARGE ERR_DLOPEN_FAILED
  ERR_MODULE_NOT_FOUND ERR_PARSE_ARGS ERR_SOCKET_TIMEOUT ETIMEDOUT MODULE_NOT_FOUND
  `
    .trim()
    .split(/\s+/),
);

const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n');
const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(match => match[1] as string);

const words = [
  ...all(source, /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g),
  // Advice about a backend that does not load.
  ...all(source, /`([A-Z]+(?:_[A-Z]+)+): /g),
  ...all(source, /\bcode: '([A-Z]+)'/g),
];

/** `DEPLOY_` and a status of Render's that ends a deploy as failed. */
function statusCodes(): string[] {
  assert.match(source, /`DEPLOY_\$\{deploy\.status\.toUpperCase\(\)\}`/);
  const statuses = all(source, /^ {2}(\w+_failed|canceled):? /gm);
  assert(statuses.length >= 4, 'the statuses are listed in src/render/api/reason.ts');
  return statuses.map(status => `DEPLOY_${status.toUpperCase()}`);
}

const codes = new Set([...words.filter(word => !others.has(word)), ...statusCodes()]);
const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
const table = page.slice(page.indexOf('\n## Every code\n'));
const isRow = /^\| `([A-Z][A-Z0-9_]*)` \|/gm;
const rows = all(table, isRow);

test('docs/troubleshooting.md lists every code of src/, and no other', () => {
  assert(codes.size > 250);
  assert.deepEqual([...new Set(rows)].sort(), [...codes].sort());
});

test('each code has one line in docs/troubleshooting.md', () => {
  assert.deepEqual(
    rows.filter((code, index) => rows.indexOf(code) !== index),
    [],
  );
  for (const line of table.split('\n').filter(each => /^\| `/.test(each))) {
    const [, , means = '', fix = ''] = line.split(/(?<!\\)\|/);
    assert(means.trim() && fix.trim(), line);
  }
});

test('a code stands under the exit code of a class that is thrown with it', () => {
  const families = Object.entries(errors).filter(([name]) => name !== 'BootlaceError');
  const sections = table.split('\n### ').filter(each => /^[^\n]*\(exit code \d\)/.test(each));
  assert.equal(sections.length, 8);
  const wrong = sections.flatMap(section => {
    const exitCode = Number(/\(exit code (\d)\)/.exec(section)?.[1]);
    return all(section, isRow).filter(code => {
      const thrown = families.filter(([name]) =>
        new RegExp(`new ${name}\\(\\s*'${code}'`).test(source),
      ) as [string, new (...args: unknown[]) => errors.BootlaceError][];
      const exitCodes = thrown.map(([, Family]) => new Family('X', 'x', { fix: 'x' }).exitCode);
      return exitCodes.length > 0 && !exitCodes.includes(exitCode);
    });
  });
  assert.deepEqual(wrong, []);
});

test('a word that is no code is still in src/', () => {
  assert.deepEqual(
    [...others].filter(word => !words.includes(word)),
    [],
  );
});
