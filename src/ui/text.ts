/** Text pieces for reports. */

/** @param ms milliseconds; such as `0.8 s`, `2 min 5 s` */
export function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const rest = Math.round((ms % 60_000) / 1000);
  return `${Math.floor(ms / 60_000)} min${rest ? ` ${rest} s` : ''}`;
}

/** Such as `12 MB`, `3.4 MB` or `0.5 kB`: kilobytes where megabytes would read 0.0. */
export function megabytes(bytes: number): string {
  if (bytes < 50_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}

/** What --slim did. */
export function leftOut({ files, bytes }: { files: number; bytes: number }): string {
  return files ? `left out ${count(files, 'file')}, ${megabytes(bytes)}` : 'nothing to leave out';
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Rows with aligned columns; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map(row =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
}

/** @param ms milliseconds that have passed; such as `just now`, `5 min ago`, `3 hours ago` */
export function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (Number.isNaN(minutes)) return '?';
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${count(hours, 'hour')} ago`;
  return `${Math.floor(hours / 24)} days ago`;
}
