// npm run bench:start: how a backend starts and what it costs, side by side with `node <entry>`.
// Every contender runs in turn, round after round, so that a noisy machine is noisy for all; the
// numbers are medians. Writes docs/bench/start.md and start.svg.
//   --rounds N (5)  --nodes 20,22,24,26  --subjects json,node-red,unleash,nest
//   --dry: print only  --add: keep the rows that earlier runs measured of other subjects and Nodes
//   --report: measure nothing, write the files from the kept rows
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Measured, measure } from './measure';
import { autocannonFile, cache, nodeBinary, root } from './programs';
import { type Row, renderChart, renderReport } from './report';
import { type Contender, contenders, prepareSubject, type Subject, subjects } from './subjects';

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
      const results = new Map<string, Measured[]>();
      try {
        // The first start migrates databases and writes first settings: it counts for nobody.
        await measure(prepared, contenders[0] as Contender, node, load.default);
        for (let round = 0; round < rounds; round++)
          for (const contender of contenders) {
            const measured = await measure(prepared, contender, node, load.default);
            results.set(contender.name, [...(results.get(contender.name) ?? []), measured]);
          }
      } finally {
        await prepared.close();
      }
      for (let i = rows.length - 1; i >= 0; i--)
        if (rows[i]?.node === version && rows[i]?.subject === name) rows.splice(i, 1);
      for (const [contender, all] of results)
        rows.push({ node: version, subject: name, contender, rounds, ...medians(all) });
      if (!values.dry) writeFileSync(kept, JSON.stringify(rows));
      console.log(renderReport(rows.filter(row => row.node === version && row.subject === name)));
    }
  }
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}-${process.arch}`;
  const head = `# Starting a backend\n\nMeasured ${new Date().toISOString().slice(0, 10)} on ${machine}; medians of alternating rounds. Load average at the end: ${loadavg()[0]?.toFixed(1)}; above the number of processors, times and requests a second are mostly noise, and memory is not.\n\n- ready: from spawn to the first HTTP answer.\n- idle: RSS of all processes six seconds after the spawn. after: the same after 10,000 requests from then on, ten at a time.\n- req/s: of those 10,000 requests; cpu: what they cost in the server, steadier than wall time on a shared machine. steady: of the 20,000 requests after those.\n- ratios are against \`node <entry>\` in the same run.\n\n`;
  if (values.dry) return;
  const folder = join(root, 'docs', 'bench');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'start.md'), head + renderReport(rows));
  writeFileSync(join(folder, 'start.svg'), renderChart(rows));
}

function medians(all: readonly Measured[]): Measured {
  const median = (key: keyof Measured) => {
    const sorted = all.map(one => one[key]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] as number;
  };
  const keys = Object.keys(all[0] as Measured) as (keyof Measured)[];
  return Object.fromEntries(keys.map(key => [key, median(key)])) as unknown as Measured;
}

main().then(
  () => process.exit(0),
  error => {
    console.error(error);
    process.exit(1);
  },
);
