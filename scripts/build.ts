// Builds what is published: dist/cli.js, dist/blueprint.js (`check` of a render.yaml, with its YAML
// parser, loaded when it is wanted), dist/unpack-worker.js (the second thread of an install), dist/launcher.cjs (what
// server.js loads), and the licences of what is bundled.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const root = join(__dirname, '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};

const common: BuildOptions & { metafile: true } = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20.17',
  format: 'cjs',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  absWorkingDir: root,
  define: { BOOTLACE_VERSION: JSON.stringify(version) },
};

/** A lazily loaded file stays a file: its import becomes a require of the neighbour in dist. */
const lazyBlueprint: Plugin = {
  name: 'lazy-blueprint',
  setup(build) {
    build.onResolve({ filter: /\/blueprint\/check$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './blueprint.js', external: true },
    );
  },
};

/** Without the debugger of the proxy agents: it would print requests when DEBUG is set. */
const withoutDebug: Plugin = {
  name: 'without-debug',
  setup(build) {
    build.onLoad({ filter: /node_modules\/debug\/src\/index\.js$/ }, () => ({
      contents: 'module.exports = () => () => {}',
    }));
  },
};

/** ssri needs streams for what bootlace does not use of it. */
const withoutStreams: Plugin = {
  name: 'without-streams',
  setup(build) {
    build.onLoad({ filter: /node_modules\/minipass\/dist\/.*\.js$/ }, () => ({
      contents: 'exports.Minipass = class {}',
    }));
  },
};

async function main(): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  const bundles = await Promise.all([
    build({
      ...common,
      entryPoints: { cli: 'src/cli.ts' },
      outdir: 'dist',
      plugins: [lazyBlueprint, withoutStreams, withoutDebug],
    }),
    build({
      ...common,
      entryPoints: { blueprint: 'src/files/blueprint/check.ts' },
      outdir: 'dist',
      // Its ES modules: esbuild leaves out of them what only writes YAML, which it cannot in CommonJS.
      alias: { yaml: join(root, 'node_modules/yaml/browser/dist/index.js') },
    }),
    build({
      ...common,
      entryPoints: { 'unpack-worker': 'src/install/unpack-worker.ts' },
      outdir: 'dist',
      plugins: [withoutStreams],
    }),
    build({
      ...common,
      entryPoints: { launcher: 'src/start/launcher.ts' },
      outdir: 'dist',
      outExtension: { '.js': '.cjs' },
    }),
  ]);
  writeFileSync(
    join(root, 'THIRD-PARTY-LICENSES.txt'),
    licences(bundles.map(({ metafile }) => metafile)),
  );
}

/** The licence texts of every package that a bundle holds code of. */
function licences(metafiles: readonly Metafile[]): string {
  const folders = new Set<string>();
  for (const { outputs } of metafiles)
    for (const { inputs } of Object.values(outputs))
      for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
        if (folder && bytesInOutput > 0) folders.add(folder);
      }
  const texts = [...folders].sort().map(folder => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(root, folder, 'package.json'), 'utf8'),
    );
    const file = readdirSync(join(root, folder)).find(name => /^(licen[cs]e|copying)/i.test(name));
    const text =
      file && existsSync(join(root, folder, file))
        ? readFileSync(join(root, folder, file), 'utf8').trim()
        : '';
    if (!text && !license) throw new Error(`${basename(folder)} has no licence`);
    return `${name} ${version} (${license})\n\n${text || `Licensed under ${license}; the package carries no licence text.`}\n`;
  });
  return `bootlace bundles these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
