import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkBlueprint } from '../../../src/files/blueprint/check';
import { openRepository } from '../../../src/files/repository';
import { root } from '../../support/run';
import {
  createRepository,
  dockerRepository,
  type Files,
  initEnds,
  monorepo,
  pythonRepository,
  read,
  sampleMonorepo,
  template,
} from './repositories';
import {
  blueprintFaults,
  composeFaults,
  dockerfileFaults,
  expressionFaults,
  findFaults,
  missingSchema,
  missingShellcheck,
  shellFaults,
  workflowFaults,
} from './validators';

const nextBackend = {
  name: '@acme/site',
  dependencies: { next: '^16' },
  scripts: { start: 'node server.js' },
  publishConfig: { directory: '.next/standalone' },
  bootlace: { requires: ['DATABASE_URL', 'NEXTAUTH_SECRET', 'NEXTAUTH_URL', 'OPENAI_API_KEY'] },
};
const bare = { bootlace: undefined, engines: undefined, scripts: { start: 'node dist/main.js' } };
const elsewhere = { publishConfig: { registry: 'https://npm.acme.example/private/' } };

const repositories: readonly (readonly [what: string, files: Files, line: string])[] = [
  ['the sample', sampleMonorepo, '--docker'],
  ['nothing declared', monorepo(bare), '--docker'],
  ['Next.js', monorepo(nextBackend), '--docker'],
  ['a registry of its own', monorepo(elsewhere), '--docker'],
  ['pnpm', { ...sampleMonorepo, 'package-lock.json': '', 'pnpm-lock.yaml': '' }, ''],
  ['a package at the top', { 'package.json': { name: '@acme/api', main: 'main.js' } }, '--docker'],
  ['no web role', monorepo({ bootlace: { roles: { mail: 'a.js' }, migrate: 'm' } }), ''],
  ['python', pythonRepository, '--recipe python --docker'],
  ['python at the top', { 'pyproject.toml': '', 'app/main.py': '' }, '--recipe python --docker'],
  ['docker', dockerRepository, '--recipe docker'],
  ['docker, one service', { 'api/Dockerfile': 'FROM scratch\nCOPY . .' }, '--recipe docker'],
];
for (const [what, files, line] of repositories)
  test(`validators accept ${what}`, async t => {
    for (const reason of [missingSchema, missingShellcheck]) if (reason) return t.skip(reason);
    const folder = createRepository(t, files);
    await initEnds(folder, line, 0);
    assert.deepEqual(await findFaults(folder), []);
    // With the flags of the first run, which the files remember.
    await initEnds(folder, '--check', 0);
  });

for (const [what, files, line] of repositories)
  test(`bootlace check has nothing to say about ${what}`, async t => {
    const folder = createRepository(t, files);
    await initEnds(folder, line, 0);
    const blueprint = join(folder, 'render.yaml');
    const found = checkBlueprint(read(folder, 'render.yaml'), blueprint, openRepository(blueprint));
    assert.deepEqual(found, []);
  });

const templates: readonly (readonly [template: string, written: string, line: string, Files])[] = [
  ['node/render.yaml', 'render.yaml', '', sampleMonorepo],
  ['node/publish-backend.yml', '.github/workflows/publish-backend.yml', '', sampleMonorepo],
  ['node/deploy.yml', '.github/workflows/deploy.yml', '', sampleMonorepo],
  ['node/env.example', '.env.example', '', sampleMonorepo],
  ['node/Dockerfile', 'Dockerfile', '--docker', sampleMonorepo],
  ['node/compose.yaml', 'compose.yaml', '--docker', sampleMonorepo],
  ['python/render.yaml', 'render.yaml', '--recipe python', { ...pythonRepository }],
  ['python/compose.yaml', 'compose.yaml', '--recipe python --docker', pythonRepository],
  ['docker/render.yaml', 'render.yaml', '--recipe docker', dockerRepository],
  ['docker/compose.yaml', 'compose.yaml', '--recipe docker', dockerRepository],
  ['docker/Dockerfile', 'services/api/Dockerfile', '--recipe docker', dockerRepository],
];
for (const [name, path, line, files] of templates)
  test(`${name} is what init writes for its sample`, async t => {
    const folder = createRepository(t, files);
    await initEnds(folder, line, 0);
    const [, , ...body] = read(folder, path).split('\n');
    const expected = template(name);
    assert.equal(body.join('\n'), name.startsWith('python') ? named(expected) : expected);
  });

/** The sample of the recipe python is called after its repository. */
const named = (text: string) => text.replaceAll('acme-api', 'api');

const workflow = template('node/deploy.yml');
const faults: readonly (readonly [what: string, faults: () => string[] | Promise<string[]>])[] = [
  ['an input inside a shell line', () => expressionFaults('echo ${{ inputs.version }}')],
  ['an event inside a shell line', () => expressionFaults('a\nb "${{github.event.number}}"')],
  [
    'a key that no workflow has',
    () => workflowFaults(workflow.replace('timeout-minutes', 'limit')),
  ],
  ['an action by its tag', () => workflowFaults(workflow.replace(/@[0-9a-f]{40}/, '@v7'))],
  ['an unquoted variable', () => shellFaults('echo $VERSION')],
  ['a Dockerfile that begins with no FROM', () => dockerfileFaults('RUN true\n')],
  [
    'a compose file that has a version',
    () => composeFaults(join(root, 'test/files/init/old-compose.yaml')),
  ],
  ['a field of no service', () => blueprintFaults('services: [{type: web, name: a, env: node}]')],
];
for (const [what, found] of faults)
  test(`the validators see ${what}`, async t => {
    for (const reason of [missingSchema, missingShellcheck]) if (reason) return t.skip(reason);
    assert.notDeepEqual(await found(), []);
  });
