import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openRepository } from '../../../src/files/repository';
import { bootlace, root, runNode, temporaryFolder } from '../../support/run';

const good = `services:
  - type: web
    name: api
    runtime: python
    buildCommand: ./build.sh
    startCommand: uvicorn a:a --port $PORT
`;

function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A folder with a Blueprint and a package, each with a fault. */
const both = (folder: string) => ({
  [`${folder}render.yaml`]: 'a: 1',
  [`${folder}package.json`]: '{"name":"@acme/backend","version":"1.0.0","main":"gone.js"}',
});
const bothFound = (folder: string) =>
  new RegExp(
    `^${folder}render\\.yaml:1:1: error FIELD_UNKNOWN a: .*\\n.*\\n${folder}package\\.json:1:.*error FILE_NOT_PACKED main: .*\\n.*\\n2 errors`,
  );

/** The private top of a repository. */
const top = {
  '.git/HEAD': '',
  'package.json': '{"name":"top","private":true}',
  'render.yaml': good,
};

const runs: [
  args: string[],
  files: Record<string, string>,
  code: number,
  out: RegExp,
  err: RegExp,
][] = [
  [['render.yaml'], { 'render.yaml': good }, 0, /^nothing to mend\n$/, /^$/],
  [[], { 'render.yaml': good }, 0, /^nothing to mend\n$/, /^$/],
  [[], { 'render.yml': good }, 0, /^nothing to mend\n$/, /^$/],
  [[], { 'render.yaml': good, 'package.json': '{"private":true}' }, 0, /^nothing to mend\n$/, /^$/],
  [
    ['deploy/render.yaml'],
    { 'deploy/render.yaml': 'a: 1' },
    3,
    /^deploy\/render\.yaml:1:1: error FIELD_UNKNOWN a: .*\n {2}fix: .*\n1 error, 0 warnings\n$/,
    /^$/,
  ],
  [['a.yaml'], { 'a.yaml': 'previewsEnabled: true' }, 0, /warning FIELD_DEPRECATED/, /^$/],
  [
    ['a.yaml', '--strict'],
    { 'a.yaml': 'previewsEnabled: true' },
    3,
    /warning FIELD_DEPRECATED/,
    /^$/,
  ],
  [
    ['a.yaml', 'b.yaml'],
    { 'a.yaml': 'a: 1', 'b.yaml': 'b: 1' },
    3,
    /^a\.yaml:1:1.*\n.*\nb\.yaml:1:1.*\n.*\n2 errors/,
    /^$/,
  ],
  [
    ['a.yaml', '--json'],
    { 'a.yaml': 'a: [' },
    3,
    /^\{\n {2}"ok": false,\n[\s\S]*"code": "YAML_INVALID"/,
    /^$/,
  ],
  [[], both(''), 3, bothFound(''), /^$/],
  [['.'], both(''), 3, bothFound(''), /^$/],
  [['api'], both('api/'), 3, bothFound('api/'), /^$/],
  [['none.yaml'], {}, 2, /^$/, /BLUEPRINT_NOT_FOUND[\s\S]*fix: write one: npx bootlace init$/m],
  [
    ['deploy/none.yaml'],
    { 'render.yml': good },
    2,
    /^$/,
    /BLUEPRINT_NOT_FOUND[\s\S]*fix: run: npx bootlace check render\.yml$/m,
  ],
  [['render.yaml', '--boot'], { 'render.yaml': good }, 2, /^$/, /FLAG_INVALID: --boot starts/],
  // The package cannot be read, and the Blueprint's finding is there.
  [
    [],
    { ...both(''), 'package.json': '{"name":"@acme/backend"}' },
    3,
    /^render\.yaml:1:1: error FIELD_UNKNOWN.*\n.*\n1 error/,
    /VERSION_MISSING/,
  ],
  [
    [],
    { ...both('apps/api/'), ...top },
    3,
    /^apps\/api\/package\.json:1:.*error FILE_NOT_PACKED[\s\S]*\n1 error/,
    /^$/,
  ],
  [
    [],
    { ...both('apps/api/'), ...top, 'apps/b/package.json': '{"name":"b","main":"b.js"}' },
    0,
    /^no package was checked; name one, as in: npx bootlace check apps\/api\nnothing to mend\n$/,
    /^$/,
  ],
  [['folder.yaml'], { 'folder.yaml/a': '' }, 2, /^$/, /BLUEPRINT_NOT_FOUND/],
];
for (const [args, files, code, out, err] of runs)
  test(`bootlace check ${args.join(' ')} with ${Object.keys(files)} → ${code}`, async t => {
    const cwd = temporaryFolder(t);
    write(cwd, files);
    const ended = await bootlace(['check', ...args], { cwd });
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stdout, out);
    assert.match(ended.stderr, err);
  });

