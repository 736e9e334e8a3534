import { stripVTControlCharacters, styleText } from 'node:util';
import type { BootlaceError } from '../errors';
import type { Io } from '../io';
import { shellWord } from '../settings/words';
import { failureText } from './failure-text';
import type { Redactor } from './redact';

interface ReporterOptions {
  json: boolean;
  quiet: boolean;
  redactor: Redactor;
}

/** The commands that work in a folder. */
const inFolder =
  /npx bootlace (?:setup|start|up|migrate|exec|status|use|doctor|init)\b(?! --help| --dir)/g;

type Style = Parameters<typeof styleText>[0];

/**
 * The only way to the user. Results go to stdout; progress, warnings and failures to stderr; every
 * text passes the redactor. Under --json stdout holds one document and nothing else.
 */
export class Reporter {
  readonly #io: Io;
  readonly #options: ReporterOptions;
  #progress = false;
  #resultsToErr = false;
  #dir: string | undefined;
  #typed: readonly (readonly [variable: RegExp, flag: string])[] = [];
  readonly warnings: string[] = [];

  constructor(io: Io, options: ReporterOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** True where a line can be rewritten. */
  get isInteractive(): boolean {
    return (
      this.#io.errIsTerminal &&
      !this.#options.quiet &&
      this.#io.env.CI === undefined &&
      this.#io.env.TERM !== 'dumb'
    );
  }

  /**
   * Settings that were typed as flags: fixes and warnings name the flag and not the variable.
   * @param dir the value of --dir, which commands to type repeat
   */
  nameFlags(typed: Readonly<Record<string, string>>, dir?: string): void {
    this.#dir = dir;
    this.#typed = Object.entries(typed).map(([variable, flag]) => [
      new RegExp(`\\b${variable}\\b`, 'g'),
      flag,
    ]);
  }

  /** A text with the flags that were typed in place of their variables, and with --dir. */
  withFlags(text: string): string {
    const dir = this.#dir;
    const here = dir === undefined ? text : text.replace(inFolder, `$& --dir ${shellWord(dir)}`);
    return this.#typed.reduce((said, [variable, flag]) => said.replace(variable, flag), here);
  }

  /** From here on stdout is the backend's, and what is to be said goes to stderr. */
  leaveStdout(): void {
    this.#resultsToErr = true;
  }

  /** A result line. */
  line(text: string, style?: Style): void {
    this.row(text, '', style);
  }

  /** A row whose first cell has a style. */
  row(first: string, rest: string, style?: Style): void {
    if (this.#options.json || this.#options.quiet) return;
    this.#clear();
    const write = this.#resultsToErr ? this.#io.err : this.#io.out;
    const clean = this.clean(first);
    write(`${style ? this.#style(style, clean, 'out') : clean}${this.clean(rest)}\n`);
  }

  /** What is going on: one rewritten line on a terminal, plain lines in a log. */
  progress = (text: string): void => {
    if (this.#options.quiet) return;
    if (!this.isInteractive) return this.#io.err(`${this.clean(text)}\n`);
    this.#io.err(`\r\u001b[2K${this.clean(text)}`);
    this.#progress = true;
  };

  warn = (text: string): void => {
    const clean = this.clean(this.withFlags(text));
    this.warnings.push(clean);
    this.#clear();
    this.#io.err(`${this.#style('yellow', 'warning')}: ${clean}\n`);
  };

  fail(error: BootlaceError): void {
    this.#clear();
    const fix = this.withFlags(error.fix);
    const { code, exitCode, message, facts } = error;
    if (this.#options.json)
      return this.json({ ok: false, error: { code, exitCode, message, fix, facts } });
    const [first = '', ...rest] = this.clean(failureText(error, fix)).split('\n');
    this.#io.err([this.#style('red', first), ...rest].join('\n'));
  }

  /** A bug in bootlace: the stack, and where to take it. */
  bug(error: unknown): void {
    this.#clear();
    const text = this.clean(
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
    if (this.#options.json)
      this.json({
        ok: false,
        error: { code: 'BUG', message: text.split('\n')[0], fix: 'report this' },
      });
    this.#io.err(
      `bootlace: this is a bug in bootlace, please report it with these lines\n${text}\n`,
    );
  }

  /** The one document of --json. */
  json(value: unknown): void {
    this.#io.out(
      `${JSON.stringify(value, (_, item) => (typeof item === 'string' ? this.clean(item) : item), 2)}\n`,
    );
  }

  /** A line for the machine that runs us, such as a workflow command; on stderr, even if quiet. */
  machine(text: string): void {
    this.#clear();
    this.#io.err(`${this.clean(text)}\n`);
  }

  done(): void {
    this.#clear();
  }

  /** @param stream where the text goes: only a terminal gets colours, or all by FORCE_COLOR */
  #style(style: Style, text: string, stream: 'out' | 'err' = 'err'): string {
    const { env, errIsTerminal, outIsTerminal } = this.#io;
    const isTerminal = stream === 'out' && !this.#resultsToErr ? outIsTerminal : errIsTerminal;
    const isForced = !['', '0', 'false', undefined].includes(env.FORCE_COLOR);
    const isColoured = isForced || (isTerminal && !env.NO_COLOR && env.TERM !== 'dumb');
    return isColoured ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Text without secrets and control characters. */
  clean(text: string): string {
    // A registry's words must not move the cursor or hide a line.
    return this.#options.redactor
      .redact(stripVTControlCharacters(text))
      .replace(/[\0-\x08\x0b-\x1f\x7f]/g, '');
  }

  #clear(): void {
    if (this.#progress) this.#io.err('\r\u001b[2K');
    this.#progress = false;
  }
}
