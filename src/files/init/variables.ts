/** Where a service of an environment gets a variable from. */
export type Source =
  | { value: string }
  | { database: string }
  | { keyvalue: string }
  | { service: string; type: string; variable: string }
  | 'generated'
  | 'asked';

/** Whose value a database or a Key Value instance of the Blueprint gives, unless it is asked for. */
export const isDatabase = (name: string, ask: readonly string[] = []) =>
  /(^|_)(DATABASE|DIRECT)_URL$/.test(name) && !ask.includes(name);
export const isKeyValue = (name: string, ask: readonly string[] = []) =>
  /(^|_)REDIS_URL$/.test(name) && !ask.includes(name);
/** The address of a Next.js application, which its authentication wants to know. */
const isAddress = (name: string) => /^(NEXT)?AUTH_URL$/.test(name);

/** Secrets that somebody else issues: a generated value would be none. */
const issued =
  /(^|_)(API|ACCESS|ANON|PRIVATE|PUBLIC|PUBLISHABLE|ROLE)_KEY$|(^|_)(CLIENT|WEBHOOK)_SECRET$/;

/** True for a secret that Render can make up. */
export function isGenerated(name: string, ask: readonly string[]): boolean {
  return /(^|_)(SECRET|KEY)$/.test(name) && !issued.test(name) && !ask.includes(name);
}

export interface Surroundings {
  database: string;
  keyvalue: string;
  /** The service of the environment that is asked first, and the one that asks. */
  first: { name: string; type: string };
  isFirst: boolean;
  ask: readonly string[];
  isNext: boolean;
}

/** Where a required variable comes from. Pure. */
export function sourceOf(name: string, around: Surroundings): Source {
  const { first } = around;
  if (isDatabase(name, around.ask)) return { database: around.database };
  if (isKeyValue(name, around.ask)) return { keyvalue: around.keyvalue };
  if (around.isNext && isAddress(name))
    return { service: first.name, type: first.type, variable: 'RENDER_EXTERNAL_URL' };
  // One value for all services of an environment: asked for once, or generated once.
  if (!around.isFirst) return { service: first.name, type: first.type, variable: name };
  return isGenerated(name, around.ask) ? 'generated' : 'asked';
}

/** An entry of `envVars`, as lines of the Blueprint. */
export function entry(name: string, source: Source): string {
  const lines = [`      - key: ${name}`];
  if (source === 'generated') lines.push('        generateValue: true');
  else if (source === 'asked') lines.push('        sync: false');
  else if ('value' in source) lines.push(`        value: ${scalar(source.value)}`);
  else if ('database' in source)
    lines.push(
      '        fromDatabase:',
      `          name: ${source.database}`,
      '          property: connectionString',
    );
  else if ('keyvalue' in source)
    lines.push(
      '        fromService:',
      '          type: keyvalue',
      `          name: ${source.keyvalue}`,
      '          property: connectionString',
    );
  else
    lines.push(
      '        fromService:',
      `          type: ${source.type}`,
      `          name: ${source.service}`,
      `          envVarKey: ${source.variable}`,
    );
  return lines.join('\n');
}

/** Quoted where YAML would read something else than a text. */
function scalar(text: string): string {
  const isPlain =
    /^[A-Za-z][\w.:/-]*$/.test(text) && !/^(true|false|yes|no|on|off|null)$/i.test(text);
  return isPlain || /^\d+\.\d+\.\d+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}
