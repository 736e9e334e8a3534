import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bootlace, type Ended, root, temporaryFolder } from '../../support/run';

export type Files = Readonly<Record<string, string | object>>;
type Test = { after(fn: () => void): void };

/** The bootlace object that the templates of the recipe node are the output of. */
export const sampleBackend = {
  name: '@acme/backend',
  version: '1.4.0',
  engines: { node: '^24' },
  bootlace: {
    roles: { web: 'dist/main.js', worker: 'dist/worker.js', nightly: 'dist/nightly.js' },
    schedules: { nightly: '0 3 * * *' },
    requires: ['DATABASE_URL', 'REDIS_URL', 'JWT_SECRET', 'SMTP_PASSWORD'],
    migrate: 'migrate deploy',
  },
};

/** What the templates of the recipe node are written for. */
export const sampleMonorepo: Files = {
  'package.json': {
    name: 'acme',
    private: true,
    workspaces: ['packages/*'],
    scripts: { lint: 'true', test: 'true', build: 'true' },
  },
  'package-lock.json': { lockfileVersion: 3 },
  '.gitignore': 'node_modules\n.env\n',
  'packages/backend/package.json': sampleBackend,
};

/** The sample with other values in the backend's package.json, and more files. */
export function monorepo(backend: object, more: Files = {}): Files {
  return {
    ...sampleMonorepo,
    'packages/backend/package.json': { ...sampleBackend, ...backend },
    ...more,
  };
}

export const pythonRepository: Files = {
  '.git/config': '[remote "origin"]\n\turl = git@github.com:acme/api.git\n',
  'backend/requirements.txt': 'fastapi\n',
  'backend/main.py': '',
  'backend/alembic.ini': '',
};

export const dockerRepository: Files = {
  '.git/config': '[remote "origin"]\n\turl = https://github.com/acme/acme\n',
  'services/api/requirements.txt': '',
  'services/api/alembic.ini': '',
  'services/admin/requirements.txt': '',
  'shared/models.py': '',
  'apps/web/index.html': '',
  'apps/web/package.json': { name: 'web', scripts: { build: 'vite build' } },
  'apps/web/package-lock.json': {},
};

/** Writes the files into a new folder, or one that is there. */
export function createRepository(t: Test, files: Files, folder = temporaryFolder(t)): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Runs `bootlace init`; a line such as `--recipe python`. */
export function init(cwd: string, line = '', env: Record<string, string> = {}): Promise<Ended> {
  return bootlace(['init', ...line.split(' ').filter(Boolean)], { cwd, env });
}

/** Runs it and expects this exit code. */
export async function initEnds(cwd: string, line: string, code: number): Promise<string> {
  const ended = await init(cwd, line);
  assert.equal(ended.code, code, ended.stdout + ended.stderr);
  return ended.stdout + ended.stderr;
}

export const read = (folder: string, path: string) => readFileSync(join(folder, path), 'utf8');

export const template = (path: string) => readFileSync(join(root, 'templates', path), 'utf8');
