import { posix } from 'node:path';
import { NotFoundError } from '../../errors';
import { githubName, isPlainPath, type Repository, serviceName } from '../repository';
import { bodyOf, readHead } from './head';
import {
  type PlannedFile,
  type ReadTemplate,
  replaceParagraph,
  swap,
  withoutLines,
} from './template';
import { asked, entry, value } from './variables';

/** What the repository declares about its Python service. */
interface PythonFacts {
  folder: string;
  name: string;
  /** An exact version: 3.10 as a number is 3.1. */
  version: string;
  hasRequirements: boolean;
  /** What uvicorn starts, such as app.main:app. */
  app: string;
  migrates: boolean;
  /** The user's own .env.example. */
  example: string | undefined;
}

const newest = '3.13.5';

/** @throws NotFoundError INIT_NO_PYTHON */
export function readPythonFacts(repository: Repository, name: string): PythonFacts {
  const has = (folder: string, file: string) => repository.has(posix.join(folder, file));
  const folder = repository
    .folders(2)
    .find(at => has(at, 'requirements.txt') || has(at, 'pyproject.toml'));
  if (folder === undefined || !isPlainPath(folder))
    throw new NotFoundError(
      'INIT_NO_PYTHON',
      'there is no requirements.txt and no pyproject.toml',
      {
        fix: 'run it at the top of a repository that has one of them there, or in a folder such as backend',
      },
    );
  const module = ['main.py', 'app/main.py', 'src/main.py', 'app.py'].find(file =>
    has(folder, file),
  );
  const pinned =
    repository.text(posix.join(folder, '.python-version')) ?? repository.text('.python-version');
  const example = repository.text(posix.join(folder, '.env.example'));
  return {
    folder,
    name,
    version: /^\s*(3\.\d+\.\d+)\s*$/.exec(pinned ?? '')?.[1] ?? newest,
    hasRequirements: has(folder, 'requirements.txt'),
    app: `${(module ?? 'main.py').replace(/\.py$/, '').replaceAll('/', '.')}:app`,
    migrates: has(folder, 'alembic.ini'),
    example: example !== undefined && !readHead(example)?.isIntact ? bodyOf(example) : undefined,
  };
}

/** The repository's name for services: its name on GitHub, or its folder's. */
export function repositoryName(repository: Repository, folder: string): string {
  return serviceName(githubName(repository)?.split('/')[1] ?? folder) || 'app';
}

/** The files of the recipe python. Pure. */
export function pythonFiles(
  facts: PythonFacts,
  docker: boolean,
  read: ReadTemplate,
): PlannedFile[] {
  const { folder, name, hasRequirements, migrates } = facts;
  const template = (file: string) =>
    swap(read(`python/${file}`), {
      'acme-api': name,
      '3.13.5': facts.version,
      'main:app': facts.app,
      'context: backend': `context: ${folder || '.'}`,
      'backend/.env': posix.join(folder, '.env'),
      ...(!hasRequirements && {
        'pip install -r requirements.txt': 'pip install .',
        'COPY requirements.txt ./': 'COPY . ./',
        'pip install --no-cache-dir -r requirements.txt': 'pip install --no-cache-dir .',
      }),
    });
  const at = (file: string) => posix.join(folder, file);
  const example = read('python/env.example');
  const build = template('build.sh');
  const files: PlannedFile[] = [
    {
      path: 'render.yaml',
      text: blueprint(template('render.yaml'), facts, facts.example ?? example),
    },
    {
      path: at('build.sh'),
      text: `#!/usr/bin/env bash\n${migrates ? build : `${build.split('\n\n').slice(0, 2).join('\n\n')}\n`}`,
      isExecutable: true,
    },
    { path: at('.env.example'), text: example },
  ];
  if (!docker) return files;
  return [
    ...files,
    { path: at('Dockerfile'), text: template('Dockerfile') },
    { path: at('.dockerignore'), text: template('dockerignore') },
    {
      path: 'compose.yaml',
      text: migrates
        ? template('compose.yaml')
        : withoutLines(template('compose.yaml'), '# Migrate:'),
    },
  ];
}

function blueprint(template: string, facts: PythonFacts, example: string): string {
  const { folder, version, migrates } = facts;
  const variables = [
    entry('PYTHON_VERSION', [`value: '${version}'`]),
    ...(migrates ? [entry('MIGRATE_IN_BUILD', value('true'))] : []),
    ...requiredOf(example).map(name =>
      entry(name, name === 'ENVIRONMENT' ? value('production') : asked),
    ),
  ];
  return replaceParagraph(template, 'type: web', service => {
    const fields = service.slice(0, service.indexOf('    envVars:'));
    const lines = migrates ? fields : withoutLines(fields, '    # ');
    const placed = lines.replace(/ {4}rootDir: .*\n/, folder ? `    rootDir: ${folder}\n` : '');
    return `${placed}    envVars:\n${variables.join('\n')}`;
  });
}

/** The variables of .env.example that are not commented out; Render sets PORT. */
function requiredOf(example: string): string[] {
  const names = [...example.matchAll(/^(?:export )?([A-Za-z_]\w*)=/gm)].map(
    ([, name]) => name as string,
  );
  return [...new Set(names)].filter(
    name => !['PORT', 'PYTHON_VERSION', 'MIGRATE_IN_BUILD'].includes(name),
  );
}
