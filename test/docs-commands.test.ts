import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FakeRegistry } from './support/fake-registry';
import { bin, cleanEnv, root, temporaryFolder } from './support/run';

// README.md, docs/starting.md and docs/publishing.md have their own test. In the others a block of commands is marked
// in the line above it: `<!-- run: PATTERN -->` runs here, and its output fits the pattern;
// `<!-- needs Render -->`, GitHub or Docker does not run.
const blockPattern = /(?:^<!-- (.*) -->\n)?^```sh\n([\s\S]*?)^```/gm;
const outside = ['needs Render', 'needs GitHub', 'needs Docker'];

interface Block {
  mark: string | undefined;
  text: string;
}

const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .map(name => name.replaceAll('\\', '/'))
  .filter(name => name.endsWith('.md') && !/^(bench\/|starting|publishing)/.test(name))
  .sort();

const backend = {
  name: '@acme/backend',
  version: '1.4.2',
  main: 'main.js',
  files: ['main.js'],
  scripts: { start: 'node main.js' },
  engines: { node: '>=20' },
};
const main = 'console.log("the backend runs")';

/** The repository in which the commands of a page are typed. */
const repositories: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'systems/fastapi.md': {
    'backend/requirements.txt': 'fastapi\nuvicorn\nalembic\n',
    'backend/alembic.ini': '',
  },
  'systems/docker-monorepo.md': {
    'services/api/requirements.txt': 'fastapi\n',
    'admin/index.html': '',
    'admin/package.json': { name: 'admin', scripts: { build: 'vite build' } },
  },
};
const ownRepository = { 'package.json': backend, 'main.js': main, 'package-lock.json': {} };

for (const page of pages) {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(blockPattern)].map(
    ([, mark, body = '']): Block => ({ mark, text: body }),
  );

  test(`docs/${page}: each block of commands is marked`, () => {
    const isMarked = ({ mark = '' }: Block) => /^run: .+$/.test(mark) || outside.includes(mark);
    assert.deepEqual(
      blocks.filter(block => !isMarked(block)).map(block => block.text),
      [],
    );
  });

  const runs = blocks.filter(({ mark }) => mark?.startsWith('run: '));
  if (runs.length)
    test(`docs/${page}: the commands do what it says`, async t => {
      const token = 'a-token-for-the-docs';
      const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
      t.after(() => registry.close());
      registry.publish(backend, { 'main.js': main });
      const dir = temporaryFolder(t);
      execFileSync('git', ['init', '--quiet'], { cwd: dir });
      for (const [path, content] of Object.entries(repositories[page] ?? ownRepository)) {
        mkdirSync(dirname(join(dir, path)), { recursive: true });
        writeFileSync(
          join(dir, path),
          typeof content === 'string' ? content : JSON.stringify(content),
        );
      }
      const path = temporaryFolder(t);
      // npx --yes bootlace@0 is this bootlace.
      writeFileSync(
        join(path, 'npx'),
        `#!/bin/sh\n[ "$1" = --yes ] && shift\nshift\nexec "${process.execPath}" "${bin}" "$@"\n`,
        { mode: 0o755 },
      );
      const env = cleanEnv({
        PATH: [path, process.env.PATH].join(delimiter),
        BACKEND_PACKAGE:
          page.startsWith('systems/') && repositories[page] ? undefined : backend.name,
        BACKEND_REGISTRY: registry.url,
        NPM_TOKEN: token,
        npm_config_registry: registry.url,
      });
      for (const { mark = '', text: body } of runs) {
        const { stdout } = await promisify(execFile)('sh', ['-euc', body], { cwd: dir, env });
        assert.match(stdout, new RegExp(mark.slice('run: '.length)), body);
      }
    });
}
