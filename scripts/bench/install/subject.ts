import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseLockDocument, renderLock } from '../../../src/lock/document';
import { withoutMissing } from '../../../src/lock/fits';
import { median } from '../figures';
import {
  type Command,
  type Contestant,
  contestants,
  lockCommands,
  npmLock,
  type Place,
  packagesIn,
} from './contestants';
import { type Cost, countFiles, measure } from './measure';
import type { Pinned, Row, Subject } from './report';
import type { Tools } from './tools';

export interface Bench {
  runs: number;
  tools: Tools;
  base: string;
  onTmpfs: boolean;
  registry: string;
  /** Beginnings of the names of those that run; all of them by default. */
  only: readonly string[] | undefined;
  /** Cold runs only, and only from a lock. */
  growth: boolean;
}

/** Lets everybody install one package, `runs` times in turn. */
export async function runSubject(spec: string, bench: Bench): Promise<Subject> {
  const at = spec.lastIndexOf('@');
  const identity = {
    package: spec.slice(0, at),
    version: spec.slice(at + 1),
    registry: bench.registry,
  };
  console.error(`\n${spec}: capturing`);
  const tree = join(bench.base, `tree-${identity.package.replace('/', '-')}`, 'node_modules');
  const { locks, packages } = await makeLocks({ ...identity, tree }, bench);
  const chosen = contestants(bench.tools).filter(
    ({ name, resolves }) =>
      (!bench.only || bench.only.some(part => name.startsWith(part))) &&
      !(bench.growth && resolves),
  );
  const rows = chosen.map((contestant): Row & { contestant: Contestant; warmCache: string } => ({
    contestant,
    warmCache: mkdtempSync(join(bench.base, 'warm-')),
    name: contestant.name,
    cold: [],
    warm: [],
    files: 0,
    bytes: 0,
  }));
  const once = async (row: (typeof rows)[number], cacheDir: string): Promise<Cost> => {
    const dir = mkdtempSync(join(bench.base, 'run-'));
    const place: Place = {
      ...identity,
      tree,
      dir,
      cache: cacheDir,
      locks,
    };
    row.contestant.prepare(place);
    const cost = await run(bench.tools, row.contestant.command(place), dir);
    Object.assign(row, countFiles(row.contestant.result(dir)));
    if (bench.onTmpfs) rmSync(dir, { recursive: true });
    return cost;
  };
  await makeTree({ ...identity, tree, locks }, bench);
  // The first run of each fills the registry and the warm caches and counts for nothing.
  for (const row of rows) await once(row, row.warmCache);
  for (let i = 0; i < bench.runs; i++)
    for (const row of rows) {
      const cold = mkdtempSync(join(bench.base, 'cold-'));
      row.cold.push(await once(row, cold));
      if (bench.onTmpfs) rmSync(cold, { recursive: true, force: true });
      if (!bench.growth && !row.contestant.hasNoCache)
        row.warm.push(await once(row, row.warmCache));
      const { wall, peak } = row.cold.at(-1) as Cost;
      console.error(
        `${spec} ${i + 1}/${bench.runs} ${row.name}: ${Math.round(wall)} ms, ${Math.round(peak / 1e6)} MB`,
      );
    }
  if (bench.onTmpfs)
    for (const row of rows) rmSync(row.warmCache, { recursive: true, force: true });
  const pinned = bench.growth
    ? undefined
    : await measurePinned({ ...identity, tree }, locks, bench);
  return { spec, packages, rows, pinned };
}

/** What `cp -r` copies. */
async function makeTree(place: Omit<Place, 'dir' | 'cache'>, { tools }: Bench): Promise<void> {
  const dir = dirname(place.tree);
  mkdirSync(dir);
  const npmCi = contestants(tools).find(({ name }) => name === 'npm ci') as Contestant;
  const whole: Place = { ...place, dir, cache: join(dir, 'cache') };
  npmCi.prepare(whole);
  await run(tools, npmCi.command(whole), dir);
}

async function makeLocks(
  identity: Pick<Place, 'package' | 'version' | 'registry' | 'tree'>,
  { tools, base }: Bench,
): Promise<{ locks: Map<string, string>; packages: number }> {
  const dir = mkdtempSync(join(base, 'locks-'));
  const place: Place = {
    ...identity,
    dir,
    cache: join(dir, 'cache'),
    locks: new Map(),
  };
  contestants(tools)
    .find(({ name }) => name === 'npm install')
    ?.prepare(place);
  const locks = new Map<string, string>();
  for (const [file, command] of lockCommands(tools, place)) {
    await run(tools, command, dir);
    const text = readFileSync(join(dir, file), 'utf8');
    const lock = file === npmLock ? parseLockDocument(text) : undefined;
    // A registry that lacks some platform's package makes a lock that `npm ci` calls incomplete.
    locks.set(file, lock ? renderLock(withoutMissing(lock)) : text);
    if (file !== npmLock) rmSync(join(dir, file));
  }
  return { locks, packages: packagesIn(join(dir, npmLock)) };
}

/**
 * Setups that find their pinned version on disk, beside a Node that does nothing: with the lock that
 * an earlier setup kept, and with a lock file that has to be read again.
 */
async function measurePinned(
  identity: Pick<Place, 'package' | 'version' | 'registry' | 'tree'>,
  locks: Map<string, string>,
  { tools, base }: Bench,
): Promise<Pinned> {
  const setups = ['bootlace without a lock', 'bootlace'].map(name => {
    const dir = mkdtempSync(join(base, 'pinned-'));
    const place: Place = { ...identity, dir, cache: join(dir, 'cache'), locks };
    const contestant = contestants(tools).find(each => each.name === name);
    contestant?.prepare(place);
    return { dir, command: contestant?.command(place) as Command };
  });
  const costs: [kept: number[], file: number[], node: number[]] = [[], [], []];
  for (const { dir, command } of setups) await run(tools, command, dir);
  for (let i = 0; i < 21; i++) {
    for (const [at, { dir, command }] of setups.entries())
      costs[at]?.push((await run(tools, command, dir)).wall);
    costs[2].push((await run(tools, { program: tools.node, args: ['-e', '0'] }, base)).wall);
  }
  const [kept, file, node] = costs.map(median) as [number, number, number];
  return { kept, file, node };
}

/** Everybody finds the same Node, and nothing of this user's. */
function run({ node }: Tools, command: Command, dir: string): Promise<Cost> {
  const { PATH, LANG } = process.env;
  return measure(command.program, command.args, {
    cwd: dir,
    env: {
      PATH: `${dirname(node)}:${PATH}`,
      LANG,
      HOME: dir,
      NO_UPDATE_NOTIFIER: '1',
      CI: '1',
      ...command.env,
    },
  });
}
