import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresFolder, startPostgres } from '../../../test/support/postgres';
import { cache, root } from './programs';

/** The contender that the others are compared with. */
export const plain = 'node <entry>';

/** One way to start a backend. */
export interface Contender {
  name: string;
  /** Node alone, without bootlace. */
  isPlain?: boolean;
  env: { BACKEND_MEMORY?: string };
}

/** The budget stands for a small service: 512 MB. */
export const contenders: readonly Contender[] = [
  { name: plain, isPlain: true, env: {} },
  { name: 'server.js, memory off', env: { BACKEND_MEMORY: 'off' } },
  { name: 'server.js, 512 MB', env: { BACKEND_MEMORY: '512' } },
];

/** A backend to measure. */
export interface Subject {
  /** `name@version` from the registry, or a folder of test/samples. */
  package?: string;
  sample?: string;
  /** The majors that it runs on; undefined for all. */
  nodes?: readonly string[];
  needsDatabase?: boolean;
  readyPath: string;
  loadPath: string;
  env?: Record<string, string>;
  args?: (folder: string) => string[];
}

export const subjects: Record<string, Subject> = {
  json: { sample: 'json', readyPath: '/', loadPath: '/' },
  'node-red': {
    package: 'node-red@4.1.15',
    readyPath: '/',
    loadPath: '/settings',
    // It listens on PORT by the settings that it writes there.
    args: folder => ['-u', join(folder, 'user')],
  },
  unleash: {
    package: 'unleash-server@8.2.0',
    nodes: ['22', '24', '26'],
    needsDatabase: true,
    readyPath: '/health',
    loadPath: '/health',
    env: {
      DATABASE_SSL: 'false',
      LOG_LEVEL: 'error',
      CHECK_VERSION: 'false',
      SEND_TELEMETRY: 'false',
    },
  },
  nest: { sample: 'nest', needsDatabase: true, readyPath: '/healthz', loadPath: '/jobs' },
};

export interface Prepared {
  readyPath: string;
  loadPath: string;
  cwd: string;
  /** The entry that `node <entry>` gets. */
  entry: string;
  serverFile: string;
  env(port: number): Record<string, string>;
  args: string[];
  close(): Promise<void>;
}

const bootlace = join(root, 'bin', 'bootlace.js');

/** Sets the backend up once; all contenders start that release. */
export async function prepareSubject(
  name: string,
  subject: Subject,
  node: string,
  version: string,
): Promise<Prepared> {
  const bin = subject.needsDatabase ? postgresFolder() : undefined;
  if (subject.needsDatabase && !bin) throw new Error(`${name} needs PostgreSQL's programs`);
  const database = bin ? await startPostgres(bin) : undefined;
  const url = database?.createDatabase('bench');
  const folder = join(cache, 'apps', `${name}-${version}`);
  const env = (port: number): Record<string, string> => ({
    PATH: process.env.PATH ?? '',
    HOME: cache,
    PORT: String(port),
    ...(url && { DATABASE_URL: url }),
    ...subject.env,
  });
  try {
    setUp(folder, subject, node, env(0));
    if (subject.sample === 'nest') run(node, [bootlace, 'migrate'], folder, env(0));
    const { active, start } = JSON.parse(
      readFileSync(join(folder, '.bootlace', 'current.json'), 'utf8'),
    ) as { active: string; start: { entry: { file: string } } };
    const release = join(folder, '.bootlace', 'releases', active);
    const receipt = JSON.parse(readFileSync(join(release, 'release.json'), 'utf8'));
    return {
      ...subject,
      cwd: folder,
      entry: join(release, 'node_modules', receipt.package, start.entry.file),
      serverFile: join(folder, 'server.js'),
      env,
      args: subject.args?.(folder) ?? [],
      close: async () => database?.stop(),
    };
  } catch (error) {
    await database?.stop();
    throw error;
  }
}

function setUp(folder: string, subject: Subject, node: string, env: Record<string, string>): void {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{}');
  const at = subject.package?.lastIndexOf('@');
  const from = subject.sample
    ? ['--from', join(root, 'test', 'samples', subject.sample)]
    : [
        ['--package', subject.package?.slice(0, at)],
        ['--backend-version', subject.package?.slice((at ?? 0) + 1)],
      ].flat();
  const args = subject.args?.(folder).join(' ');
  run(node, [bootlace, 'setup', ...(from as string[])], folder, {
    ...process.env,
    ...env,
    HOME: process.env.HOME ?? '',
    ...(args && { BACKEND_ARGS: args }),
  });
}

function run(node: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stderr, stdout } = spawnSync(node, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
}
