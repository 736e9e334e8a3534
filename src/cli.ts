import { resolve } from 'node:path';
import type { Command, Context, Outcome } from './commands/command';
import {
  didYouMean,
  help,
  overview,
  ownWords,
  parseWords,
  typedFlags,
} from './commands/command-line';
import { BootlaceError, UsageError } from './errors';
import { type Io, realIo, secretOf } from './io';
import { interruptible } from './signals';
import { Redactor } from './ui/redact';
import { Reporter } from './ui/reporter';
import { version } from './version';

const commands: Record<
  string,
  readonly [summary: string, load: () => Promise<{ command: Command }>]
> = {
  setup: ['resolve, install and activate the backend', () => import('./commands/setup')],
  start: ['start what setup activated', () => import('./commands/start')],
  up: ['set up if needed, then become the backend', () => import('./commands/up')],
  migrate: ["run the backend's migrate command", () => import('./commands/migrate')],
  exec: ['run a program that the backend ships', () => import('./commands/exec')],
  status: ['what is active, why, and which releases are kept', () => import('./commands/status')],
  init: ['write the deployment files of a repository', () => import('./commands/init')],
  lock: ['write the lock that the backend package carries', () => import('./commands/lock')],
  check: ['check a Blueprint or a backend package', () => import('./commands/check')],
  deploy: ['pin, deploy and prove services on Render', () => import('./commands/render/deploy')],
  rollback: ['back to the last proven version', () => import('./commands/render/rollback')],
  verify: ['ask for its health and the expected version', () => import('./commands/render/verify')],
  services: ['pinned and live versions, last deploys', () => import('./commands/render/services')],
  releases: [
    'the deploys of a service, and who made them',
    () => import('./commands/render/releases'),
  ],
  job: [
    'run a command of a service once, such as migrations',
    () => import('./commands/render/job'),
  ],
  use: ['switch to a release that is on disk', () => import('./commands/use')],
  doctor: ['check token, registry, package, host and settings', () => import('./commands/doctor')],
};

/**
 * Runs one command line.
 * @param argv the words after the program's name
 * @param dist the folder of the bundles
 * @returns the exit code, or the last act of a command that becomes another program
 */
export async function main(argv: readonly string[], io: Io, dist: string): Promise<Outcome> {
  const redactor = new Redactor();
  for (const name of [
    'NPM_TOKEN',
    'NODE_AUTH_TOKEN',
    'RENDER_API_KEY',
    'RENDER_DEPLOY_HOOK',
    'RENDER_DEPLOY_HOOK_URL',
    'GITHUB_TOKEN',
    io.env.BACKEND_TOKEN_ENV?.trim(),
  ])
    if (name) redactor.add(secretOf(io.env, name));
  const own = ownWords(argv);
  const report = new Reporter(io, {
    json: own.includes('--json'),
    quiet: own.includes('--quiet') || own.includes('-q'),
    redactor,
  });
  try {
    return await run(argv, io, report, redactor, dist);
  } catch (error) {
    if (error instanceof BootlaceError) {
      report.fail(error);
      return error.exitCode;
    }
    report.bug(error);
    return 1;
  } finally {
    report.done();
  }
}

async function run(
  argv: readonly string[],
  io: Io,
  report: Reporter,
  redactor: Redactor,
  dist: string,
): Promise<Outcome> {
  const [name = '--help', ...words] = argv;
  if (name === '--version' || name === '-v' || name === '-V') {
    io.out(`${version}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const [asked] = words;
    if (asked && !asked.startsWith('-')) return run([asked, '--help'], io, report, redactor, dist);
    io.out(overview(Object.entries(commands).map(([name, [summary]]) => [name, summary])));
    return 0;
  }
  // The name that it had in 0.1.
  if (name === 'release') return run(['migrate', ...words], io, report, redactor, dist);
  const known = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!known)
    throw new UsageError(
      'COMMAND_UNKNOWN',
      `there is no command ${JSON.stringify(name.slice(0, 40))}`,
      { fix: didYouMean(name, Object.keys(commands)) ?? 'see: npx bootlace --help' },
    );
  const { command } = await known[1]();
  const { flags, positionals, rest } = parseWords(command, name, words);
  if (flags.help) {
    io.out(help(command, known[0]));
    return 0;
  }
  // Where a service is deployed, the variables are the service's.
  if (!command.options['env-key'])
    report.nameFlags(typedFlags(flags), typeof flags.dir === 'string' ? flags.dir : undefined);
  const dir = resolve(io.cwd, typeof flags.dir === 'string' ? flags.dir : '.');
  const context: Omit<Context, 'signal'> = {
    io,
    report,
    redactor,
    flags,
    positionals,
    rest,
    dir,
    version,
    dist,
  };
  return interruptible(signal => command.run({ ...context, signal }));
}

/** Node ends with 0 when nothing is left to wait for, although a promise never settled. */
function endedEarly(): void {
  process.stderr.write('bootlace: this is a bug in bootlace: it ended before its work was done\n');
  process.exitCode = 1;
}

/** The program: the only place that sets the exit code. */
export async function start(dist: string): Promise<void> {
  // A reader that has gone, such as `bootlace status | head -1`, is no failure.
  const ignore = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  };
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.on('error', ignore);
  process.once('beforeExit', endedEarly);
  const outcome = await main(process.argv.slice(2), realIo(), dist);
  process.removeListener('beforeExit', endedEarly);
  if (typeof outcome === 'number') {
    process.exitCode = outcome;
    return;
  }
  for (const stream of streams) stream.removeListener('error', ignore);
  // Out of the promise, so that what the backend throws is Node's to handle.
  setImmediate(outcome.finally);
}
