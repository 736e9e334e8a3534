import { posix } from 'node:path';
import type { Repository } from '../../repository';
import { isContainer, perService, type Rule, type Service } from '../blueprint';
import { error, type Problem, quote, warning } from '../value';
import { dockerfileOf } from './docker';

/** Traps in the commands of a service. */
export const commandRules: readonly Rule[] = [
  perService(migratesAtStart),
  perService(fixedPort),
  perService(scripts),
  perService(devDependencies),
  perService(nextStandalone),
  perService(testsBeforeDeploy),
];

/** The commands of the tools that change a database's schema. */
const migration =
  /\b(prisma (migrate deploy|db push)|alembic upgrade|manage\.py migrate|flask db upgrade|(rails|rake) db:migrate|typeorm\S{0,20} (-\S{1,20} \S{1,80} )?migration:run|knex migrate:latest|sequelize(-cli)? db:migrate|drizzle-kit (migrate|push)|db:(migrate|deploy)|goose (\S{1,80} ){0,3}up|bootlace (release|migrate)|node (\S{1,80} ){0,3}\S{0,100}\bmigrat(e|ions?)\.[cm]?js|(npm|pnpm|yarn)( run)? migrat(e|ions?))\b/;

/** What starts a service: its own commands, or else the one of its image. */
function startCommands(service: Service, repository: Repository) {
  const { at } = service;
  const commands = ['startCommand', 'dockerCommand'].map(key => ({
    at: at.place(key),
    name: key,
    text: at.text(key) ?? '',
  }));
  if (at.has('dockerCommand')) return commands;
  // The last CMD counts; its exec form reads as a command line without the quotes.
  const dockerfile = dockerfileOf(service, repository) ?? '';
  const last = [...dockerfile.matchAll(/^[ \t]*CMD[ \t]+((?:.*\\\r?\n)*.*)$/gim)].at(-1)?.[1] ?? '';
  const text = last.replace(/[[\]",\\]/g, ' ').replace(/\s+/g, ' ');
  return [...commands, { at: at.place('dockerfilePath'), name: "the Dockerfile's CMD", text }];
}

function* migratesAtStart(service: Service, repository: Repository): Generator<Problem> {
  const isFree = service.at.text('plan') === 'free';
  // A free image has no other place: no build command, and no preDeployCommand.
  if (service.type === 'cron' || (isFree && isContainer(service))) return;
  for (const { at, name, text } of startCommands(service, repository)) {
    const command = migration.exec(text)?.[0];
    if (command)
      yield warning(at, 'MIGRATES_AT_START', {
        message: `${name} runs "${command}" in each instance and at each restart`,
        fix: isFree
          ? 'move it to the end of buildCommand, since a free service has no preDeployCommand'
          : 'move it to preDeployCommand, which runs once a deploy',
      });
  }
}

/** A port on a command line: `--port 8000`, `-b :8000`, `PORT=3000 node`, `--bind 0.0.0.0:8000`. */
const portOnLine =
  /(?:--port[ =]|-p |--bind[ =]\S{0,60}:|-b \S{0,60}:|--listen[ =]\S{0,60}:|\bPORT=|\brunserver \S{0,60}:)(\d{2,5})\b/;

function* fixedPort(service: Service, repository: Repository): Generator<Problem> {
  if (service.type !== 'web') return;
  const port = service.envVars.find(({ key }) => key === 'PORT')?.text;
  for (const { at, name, text } of startCommands(service, repository)) {
    const fixed = portOnLine.exec(text)?.[1];
    if (fixed !== undefined && fixed !== port)
      yield warning(at, 'PORT_FIXED', {
        message: `${name} listens on ${fixed}, and Render routes to $PORT`,
        fix: `write \${PORT:-${fixed}} in its place; CMD needs its shell form for that`,
      });
  }
}

function* scripts({ at, rootDir }: Service, repository: Repository): Generator<Problem> {
  if (at.has('repo')) return;
  for (const key of ['buildCommand', 'preDeployCommand', 'startCommand']) {
    const text = at.text(key) ?? '';
    const [, shell, path] =
      /(?:^|&&|;|\n)[ \t]*((?:ba)?sh )?((?:\.\/)?[\w./-]{1,200}\.sh)\b/.exec(text) ?? [];
    if (path === undefined || /\bcd /.test(text)) continue;
    const file = posix.join(rootDir, path);
    if (!shell && !/\bchmod\b/.test(text) && repository.isExecutable(file) === false)
      yield error(at.place(key), 'BUILD_SCRIPT_NOT_EXECUTABLE', {
        message: `${quote(file)} is not executable, and ends with "permission denied"`,
        // The name goes into a command line.
        fix: /^[\w./-]+$/.test(file)
          ? `type: git update-index --chmod=+x ${file} && chmod +x ${file}`
          : 'make it executable, in git as well (mode 100755)',
      });
    const script = repository.text(file);
    if (key !== 'startCommand' && script !== undefined && goesOn(script))
      yield warning(at.place(key), 'SCRIPT_GOES_ON', {
        message: `${quote(file)} goes on after a command that failed, and the deploy with it`,
        fix: `write set -e on the second line of ${quote(file)}`,
      });
  }
}

/** True for a script of several commands that does not end at the first that fails. */
function goesOn(script: string): boolean {
  const lines = script.split('\n').filter(line => /^\s*[^#\s]/.test(line));
  return lines.length > 1 && !/^\s*set -(\w*e|o errexit|\w+ -e)|^#!.* -\w*e/m.test(script);
}

/** A service's NODE_ENV counts in its build, too, and then no install brings devDependencies. */
function* devDependencies(service: Service, repository: Repository): Generator<Problem> {
  const { at, rootDir, runtime, envVars } = service;
  if (runtime !== 'node' || at.has('repo')) return;
  if (envVars.find(({ key }) => key === 'NODE_ENV')?.text !== 'production') return;
  const text = at.text('buildCommand') ?? '';
  if (!/\b(npm (ci|i|install)|pnpm (i|install)|yarn( install)?)\b/.test(text)) return;
  if (/--include[ =]dev|--production[ =]false|--prod[ =]false|NODE_ENV=/.test(text)) return;
  const folder = /(?:^|&&|;)\s*cd ([\w./-]+)/.exec(text)?.[1] ?? '.';
  const manifest = repository.manifest(posix.join(rootDir, folder, 'package.json'));
  const script = /\b(?:run |yarn |pnpm )(build[\w:-]*)/.exec(text)?.[1];
  const tool = script && missingTool(manifest, script);
  if (tool)
    yield error(at.place('buildCommand'), 'DEV_DEPENDENCIES_LEFT_OUT', {
      message: `with NODE_ENV=production the install leaves out ${tool}, which the build needs`,
      fix: text.includes('npm')
        ? 'write npm ci --include=dev'
        : 'write NODE_ENV=development in front of the install',
    });
}

const binaries: ReadonlyMap<string, string> = new Map([
  ['tsc', 'typescript'],
  ['nest', '@nestjs/cli'],
  ['ng', '@angular/cli'],
]);

/** A tool of the script that only devDependencies bring. */
function missingTool(
  manifest: Record<string, unknown> | undefined,
  script: string,
): string | undefined {
  const table = (name: string) => (manifest?.[name] ?? {}) as Record<string, unknown>;
  const line = table('scripts')[script];
  if (typeof line !== 'string') return undefined;
  const words = line.split(/[\s&|;]+/).map(word => binaries.get(word) ?? word);
  if (words.includes('next')) words.push('typescript');
  return words.find(
    word =>
      Object.hasOwn(table('devDependencies'), word) && !Object.hasOwn(table('dependencies'), word),
  );
}

function* nextStandalone({ at, rootDir }: Service, repository: Repository): Generator<Problem> {
  const start = at.text('startCommand') ?? '';
  const path = /([\w./-]{0,200})\.next\/standalone\//.exec(start)?.[1];
  if (path === undefined) return;
  const config = ['js', 'mjs', 'ts', 'cjs']
    .map(ending => repository.text(posix.join(rootDir, path, `next.config.${ending}`)))
    .find(each => each !== undefined);
  if (config !== undefined && !/\bstandalone\b/.test(config))
    yield error(at.place('startCommand'), 'NEXT_NOT_STANDALONE', {
      message: 'it starts .next/standalone, which next.config does not ask for',
      fix: "write output: 'standalone' in next.config",
    });
}

function* testsBeforeDeploy({ at }: Service): Generator<Problem> {
  const tests = /\b(pytest|vitest|jest|npm (run )?test|yarn test|pnpm test|go test)\b/;
  if (tests.test(at.text('preDeployCommand') ?? ''))
    yield warning(at.place('preDeployCommand'), 'TESTS_BEFORE_DEPLOY', {
      message: "preDeployCommand runs tests, with production's variables and database",
      fix: 'run the tests in CI, and write autoDeployTrigger: checksPass',
    });
}
