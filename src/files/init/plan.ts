import { SettingError } from '../../errors';
import { findFreeServerFile, serverFileNames } from '../../start/server-file';
import { githubName, type Repository, serviceName } from '../repository';
import { type BackendFacts, readBackend } from './backend-facts';
import { dockerFiles, readDockerFacts } from './docker-files';
import { withHead } from './head';
import { nodeFiles } from './node-files';
import { type InitOptions, wordsOf } from './options';
import { pythonFiles, readPythonFacts, repositoryName } from './python-files';
import type { PlannedFile, ReadTemplate } from './template';

export interface InitPlan {
  files: PlannedFile[];
  /** The service or package that the files are for. */
  subject: string;
  notes: string[];
}

/**
 * Reads the repository and plans its deployment files; writes nothing.
 * @param folder the name of the repository's folder
 * @throws what reading the facts throws; SettingError INIT_SERVER_FILE_TAKEN
 */
export function planInit(
  repository: Repository,
  folder: string,
  options: InitOptions,
  read: ReadTemplate,
): InitPlan {
  const notes: string[] = [];
  const plan = (subject: string, files: readonly PlannedFile[]): InitPlan => {
    if (!/(^|\/)(\.env\*?|\*\.env)\s*$/m.test(repository.text('.gitignore') ?? ''))
      notes.push('.gitignore has no line .env: add it before a .env with secrets is committed');
    const words = wordsOf(options);
    return {
      files: files.map(file => ({ ...file, text: withHead(file.text, words) })),
      subject,
      notes,
    };
  };
  if (options.recipe === 'node') {
    const facts = readBackend(repository, options.package);
    const serverFile = serverFileFor(repository, options.serverFile);
    notes.push(...notesOn(facts, repository, options));
    if (serverFile !== 'server.js' && options.serverFile === undefined)
      notes.push(`server.js is the repository's own: setup writes ${serverFile}`);
    return plan(facts.package, nodeFiles(facts, options, serverFile, read));
  }
  const name = options.package ? serviceName(options.package) : repositoryName(repository, folder);
  return plan(
    name,
    options.recipe === 'python'
      ? pythonFiles(readPythonFacts(repository, name), options.docker, read)
      : dockerFiles(readDockerFacts(repository, name), read),
  );
}

/** @throws SettingError INIT_SERVER_FILE_TAKEN */
function serverFileFor(repository: Repository, asked: string | undefined): string {
  const names = asked === undefined ? serverFileNames : [asked];
  const free = findFreeServerFile(name => repository.text(name), names);
  if (free !== undefined) return free;
  throw new SettingError(
    'INIT_SERVER_FILE_TAKEN',
    `${names.join(', ')}: not bootlace's to replace`,
    {
      fix: 'name a file that is not there: npx bootlace init --server-file bootlace.js',
    },
  );
}

function notesOn(facts: BackendFacts, repository: Repository, { ask }: InitOptions): string[] {
  const notes: string[] = [];
  const owner = githubName(repository)?.split('/')[0];
  const { scope, registry } = facts;
  if (owner && scope && !registry && scope.slice(1).toLowerCase() !== owner.toLowerCase())
    notes.push(
      `GitHub Packages takes the scope of the repository's owner: @${owner.toLowerCase()}, not ${scope}`,
    );
  const { requires, migrate } = facts.undeclared;
  const missing = [requires && 'no variable', migrate && 'no migration'].filter(Boolean);
  if (missing.length)
    notes.push(
      `package.json of ${facts.package} names ${missing.join(' and ')}${requires ? ', so that no database and no secret is asked for' : ''}: write into it for example "bootlace": ${JSON.stringify(facts.undeclared)}`,
    );
  const unknown = ask.filter(name => !facts.requires.includes(name));
  if (unknown.length)
    notes.push(`--ask ${unknown.join(', ')}: not in "requires" of ${facts.package}`);
  return notes;
}
