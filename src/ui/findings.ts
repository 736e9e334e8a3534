import type { Io } from '../io';
import { workflowOf } from './github-actions';
import type { Reporter } from './reporter';
import { count } from './text';

/** A fault in what was checked, and what to write instead. */
export interface Finding {
  file: string;
  /** Counted from 1. */
  line?: number;
  column?: number;
  severity: 'error' | 'warning';
  code: string;
  /** Where in the document, such as services[0].envVars[1]. */
  path?: string;
  message: string;
  fix: string;
}

/** The part of a command's context that a report needs. */
interface FindingsContext {
  io: Pick<Io, 'env'>;
  report: Reporter;
  flags: Readonly<Record<string, unknown>>;
}

/**
 * Prints findings: two lines each and a count, one document under --json, annotations in GitHub
 * Actions.
 * @param strict warnings count as errors
 * @returns the exit code: 3 when there is an error, else 0
 */
export function reportFindings(
  findings: readonly Finding[],
  { io, report, flags }: FindingsContext,
  strict: boolean,
): number {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  const isRefused = errors > 0 || (strict && warnings > 0);
  // --quiet leaves warnings and failures, and those go to stderr.
  const print = (text: string) =>
    flags.quiet && !flags.json ? report.machine(text) : report.line(text);
  for (const { file, line, column, severity, code, path, message, fix } of findings) {
    const place = [file, line, column].filter(part => part !== undefined).join(':');
    print(
      oneLine(`${place}: ${severity} ${code}${path === undefined ? '' : ` ${path}`}: ${message}`),
    );
    print(oneLine(`  fix: ${fix}`));
    const said = `${path === undefined ? '' : `${path}: `}${message}. fix: ${fix}`;
    workflowOf(io, report)?.annotate(severity, { file, line, col: column, title: code }, said);
  }
  report.line(
    findings.length === 0
      ? 'nothing to mend'
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`,
  );
  if (flags.json) report.json({ ok: !isRefused, errors, warnings, findings });
  return isRefused ? 3 : 0;
}

/** A name with a line break in it must not begin a line of its own, such as a workflow command. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
