import type { BootlaceError } from '../errors';

/**
 * A failure as a person reads it: code and sentence, its facts, and what to do. Of more than 100 characters
 * each sentence has a line of its own.
 */
export function failureText(error: BootlaceError, fix = error.fix): string {
  const first = `bootlace: ${error.code}: ${error.message}`;
  const lines = [first.length > 100 ? first.replace(/\. (?=\S)/g, '.\n  ') : first];
  for (const [name, value] of Object.entries(error.facts))
    if (value !== undefined && shown.has(name)) lines.push(`  ${name}: ${String(value)}`);
  lines.push(fixText(fix, '  '));
  return `${lines.join('\n')}\n`;
}

/**
 * The line of a fix. One of more than 100 characters is broken behind a semicolon or a comma, never
 * within brackets or a command to type.
 */
export function fixText(fix: string, indent: string): string {
  const lines = [`${indent}fix:`];
  for (const piece of fix.split(/(?<=[;,]) (?![^(]*\))/)) {
    const longer = `${lines.at(-1)} ${piece}`;
    if (longer.length > 100 && lines.at(-1) !== `${indent}fix:`)
      lines.push(`${indent}     ${piece}`);
    else lines[lines.length - 1] = longer;
  }
  return lines.join('\n');
}

/** Facts that help a reader and are not in the sentence already; --json has them all. */
const shown = new Set(['nearest', 'tags', 'answer', 'candidates', 'changed', 'log', 'detail']);
