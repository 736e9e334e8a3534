import type { Reporter } from './reporter';

/** One fault of a checked file. */
export interface Finding {
  file: string;
  line?: number;
  column?: number;
  severity: 'error' | 'warning';
  code: string;
  path?: string;
  message: string;
  fix: string;
}

/** Prints findings. @returns 3 when there is an error, or a warning and `strict`; else 0 */
export function reportFindings(
  findings: readonly Finding[],
  { report, flags }: { report: Reporter; flags: Readonly<Record<string, unknown>> },
  strict: boolean,
): number {
  for (const { file, line, column, severity, code, path, message, fix } of findings) {
    const place = [file, line, column].filter(part => part !== undefined).join(':');
    report.line(`${place}: ${severity} ${code}${path ? ` ${path}` : ''}: ${message}`);
    report.line(`  fix: ${fix}`);
  }
  const failed = findings.some(({ severity }) => strict || severity === 'error');
  if (flags.json) report.json({ ok: !failed, findings });
  return failed ? 3 : 0;
}
