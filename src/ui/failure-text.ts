import type { BootlaceError } from '../errors';

/** A failure as a person reads it: code and sentence, its facts, and what to do. */
export function failureText(error: BootlaceError, fix = error.fix): string {
  const lines = [`bootlace: ${error.code}: ${error.message}`];
  for (const [name, value] of Object.entries(error.facts))
    if (value !== undefined && shown.has(name)) lines.push(`  ${name}: ${String(value)}`);
  lines.push(`  fix: ${fix}`);
  return `${lines.join('\n')}\n`;
}

/** Facts that help a reader and are not in the sentence already; --json has them all. */
const shown = new Set(['nearest', 'tags', 'answer', 'candidates', 'changed', 'log', 'detail']);
