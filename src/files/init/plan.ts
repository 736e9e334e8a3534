import { SettingError } from '../../errors';
import { findFreeServerFile, serverFileNames } from '../../start/server-file';
import { type BackendFacts, readBackend } from './backend-facts';
import { dockerFiles, readDockerFacts } from './docker-files';
import { withHead } from './head';
import { nodeFiles } from './node-files';
import { type InitOptions, wordsOf } from './options';
import { pythonFiles, readPythonFacts, repositoryName } from './python-files';
import { githubName, type Repository, serviceName } from './repository';
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
  const { files, subject, notes } = recipe(repository, folder, options, read);
  const words = wordsOf(options);
  if (!/(^|\/)(\.env\*?|\*\.env)\s*$/m.test(repository.read('.gitignore') ?? ''))
    notes.push('.gitignore has no line .env: add it before a .env with secrets is committed');
  return {
    files: files.map(file => ({ ...file, text: withHead(file.text, words) })),
    subject,
    notes,
  };
}

function recipe(
  repository: Repository,
  folder: string,
  options: InitOptions,
  read: ReadTemplate,
): InitPlan {
  if (options.recipe === 'node') {
    const facts = readBackend(repository, options.package);
    const serverFile = serverFileFor(repository, options.serverFile);
    const notes = notesOn(facts, repository, options);
    if (serverFile !== 'server.js' && options.serverFile === undefined)
      notes.push(`server.js is the repository's own: setup writes ${serverFile}`);
    return { files: nodeFiles(facts, options, serverFile, read), subject: facts.package, notes };
  }
  const name = options.package ? serviceName(options.package) : repositoryName(repository, folder);
  const files =
    options.recipe === 'python'
      ? pythonFiles(readPythonFacts(repository, name), options.docker, read)
      : dockerFiles(readDockerFacts(repository, name), read);
  return { files, subject: name, notes: [] };
}

/** @throws SettingError INIT_SERVER_FILE_TAKEN */
function serverFileFor(repository: Repository, asked: string | undefined): string {
  const names = asked === undefined ? serverFileNames : [asked];
  const free = findFreeServerFile(name => repository.read(name), names);
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
  const unknown = ask.filter(name => !facts.requires.includes(name));
  if (unknown.length)
    notes.push(`--ask ${unknown.join(', ')}: not in "requires" of ${facts.package}`);
  return notes;
}
