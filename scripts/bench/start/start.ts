// npm run bench:start: how a backend starts and what it costs, side by side with `node <entry>`.
// In each round every contender is started, and all are loaded in short turns, so that a noisy machine
// is noisy for all; numbers and ratios are medians of the rounds. Writes docs/bench/start.md and .svg.
//   --rounds N (5)  --nodes 20,22,24,26  --subjects json,node-red,unleash,nest
//   --dry: print only  --add: keep the rows that earlier runs measured of other subjects and Nodes
//   --report: measure nothing, write the files from the kept rows
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { medians, ratiosTo } from '../figures';
import { type Load, type Measured, measureRound } from './measure';
import { autocannonFile, cache, nodeBinary, root } from './programs';
import { type Row, renderChart, renderReport } from './report';
import {
  contenders,
  type Prepared,
  plain,
  prepareSubject,
  type Subject,
  subjects,
} from './subjects';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      nodes: { type: 'string', default: '20,22,24,26' },
      subjects: { type: 'string', default: Object.keys(subjects).join() },
      dry: { type: 'boolean' },
      add: { type: 'boolean' },
      report: { type: 'boolean' },
    },
  });
  const rounds = Number(values.rounds);
  const load = await import(autocannonFile());
  const kept = join(cache, 'start.json');
  const rows: Row[] =
    (values.add || values.report) && existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : [];
  for (const version of values.report ? [] : values.nodes.split(',')) {
    const node = nodeBinary(version);
    for (const name of values.subjects.split(',')) {
      const subject = subjects[name] as Subject;
      if (subject.nodes && !subject.nodes.includes(version)) continue;
      const prepared = await prepareSubject(name, subject, node, version);
      const results = await measureRounds(rounds, prepared, node, load.default).finally(
        prepared.close,
      );
      for (let i = rows.length - 1; i >= 0; i--)
        if (rows[i]?.node === version && rows[i]?.subject === name) rows.splice(i, 1);
      const base = results.get(plain) as Measured[];
      for (const [contender, all] of results)
        rows.push({
          node: version,
          subject: name,
          contender,
          rounds,
          ...medians(all),
          // Round by round: what one round had of noise, all had.
          ratios: medians(all.map((one, i) => ratiosTo(base[i] as Measured, one))),
        });
      if (!values.dry) writeFileSync(kept, JSON.stringify(rows));
      console.log(renderReport(rows.filter(row => row.node === version && row.subject === name)));
    }
  }
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}-${process.arch}`;
  const head = `# Starting a backend\n\nMeasured ${new Date().toISOString().slice(0, 10)} on ${machine}; medians of the rounds. Load average at the end: ${loadavg()[0]?.toFixed(1)}; above the number of processors, times vary with the load, and memory does not. The two ways of plain Node, \`node <entry>\` and memory off, show what the noise is.\n\n- ready: from spawn to the first HTTP answer, alone; the median of seven starts in turn.\n- Then all are started, four seconds apart, and loaded in turns of 500 requests.\n- idle: RSS of all processes six seconds after the spawn. after: the same after the 10,000 requests that follow, ten at a time.\n- req/s: of those 10,000 requests; cpu: what they cost in the server. steady: of the 20,000 requests after those. all: of the 30,000.\n- ratios are medians of those to \`node <entry>\` in the same round.\n\n`;
  if (values.dry) return;
  const folder = join(root, 'docs', 'bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'start.md'), head + renderReport(rows));
  writeFileSync(join(folder, 'start.svg'), renderChart(rows));
}

/**
 * @returns of each contender, by name, what was measured round by round. Who is started first is
 *   another one in each round
 */
async function measureRounds(
  rounds: number,
  prepared: Prepared,
  node: string,
  load: Load,
): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  // The first start migrates databases and writes first settings: it counts for nobody.
  await measureRound(prepared, contenders.slice(0, 1), node, load);
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    const measured = await measureRound(prepared, order, node, load);
    for (const [i, { name }] of order.entries()) results.get(name)?.push(measured[i] as Measured);
  }
  return results;
}

main().then(
  () => process.exit(0),
  error => {
    console.error(error);
    process.exit(1);
  },
);
