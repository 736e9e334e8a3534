import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { systemCode, UsageError } from '../errors';
import { openRepository } from '../files/repository';
import { parseObject } from '../json';
import { readText } from '../settings/read-text';
import { type Finding, reportFindings } from '../ui/findings';
import { checkPackage, packageHelp, packageOptions } from './check-package';
import type { Command, Context } from './command';

export const command: Command = {
  usage: 'bootlace check [DIR|TGZ|SPEC|render.yaml] [--boot] [--strict]',
  help: [
    ['render.yaml', 'a Blueprint of Render: a path that ends in .yaml or .yml'],
    ...packageHelp,
    ['', 'a folder: its render.yaml and its package; without a word, this one'],
    ['--strict', 'end with 3 for warnings, too'],
  ],
  options: { ...packageOptions, strict: { type: 'boolean' } },
  positionals: -1,
  async run(context) {
    const findings: Finding[] = [];
    const { blueprints, packages } = subjects(context);
    for (const path of blueprints) findings.push(...(await checkFile(path, context)));
    for (const spec of packages) findings.push(...(await checkPackage(spec, context)));
    return reportFindings(findings, context, context.flags.strict === true);
  },
};

interface Subjects {
  blueprints: string[];
  packages: string[];
}

/** What the words name; without one, what the working folder holds. */
function subjects({ dir, positionals, flags }: Context): Subjects {
  const all: Subjects = { blueprints: [], packages: [] };
  for (const word of positionals.length ? positionals : ['.']) {
    const path = resolve(dir, word);
    if (/\.ya?ml$/i.test(word)) all.blueprints.push(word);
    else if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      const name = ['render.yaml', 'render.yml'].find(each => existsSync(join(path, each)));
      if (name) all.blueprints.push(join(word, name));
      const manifest = parseObject(readText(join(path, 'package.json')));
      // A private package, such as the root of a workspace, is not published.
      const isPublished = manifest !== undefined && manifest.private !== true;
      if (!name || isPublished || flags.boot) all.packages.push(word);
    } else all.packages.push(word);
  }
  return all;
}

async function checkFile(path: string, { dir }: Context): Promise<Finding[]> {
  const file = resolve(dir, path);
  const text = readBlueprint(file);
  const inside = relative(dir, file);
  const shown = inside.startsWith('..') ? file : inside.split(sep).join('/');
  const { checkBlueprint } = await import('../files/blueprint/check');
  return checkBlueprint(text, shown, openRepository(dirname(file), basename(file)));
}

/** @throws UsageError BLUEPRINT_NOT_FOUND or BLUEPRINT_TOO_LARGE */
function readBlueprint(file: string): string {
  try {
    const stat = statSync(file);
    if (stat.isFile() && stat.size <= 1_000_000) return readFileSync(file, 'utf8');
    throw new UsageError(
      stat.isFile() ? 'BLUEPRINT_TOO_LARGE' : 'BLUEPRINT_NOT_FOUND',
      stat.isFile() ? `${file} is larger than 1 MB, and no Blueprint is` : `${file} is no file`,
      { fix: 'name the Blueprint, as in: npx bootlace check render.yaml' },
    );
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof UsageError || code === undefined) throw error;
    throw new UsageError('BLUEPRINT_NOT_FOUND', `cannot read ${file} (${code})`, {
      fix: 'name the Blueprint, as in: npx bootlace check render.yaml',
      cause: error,
    });
  }
}
