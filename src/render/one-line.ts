/**
 * A foreign text as one line: in a workflow's log a line of its own could be a command, such as
 * `::error::`.
 */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