test('it reads the repository around the file: modes, Dockerfiles, the backend', async t => {
  const cwd = temporaryFolder(t);
  write(cwd, {
    '.git/HEAD': '',
    'package.json': '{"private":true,"workspaces":["packages/*"]}',
    'packages/backend/package.json':
      '{"name":"@acme/backend","bootlace":{"requires":["STRIPE_KEY"]}}',
    'build.sh': 'set -e',
    Dockerfile: 'FROM node:24\nCMD ["node", "a.js", "--port", "8000"]',
    'render.yaml': `${good}  - type: web
    name: site
    runtime: docker
  - type: web
    name: backend
    runtime: node
    buildCommand: npx bootlace setup --package @acme/backend
    startCommand: node server.js
    healthCheckPath: /health
    autoDeployTrigger: 'off'
    envVars:
      - {key: NODE_VERSION, value: 24.x}
      - {key: SKIP_INSTALL_DEPS, value: "true"}
`,
  });
  const codes = async () => {
    const { stdout } = await bootlace(['check', '--json'], { cwd });
    // The backend has no version to be packed with, which hides nothing.
    const { code, facts } = JSON.parse(stdout).error;
    assert.equal(code, 'VERSION_MISSING');
    return facts.findings.map(
      ({ code, line }: { code: string; line: number }) => `${line} ${code}`,
    );
  };
  assert.deepEqual(await codes(), [
    '5 BUILD_SCRIPT_NOT_EXECUTABLE',
    '7 PORT_FIXED',
    '18 REQUIRED_MISSING',
  ]);
  chmodSync(join(cwd, 'build.sh'), 0o755);
  assert.deepEqual(await codes(), ['7 PORT_FIXED', '18 REQUIRED_MISSING']);
});

test('no path of a Blueprint leads out of the repository', t => {
  const cwd = temporaryFolder(t);
  write(cwd, { 'outside.txt': 'out', 'repository/.git/HEAD': '', 'repository/in.txt': 'in' });
  symlinkSync(join(cwd, 'outside.txt'), join(cwd, 'repository/link.txt'));
  const repository = openRepository(join(cwd, 'repository'));
  const texts: [path: string, text: string | undefined][] = [
    ['in.txt', 'in'],
    ['./a/../in.txt', 'in'],
    ['../outside.txt', undefined],
    ['link.txt', undefined],
    [join(cwd, 'outside.txt'), undefined],
    ['.git', undefined],
    ['', undefined],
    ['\0', undefined],
  ];
  for (const [path, text] of texts) assert.equal(repository.text(path), text, path);
});

test('the YAML parser is loaded for a Blueprint, and by no other command', async t => {
  const cwd = temporaryFolder(t);
  write(cwd, {
    'render.yaml': good,
    'loaded.js': `process.on('exit', () => console.error(Object.keys(require.cache).filter(name => /blueprint\\.js$/.test(name)).length));
      process.argv.splice(1, 1); require(process.argv[1]);`,
  });
  const loaded = async (...args: string[]) => {
    const ended = await runNode(join(cwd, 'loaded.js'), [join(root, 'bin/bootlace.js'), ...args], {
      cwd,
    });
    return ended.stderr.trim().split('\n').at(-1);
  };
  assert.equal(await loaded('check', 'render.yaml'), '1');
  assert.equal(await loaded('check', '--help'), '0');
  assert.equal(await loaded('status'), '0');
});
