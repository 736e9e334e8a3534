import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBlueprint } from '../../../src/files/blueprint/check';
import type { Repository } from '../../../src/files/repository';
import type { Finding } from '../../../src/ui/findings';
import { root } from '../../support/run';

/** A repository made of texts; `executable` names the files with that bit. */
export function repositoryOf(
  files: Readonly<Record<string, string>> = {},
  { executable = [] as string[], blueprint = 'render.yaml' } = {},
): Repository {
  const manifest = (path: string) => {
    const text = files[path];
    return text === undefined ? undefined : JSON.parse(text);
  };
  return {
    blueprint,
    text: path => files[path],
    has: path => path in files,
    folders: () => [],
    manifest,
    isExecutable: path => (path in files ? executable.includes(path) : undefined),
    packageFolder: name =>
      Object.keys(files)
        .filter(path => path.endsWith('package.json') && manifest(path).name === name)
        .map(path => path.replace(/\/?package\.json$/, ''))[0],
  };
}

export function check(text: string, repository = repositoryOf({}, { blueprint: '' })): Finding[] {
  return checkBlueprint(text, 'render.yaml', repository);
}

const shared = join(root, '..', 'shared', 'render');
export const schemaFile = join(shared, 'blueprint.schema.2026-09.json');

/** Public Blueprints, or the reason why there are none. */
export function realBlueprints(): { name: string; text: string }[] | string {
  const folder = join(shared, 'blueprints');
  if (!existsSync(folder) || !existsSync(schemaFile)) return `${shared} is not there`;
  return readdirSync(folder).map(name => ({
    name,
    text: readFileSync(join(folder, name), 'utf8'),
  }));
}
