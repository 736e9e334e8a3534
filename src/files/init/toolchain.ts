import { posix } from 'node:path';
import type { Repository } from '../repository';

/** The package manager that the lock file tells, and what CI runs with it. */
export interface Toolchain {
  /** Where the lock file lies; the commands run there. */
  folder: string;
  install: string[];
  /** The package manager's command that runs a script. */
  run: string;
  /** The scripts that are there, in the order of a build, with their folders. */
  scripts: { name: string; folder: string }[];
}

// Node 25 and later come without corepack.
const corepack = ['npm install --global corepack@0', 'corepack enable'];

const managers: readonly { files: string[]; install: string[]; run: string }[] = [
  { files: ['package-lock.json', 'npm-shrinkwrap.json'], install: ['npm ci'], run: 'npm run' },
  {
    files: ['pnpm-lock.yaml'],
    install: [...corepack, 'pnpm install --frozen-lockfile'],
    run: 'pnpm run',
  },
  { files: ['yarn.lock'], install: ['yarn install --frozen-lockfile'], run: 'yarn run' },
  {
    files: ['bun.lock', 'bun.lockb'],
    install: ['npm install --global bun@1', 'bun install --frozen-lockfile'],
    run: 'bun run',
  },
];

const wanted = ['typecheck', 'type-check', 'lint', 'db:generate', 'test', 'build'];

/** @param folder the package's folder; its own lock file counts before the repository's */
export function readToolchain(repository: Repository, folder: string): Toolchain {
  const has = (at: string, name: string) => repository.has(posix.join(at, name));
  const found = [folder, ''].flatMap(at =>
    managers
      .filter(({ files }) => files.some(file => has(at, file)))
      .map(({ install, run }) => ({ folder: at, install, run })),
  )[0] ?? {
    folder: has('', 'package.json') ? '' : folder,
    install: ['npm install'],
    run: 'npm run',
  };
  const isBerry = found.run === 'yarn run' && has(found.folder, '.yarnrc.yml');
  return {
    ...found,
    ...(isBerry && { install: [...corepack, 'yarn install --immutable'] }),
    scripts: scriptsOf(repository, [...new Set([found.folder, folder])]),
  };
}

/** A script of the root, which knows the order of a monorepo, comes before the package's own. */
function scriptsOf(repository: Repository, folders: readonly string[]): Toolchain['scripts'] {
  const scripts = folders.map(folder => ({
    folder,
    table: repository.manifest(posix.join(folder, 'package.json'))?.scripts as
      | Record<string, unknown>
      | undefined,
  }));
  return wanted.flatMap(name => {
    const found = scripts.find(({ table }) => {
      const script = table?.[name];
      // npm init writes such a test.
      return typeof script === 'string' && !script.includes('no test specified');
    });
    return found ? [{ name, folder: found.folder }] : [];
  });
}
