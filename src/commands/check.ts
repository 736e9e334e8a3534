import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { BootlaceError, UsageError } from '../errors';
import { findBackends } from '../files/init/find-backend';
import { openRepository } from '../files/repository';
import { parseObject } from '../json';
import { foldersAbove } from '../publish/workspace';
import { readText } from '../settings/read-text';
import { type Finding, reportFindings } from '../ui/findings';
import { checkPackage, packageHelp, packageOptions } from './check-package';
import type { Command, Context } from './command';

export const command: Command = {
  usage: 'bootlace check [DIR|TGZ|SPEC|render.yaml] [--boot] [--strict]',
  help: [
    ['render.yaml', 'a Blueprint of Render: a path that ends in .yaml or .yml'],
    ['DIR', 'its render.yaml and its package, as npm would pack it; by default this folder'],
    ...packageHelp,
    ['--strict', 'end with 3 for warnings, too'],
  ],
  options: { ...packageOptions, strict: { type: 'boolean' } },
  positionals: -1,
  async run(context) {
    const { flags } = context;
    const findings: Finding[] = [];
    const { blueprints, packages } = subjects(context);
    if (flags.boot && packages.length === 0)
      throw new UsageError('FLAG_INVALID', '--boot starts a package, and none is named', {
        fix: 'name its folder, too, as in: npx bootlace check . --boot',
      });
    for (const path of blueprints) findings.push(...(await checkFile(path, context)));
    try {
      for (const spec of packages) findings.push(...(await checkPackage(spec, context)));
    } catch (error) {
      // Under --json there is one document, the failure's.
      if (flags.json && error instanceof BootlaceError) error.facts.findings = findings;
      else if (findings.length) reportFindings(findings, context, false);
      throw error;
    }
    return reportFindings(findings, context, flags.strict === true);
  },
};

/** What the words name; without one, what the working folder holds. */
function subjects({ dir, positionals, flags, report }: Context) {
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
      const [first, ...others] = isPublished ? [] : backendsBelow(path);
      if (first !== undefined && others.length === 0) packages.push(join(word, first));
      else if (!name || isPublished || flags.boot) packages.push(word);
      else if (first !== undefined)
        report.line(
          `no package was checked; name one, as in: npx bootlace check ${join(word, first)}`,
        );
    } else packages.push(word);
  }
  return { blueprints, packages };
}

/** The packages that `init` would take for the backend, where a folder is a repository's top. */
function backendsBelow(path: string): string[] {
  const repository = openRepository(path);
  return ['', '.'].includes(repository.blueprint)
    ? findBackends(repository).candidates.map(({ folder }) => folder)
    : [];
}

async function checkFile(path: string, { dir }: Context): Promise<Finding[]> {
  const file = resolve(dir, path);
  const text = readBlueprint(file, dir);
  const inside = relative(dir, file);
  const shown = inside.startsWith('..') ? file : inside.split(sep).join('/');
  const { checkBlueprint } = await import('../files/blueprint/check');
  return checkBlueprint(text, shown, openRepository(dirname(file), basename(file)));
}

/** @throws UsageError BLUEPRINT_NOT_FOUND or BLUEPRINT_TOO_LARGE */
function readBlueprint(file: string, dir: string): string {
  const stat = existsSync(file) ? statSync(file) : undefined;
  if (!stat?.isFile()) {
    const present = [dirname(file), dir, ...foldersAbove(dir)]
      .flatMap(folder => [join(folder, 'render.yaml'), join(folder, 'render.yml')])
      .find(each => each !== file && existsSync(each));
    throw new UsageError('BLUEPRINT_NOT_FOUND', `there is no file ${file}`, {
      fix: present
        ? `run: npx bootlace check ${relative(dir, present)}`
        : 'write one: npx bootlace init',
    });
  }
  if (stat.size > 1_000_000)
    throw new UsageError('BLUEPRINT_TOO_LARGE', `${file} is larger than 1 MB`, {
      fix: 'name a Blueprint of Render: it has some 100 lines',
    });
  return readText(file) ?? '';
}
