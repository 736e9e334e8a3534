/** Where a variable's value comes from: the lines below its key in the Blueprint. */
export type Source = readonly string[];

export const asked: Source = ['sync: false'];
const generated: Source = ['generateValue: true'];
export const value = (text: string): Source => [`value: ${scalar(text)}`];
const fromDatabase = (name: string): Source => [
  'fromDatabase:',
  `  name: ${name}`,
  '  property: connectionString',
];
/** @param field such as `property: hostport` or `envVarKey: PORT` */
export const fromService = (type: string, name: string, field: string): Source => [
  'fromService:',
  `  type: ${type}`,
  `  name: ${name}`,
  `  ${field}`,
];

/** An entry of `envVars`, as lines of the Blueprint. */
export function entry(name: string, source: Source): string {
  return [`- key: ${name}`, ...source.map(line => `  ${line}`)]
    .map(line => `      ${line}`)
    .join('\n');
}

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
  /** What the names of the environment begin with. */
  environment: string;
  /** The service of the environment that is asked first. */
  first: { name: string; type: string };
  isFirst: boolean;
  ask: readonly string[];
  isNext: boolean;
}

/** Where a required variable comes from. Pure. */
export function sourceOf(name: string, around: Surroundings): Source {
  const { environment, first, ask } = around;
  if (isDatabase(name, ask)) return fromDatabase(`${environment}-db`);
  if (isKeyValue(name, ask))
    return fromService('keyvalue', `${environment}-redis`, 'property: connectionString');
  const ofFirst = (key: string) => fromService(first.type, first.name, `envVarKey: ${key}`);
  if (around.isNext && isAddress(name)) return ofFirst('RENDER_EXTERNAL_URL');
  // One value for all services of an environment: asked for once, or generated once.
  if (!around.isFirst) return ofFirst(name);
  return isGenerated(name, ask) ? generated : asked;
}

/** Quoted where YAML would read something else than a text. */
function scalar(text: string): string {
  const isPlain =
    /^[A-Za-z][\w.:/-]*$/.test(text) && !/^(true|false|yes|no|on|off|null)$/i.test(text);
  return isPlain || /^\d+\.\d+\.\d+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}
