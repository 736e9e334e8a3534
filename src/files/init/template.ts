export interface PlannedFile {
  /** Below the repository's top, with slashes. */
  path: string;
  text: string;
  isExecutable?: true;
}

/** Reads a file of the folder `templates`, such as node/render.yaml. */
export type ReadTemplate = (name: string) => string;

/**
 * Puts other values in place of the sample's, all in one pass, so that no new value is taken for a
 * sample's.
 */
export function swap(text: string, values: Readonly<Record<string, string>>): string {
  const samples = Object.keys(values).sort((a, b) => b.length - a.length);
  const pattern = samples.map(sample => sample.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return text.replace(new RegExp(pattern, 'g'), sample => values[sample] as string);
}

/** Paragraphs are what blank lines separate: a service, a group of steps. */
export function paragraphs(text: string): string[] {
  return text.trimEnd().split('\n\n');
}

export function joined(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}

/**
 * The paragraph that has a text.
 * @throws Error when there is none
 */
export function paragraph(parts: readonly string[], having: string): string {
  const found = parts.find(part => part.includes(having));
  if (found === undefined) throw new Error(`the template has no paragraph with ${having}`);
  return found;
}

/**
 * Puts another paragraph in place of the one that has a text; '' takes it out.
 * @throws Error when there is none
 */
export function replaceParagraph(
  text: string,
  having: string,
  make: (part: string) => string,
): string {
  const parts = paragraphs(text);
  const found = paragraph(parts, having);
  return joined(parts.map(part => (part === found ? make(part) : part)).filter(Boolean));
}

/** Removes the lines that begin with one of these texts. */
export function withoutLines(text: string, ...starts: readonly string[]): string {
  return text
    .split('\n')
    .filter(line => !starts.some(start => line.startsWith(start)))
    .join('\n');
}
