import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tools } from './tools';

/** Where and what a contestant installs. */
export interface Place {
  /** An empty folder for this run. */
  dir: string;
  /** Its cache: empty when cold, filled when warm. */
  cache: string;
  registry: string;
  package: string;
  version: string;
  /** A node_modules of the package, as `npm ci` makes it. */
  tree: string;
  /** The locks that were made before, by file name. */
  locks: ReadonlyMap<string, string>;
}

export interface Command {
  program: string;
  args: string[];
  env?: Record<string, string>;
}

export interface Contestant {
  name: string;
  /** True for one that chooses versions itself. */
  resolves?: boolean;
  /** True for one whose warm runs would be its cold ones. */
  hasNoCache?: boolean;
  /** Writes what a checkout would hold. */
  prepare(place: Place): void;
  command(place: Place): Command;
  /** The folder whose files are counted, below `dir`. */
  result: (dir: string) => string;
}

const bootlaceBin = join(__dirname, '..', '..', '..', 'bin', 'bootlace.js');
export const npmLock = 'package-lock.json';

/** Everything that is compared; all of them without install scripts and development dependencies. */
export function contestants(tools: Tools): Contestant[] {
  const modules = (dir: string) => join(dir, 'node_modules');
  const project =
    (...locks: string[]) =>
    (place: Place) => {
      const { dir, registry, package: name, version } = place;
      const manifest = {
        name: 'bench',
        version: '1.0.0',
        private: true,
        dependencies: { [name]: version },
      };
      writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest, null, 2));
      writeFileSync(join(dir, '.npmrc'), `registry=${registry}\n`);
      for (const lock of locks) writeFileSync(join(dir, lock), place.locks.get(lock) ?? '');
    };
  const npm =
    (...args: string[]) =>
    ({ cache }: Place): Command => ({
      program: tools.node,
      args: [
        tools.npm,
        ...args,
        '--ignore-scripts',
        '--omit=dev',
        '--no-audit',
        '--no-fund',
        `--cache=${cache}`,
      ],
    });
  const bootlace = (withLock: boolean, ...flags: string[]): Omit<Contestant, 'name'> => ({
    resolves: !withLock,
    prepare({ dir, locks }) {
      if (withLock) writeFileSync(join(dir, 'backend.lock.json'), locks.get(npmLock) ?? '');
    },
    command: ({ registry, package: name, version }) => ({
      program: tools.node,
      args: [
        bootlaceBin,
        'setup',
        '--ignore-engines',
        `--package=${name}`,
        `--backend-version=${version}`,
        `--registry=${registry}`,
        ...(withLock ? ['--lock=backend.lock.json'] : []),
        ...flags,
      ],
      env: { npm_execpath: tools.npm },
    }),
    result: dir => join(dir, '.bootlace', 'releases'),
  });
  return [
    { name: 'bootlace', ...bootlace(true) },
    { name: 'bootlace --slim', ...bootlace(true, '--slim') },
    { name: 'npm ci', prepare: project(npmLock), command: npm('ci'), result: modules },
    {
      name: 'pnpm install --frozen-lockfile',
      prepare: project('pnpm-lock.yaml'),
      command: ({ cache }) => ({
        program: tools.pnpm,
        args: [
          'install',
          '--frozen-lockfile',
          '--prod',
          '--ignore-scripts',
          `--store-dir=${cache}/store`,
          // It would ask for the age of every version, which the others do not.
          '--config.minimumReleaseAge=0',
        ],
        env: { XDG_CACHE_HOME: cache },
      }),
      result: modules,
    },
    {
      name: 'bun install --frozen-lockfile',
      prepare: project('bun.lock'),
      command: ({ cache }) => ({
        program: tools.bun,
        args: ['install', '--frozen-lockfile', '--production', '--ignore-scripts'],
        env: { BUN_INSTALL_CACHE_DIR: cache },
      }),
      result: modules,
    },
    {
      name: 'cp -r',
      hasNoCache: true,
      prepare: () => {},
      command: ({ tree }) => ({ program: 'cp', args: ['-r', tree, '.'] }),
      result: modules,
    },
    { name: 'bootlace without a lock', ...bootlace(false) },
    {
      name: 'npm install',
      resolves: true,
      prepare: project(),
      command: npm('install'),
      result: modules,
    },
  ];
}

/** How each lock is made, in a folder that holds the project. */
export function lockCommands(tools: Tools, place: Place): [file: string, command: Command][] {
  return [
    [
      npmLock,
      {
        program: tools.node,
        args: [
          tools.npm,
          'install',
          '--package-lock-only',
          '--ignore-scripts',
          '--no-audit',
          `--cache=${place.cache}`,
        ],
      },
    ],
    [
      'pnpm-lock.yaml',
      {
        program: tools.pnpm,
        args: [
          'install',
          '--lockfile-only',
          '--prod',
          '--ignore-scripts',
          `--store-dir=${place.cache}/store`,
          '--config.minimumReleaseAge=0',
        ],
        env: { XDG_CACHE_HOME: place.cache },
      },
    ],
    [
      'bun.lock',
      {
        program: tools.bun,
        args: ['install', '--lockfile-only', '--ignore-scripts'],
        env: { BUN_INSTALL_CACHE_DIR: place.cache },
      },
    ],
  ];
}

/** How many packages a lock of npm's names for this machine and others. */
export function packagesIn(file: string): number {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: object };
  return Object.keys(packages).length - 1;
}
