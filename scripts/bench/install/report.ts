import { median } from '../figures';
import type { Cost } from './measure';

export interface Row {
  name: string;
  cold: Cost[];
  warm: Cost[];
  files: number;
  bytes: number;
}

/** Milliseconds of setups that find everything on disk, and of a Node that does nothing. */
export interface Pinned {
  /** With the lock that an earlier setup kept. */
  kept: number;
  /** With --lock FILE. */
  file: number;
  node: number;
}

export interface Subject {
  spec: string;
  /** In the lock, all platforms. */
  packages: number;
  rows: Row[];
  pinned?: Pinned;
}

export interface About {
  date: string;
  machine: string;
  /** Milliseconds that every answer of the registry came late. */
  latency: number;
  onDisk: boolean;
  runs: number;
  versions: Record<'node' | 'npm' | 'pnpm' | 'bun', string>;
}

type Key = keyof Cost;
const middle = (costs: readonly Cost[], key: Key): number => median(costs.map(cost => cost[key]));
const s = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

function conditions({ date, machine, runs, versions }: About): string {
  const { node, npm, pnpm, bun } = versions;
  return `${date}; ${machine}; Node ${node}, npm ${npm}, pnpm ${pnpm}, bun ${bun}; a static registry on loopback; no install scripts; median of ${runs}, taken in turn.`;
}

/** The comparison as Markdown. */
export function renderMarkdown(subjects: readonly Subject[], about: About): string {
  const lines = [
    '# Whole installs compared',
    '',
    conditions(about),
    '',
    'Peak memory is what all processes of the install hold together at their largest. Cold: nothing cached. Warm: the same with its cache filled; bootlace keeps none. `cp -r` copies the tree that `npm ci` made: what writing the files costs by itself.',
    '',
    `Made by \`npm run bench:install -- ${about.latency > 0 ? `--latency ${about.latency} ` : ''}${about.onDisk ? '--disk ' : ''}--write\`.`,
  ];
  for (const { spec, packages, rows, pinned } of subjects) {
    const baseline = rows.find(({ name }) => name === 'npm ci');
    lines.push('', `## ${spec}, ${packages} packages in the lock`, '');
    lines.push('| | cold | to npm ci | processor | peak memory | warm | files | on disk |');
    lines.push('|---|---:|---:|---:|---:|---:|---:|---:|');
    for (const row of rows) {
      const wall = middle(row.cold, 'wall');
      const ratio = baseline ? `${(wall / middle(baseline.cold, 'wall')).toFixed(2)} x` : '';
      const cells = [
        row.name,
        s(wall),
        ratio,
        s(middle(row.cold, 'cpu')),
        mb(middle(row.cold, 'peak')),
        row.warm.length ? s(middle(row.warm, 'wall')) : '',
        String(row.files),
        mb(row.bytes),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
    if (!pinned) continue;
    const times = (ms: number) =>
      `${Math.round(ms)} ms, ${(ms / pinned.node).toFixed(1)} times \`node -e 0\``;
    lines.push(
      '',
      `A setup whose pinned version is on disk: ${times(pinned.kept)}; with \`--lock\`: ${times(pinned.file)} (\`node -e 0\`: ${Math.round(pinned.node)} ms).`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** How wall time and memory grow with the number of packages. */
export function renderGrowth(subjects: readonly Subject[], about: About): string {
  const names = subjects[0]?.rows.map(({ name }) => name) ?? [];
  const lines = [
    '# Installs by size',
    '',
    conditions(about),
    '',
    'Cold wall time and peak memory. Made by `npm run bench:install -- --growth --write`.',
    '',
    `| package | packages | files | ${names.join(' | ')} |`,
    `|---|---:|---:|${names.map(() => '---:').join('|')}|`,
  ];
  for (const { spec, packages, rows } of subjects)
    lines.push(
      `| ${[
        spec,
        packages,
        rows[0]?.files,
        ...rows.map(({ cold }) => `${s(middle(cold, 'wall'))}, ${mb(middle(cold, 'peak'))}`),
      ].join(' | ')} |`,
    );
  return `${lines.join('\n')}\n`;
}

const width = 720;
const left = 210;
const bar = 18;
const gap = 6;

/** Two bars a contestant, wall time and memory, for each package. */
export function renderSvg(subjects: readonly Subject[], about: About): string {
  const parts: string[] = [];
  let y = 24;
  const text = (x: number, at: number, content: string, more = '') =>
    parts.push(`<text x="${x}" y="${at}" ${more}>${escapeXml(content)}</text>`);
  for (const { spec, packages, rows } of subjects)
    for (const [key, title, show] of [
      ['wall', 'cold install, seconds', s],
      ['peak', 'peak memory of all processes', mb],
    ] as const) {
      text(0, y, `${spec} (${packages} packages): ${title}`, 'font-weight="600"');
      y += 12;
      const most = Math.max(...rows.map(({ cold }) => middle(cold, key)));
      for (const { name, cold } of rows) {
        const value = middle(cold, key);
        const length = Math.max(1, Math.round((value / most) * (width - left - 80)));
        const fill = name.startsWith('bootlace') ? '#1a7f5a' : '#8a94a0';
        text(left - 8, y + 13, name, 'text-anchor="end"');
        parts.push(
          `<rect x="${left}" y="${y}" width="${length}" height="${bar}" rx="2" fill="${fill}"/>`,
        );
        text(left + length + 6, y + 13, show(value));
        y += bar + gap;
      }
      y += 22;
    }
  text(
    0,
    y,
    `${about.date}; ${about.machine}; median of ${about.runs}`,
    'fill="#6b7580" font-size="11"',
  );
  y += 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" aria-label="Installs compared" font-family="system-ui, sans-serif" font-size="12" fill="#57606a">\n${parts.join('\n')}\n</svg>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
