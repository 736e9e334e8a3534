import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './run';

/** The folder of a PostgreSQL server's programs, or undefined when none is installed. */
export function postgresFolder(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : [];
  return [
    ...versions.map(version => join(debian, version, 'bin')),
    '/usr/local/bin',
    '/usr/bin',
  ].find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

export interface Postgres {
  port: number;
  /** A connection string for a new, empty database of this name. */
  createDatabase(name: string): string;
  stop(): Promise<void>;
}

/** Starts a PostgreSQL server of its own on 127.0.0.1; as root it runs as another user, since initdb refuses root. */
export async function startPostgres(bin: string): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlace-postgres-'));
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const options = { ...user, cwd: folder, env: { ...process.env, HOME: folder, LC_ALL: 'C' } };
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], {
    ...options,
    stdio: 'pipe',
  });
  const port = await freePort();
  const flags = [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    `unix_socket_directories=${folder}`,
    '-c',
    'fsync=off',
  ];
  const child: ChildProcess = spawn(join(bin, 'postgres'), flags, { ...options, stdio: 'ignore' });
  const psql = (statement: string) =>
    execFileSync(
      join(bin, 'psql'),
      ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-c', statement],
      { ...options, stdio: 'pipe' },
    );
  for (let tries = 0; ; tries++) {
    try {
      psql('select 1');
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
  return {
    port,
    createDatabase(name) {
      psql(`create database ${name}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    stop: () =>
      new Promise(resolve => {
        child.once('close', () => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        child.kill('SIGQUIT');
      }),
  };
}

function idOf(flag: '-u' | '-g'): number {
  for (const name of ['postgres', 'nobody']) {
    try {
      return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
    } catch {}
  }
  return 65534;
}
