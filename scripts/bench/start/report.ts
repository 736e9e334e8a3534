import type { Measured } from './measure';
import { plain } from './subjects';

export interface Row extends Measured {
  node: string;
  subject: string;
  contender: string;
  rounds: number;
  /** To `node <entry>` of the same subject and Node. */
  ratios: Measured;
}

const columns = [
  ['ready', 'readyMs', 'ms'],
  ['cpu until ready', 'readyCpuMs', 'ms'],
  ['idle', 'idleMb', 'MB'],
  ['after 10,000', 'afterMb', 'MB'],
  ['req/s', 'perSecond', ''],
  ['cpu', 'cpuMs', 'ms'],
  ['steady req/s', 'steadyPerSecond', ''],
  ['steady cpu', 'steadyCpuMs', 'ms'],
  ['all req/s', 'allPerSecond', ''],
] as const;

/** A Markdown table: each number with its ratio. */
export function renderReport(rows: readonly Row[]): string {
  const lines = [
    `| Node | backend | start | ${columns.map(([title]) => title).join(' | ')} | processes | rounds |`,
    `|${' --- |'.repeat(columns.length + 5)}`,
  ];
  for (const row of rows) {
    const cells = columns.map(([, key, unit]) => {
      const value = Math.round(row[key]);
      const ratio = row.contender === plain ? '' : ` (${row.ratios[key].toFixed(2)})`;
      return `${value}${unit && ` ${unit}`}${ratio}`;
    });
    lines.push(
      `| ${row.node} | ${row.subject} | ${row.contender} | ${cells.join(' | ')} | ${row.processes} | ${row.rounds} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Bars of ready time and memory after the load as ratios to `node <entry>` = 1. */
export function renderChart(rows: readonly Row[]): string {
  const shown = rows.filter(row => row.contender !== plain);
  const height = 40 + shown.length * 22;
  const bars = shown.map((row, i) => {
    const { readyMs: ready, afterMb: memory } = row.ratios;
    const y = 32 + i * 22;
    return [
      `<text x="4" y="${y + 12}">Node ${row.node} ${row.subject}: ${escapeXml(row.contender)}</text>`,
      `<rect x="330" y="${y}" width="${(ready * 200).toFixed(0)}" height="8" fill="#2f6f9f"/>`,
      `<rect x="330" y="${y + 9}" width="${(memory * 200).toFixed(0)}" height="8" fill="#8fb339"/>`,
      `<text x="${(340 + Math.max(ready, memory) * 200).toFixed(0)}" y="${y + 12}">${ready.toFixed(2)} / ${memory.toFixed(2)}</text>`,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="680" height="${height}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/><text x="4" y="16" font-size="13">Time until ready (blue) and memory after 10,000 requests (green); node &lt;entry&gt; = 1</text><line x1="530" y1="26" x2="530" y2="${height - 6}" stroke="#999"/>${bars.join('')}</svg>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
