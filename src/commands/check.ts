import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from '../errors';
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

/** What the words name; without one, what the working folder holds. */
function subjects({ dir, positionals, flags }: Context) {
  const blueprints: string[] = [];
  const packages: string[] = [];
  for (const word of positionals.length ? positionals : ['.']) {
    const path = resolve(dir, word);
    if (/\.ya?ml$/i.test(word)) blueprints.push(word);
    else if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      const name = ['render.yaml', 'render.yml'].find(each => existsSync(join(path, each)));
      if (name) blueprints.push(join(word, name));
      const manifest = parseObject(readText(join(path, 'package.json')));
      // A private package, such as the root of a workspace, is not published.
      const isPublished = manifest !== undefined && manifest.private !== true;
      if (!name || isPublished || flags.boot) packages.push(word);
    } else packages.push(word);
  }
  return { blueprints, packages };
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
  const fix = 'name the Blueprint, as in: npx bootlace check render.yaml';
  const stat = existsSync(file) ? statSync(file) : undefined;
  if (!stat?.isFile())
    throw new UsageError('BLUEPRINT_NOT_FOUND', `there is no file ${file}`, { fix });
  if (stat.size > 1_000_000)
    throw new UsageError('BLUEPRINT_TOO_LARGE', `${file} is larger than 1 MB`, { fix });
  return readText(file) ?? '';
}
