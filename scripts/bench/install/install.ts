// npm run bench:install -- [PACKAGE@VERSION...] [--runs N] [--only NAME,...] [--node PATH]
//   [--growth] [--latency MS] [--disk] [--write]
// Compares whole installs of real packages: captures them once into a local static registry, then
// lets everybody install them in turn, cold and warm, on tmpfs where there is one, or with --disk on the
// disk that holds this repository.
import { execFileSync, fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderGrowth, renderMarkdown, renderSvg, type Subject } from './report';
import { runSubject } from './subject';
import { installTools } from './tools';

const root = join(__dirname, '..', '..', '..');
const cache = join(root, '.cache', 'bench');
const docs = join(root, 'docs', 'bench');

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    node: { type: 'string' },
    growth: { type: 'boolean' },
    latency: { type: 'string', default: '0' },
    disk: { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const ofGrowth = [
  'pino@9.9.0',
  'json-server@0.17.4',
  'unleash-server@8.2.0',
  '@strapi/strapi@5.23.0',
];
const usual = ['unleash-server@8.2.0', 'node-red@5.0.7'];

async function main(): Promise<void> {
  const runs = Number(flags.runs);
  const latency = Number(flags.latency);
  if (!(latency >= 0)) throw new Error('--latency wants milliseconds');
  if (!(runs >= 1)) throw new Error('--runs wants a number');
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'ignore' });
  const tools = installTools(join(cache, 'tools'), flags.node);
  // Files that are made soon after many were removed are slow on ext4; tmpfs has no such memory.
  const onTmpfs = !flags.disk && existsSync('/dev/shm');
  const base = mkdtempSync(
    join(onTmpfs ? '/dev/shm' : mkdirs(join(cache, 'work')), 'bootlace-bench-'),
  );
  const { registry, close } = await startRegistry(latency);
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, ${process.platform} ${process.arch}, ${onTmpfs ? 'tmpfs' : typeOfDisk(base)}${latency > 0 ? `; every answer ${latency} ms late` : ''}`;
  try {
    const specs = positionals.length ? positionals : flags.growth ? ofGrowth : usual;
    const subjects: Subject[] = [];
    for (const spec of specs)
      subjects.push(
        await runSubject(spec, {
          runs,
          tools,
          base,
          onTmpfs,
          registry,
          only: flags.only?.split(','),
          growth: flags.growth === true,
        }),
      );
    if (flags.growth) subjects.sort((a, b) => a.packages - b.packages);
    const about = {
      date: new Date().toISOString().slice(0, 10),
      machine,
      latency,
      onDisk: !onTmpfs,
      runs,
      versions: tools.versions,
    };
    const name = flags.growth ? 'growth' : latency > 0 ? 'latency' : onTmpfs ? 'install' : 'disk';
    const text = flags.growth ? renderGrowth(subjects, about) : renderMarkdown(subjects, about);
    console.log(text);
    if (!flags.write) return;
    mkdirSync(docs, { recursive: true });
    writeFileSync(join(docs, `${name}.md`), text);
    if (name === 'install') writeFileSync(join(docs, 'install.svg'), renderSvg(subjects, about));
  } finally {
    close();
    rmSync(base, { recursive: true, force: true });
  }
}

async function startRegistry(latency: number): Promise<{ registry: string; close: () => void }> {
  const child = fork(
    join(__dirname, 'static-registry.ts'),
    [join(cache, 'registry'), '--capture', `--latency=${latency}`],
    {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const registry = await new Promise<string>((resolve, reject) => {
    child.once('message', message => resolve(String(message)));
    child.once('exit', code => reject(new Error(`the registry ended with ${code}`)));
  });
  return { registry, close: () => child.disconnect() };
}

/** Such as `ext4`, as the system names it. */
function typeOfDisk(folder: string): string {
  const lines = execFileSync('df', ['--output=fstype', folder], { encoding: 'utf8' }).trim();
  return lines.split('\n').at(-1) ?? 'disk';
}

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
