import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { BootlaceError } from '../errors';
import type { Io } from '../io';
import type { Reporter } from './reporter';

export type Workflow = NonNullable<ReturnType<typeof workflowOf>>;

/**
 * What a GitHub Actions run shows beyond the log: outputs, a summary, annotations, groups. Every
 * text passes the reporter's redaction. Docs: "Workflow commands for GitHub Actions".
 * @returns undefined anywhere but in GitHub Actions, where nothing of this is written
 */
export function workflowOf(io: Pick<Io, 'env'>, report: Reporter) {
  if (io.env.GITHUB_ACTIONS !== 'true') return undefined;
  const append = (file: string | undefined, text: string) => {
    if (!file) return;
    try {
      appendFileSync(file, report.clean(text));
    } catch (error) {
      report.warn(`cannot write ${file}: ${(error as Error).message}`);
    }
  };
  /** A finding as an annotation at its place in a file. */
  const annotate = (
    level: 'error' | 'warning',
    properties: Readonly<Record<string, string | number | undefined>>,
    message: string,
  ): void => {
    const given = Object.entries(properties).filter(([, value]) => value !== undefined);
    const list = given.map(([name, value]) => `${name}=${property(String(value))}`).join(',');
    report.machine(`::${level} ${list}::${data(message)}`);
  };
  return {
    annotate,
    /** A failure as an annotation. */
    error({ code, message, fix }: BootlaceError): void {
      annotate('error', { title: code }, `${message}. fix: ${fix}`);
    },
    /** Foreign lines, folded; a line among them that looks like a command is not carried out. */
    group(title: string, lines: readonly string[]): void {
      const token = randomBytes(12).toString('hex');
      report.machine(`::group::${data(title)}`);
      report.machine(`::stop-commands::${token}`);
      for (const line of lines) report.machine(line);
      report.machine(`::${token}::`);
      report.machine('::endgroup::');
    },
    outputs(values: Readonly<Record<string, string | undefined>>): void {
      for (const [name, value] of Object.entries(values)) {
        // A delimiter that nobody can guess: a value must not end itself and set another output.
        const end = `end_${randomBytes(12).toString('hex')}`;
        append(io.env.GITHUB_OUTPUT, `${name}<<${end}\n${value ?? ''}\n${end}\n`);
      }
    },
    summary(markdown: string): void {
      append(io.env.GITHUB_STEP_SUMMARY, `${markdown}\n`);
    },
  };
}

/** A Markdown table; cells cannot break out of it. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows.map(row => row.map(cell));
  return [head, head.map(() => '---'), ...body].map(row => `| ${row.join(' | ')} |`).join('\n');
}

function cell(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\|`<>[\]*_]/g, '\\$&');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
