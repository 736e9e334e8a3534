/** Where a document was changed, as the checker writes paths; two places for a move. */
export interface Mutated {
  what: string;
  paths: string[];
}
export type Mutation = (document: unknown, next: () => number) => Mutated | undefined;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Fields = Record<string, unknown>;
interface Slot {
  map: Fields;
  key: string;
  path: string;
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every field of every map. */
function slots(value: unknown, path = ''): Slot[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => slots(item, `${path}[${i}]`));
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [{ map: value, key, path: at }, ...slots(inner, at)];
  });
}

function pick<T>(from: readonly T[], next: () => number): T | undefined {
  return from[Math.floor(next() * from.length)];
}

/** The path of the map or list around a field. */
export function parentOf(path: string): string {
  return path.replace(/\.?[^.[]+$/, '');
}

/** Replaces a key in place, so that the order of the fields stays. */
function rename(map: Fields, from: string, to: string): void {
  const entries = Object.entries(map).map(([key, value]) => [key === from ? to : key, value]);
  for (const key of Object.keys(map)) delete map[key];
  Object.assign(map, Object.fromEntries(entries));
}

const others: unknown[] = [
  'nonsense',
  '',
  7,
  0,
  -3,
  2.5,
  true,
  false,
  [],
  ['x'],
  {},
  { a: 1 },
  null,
];

export const mutations: readonly Mutation[] = [
  function removeField(document, next) {
    const slot = pick(slots(document), next);
    if (!slot) return undefined;
    delete slot.map[slot.key];
    return { what: 'removed', paths: [slot.path] };
  },
  function renameField(document, next) {
    const slot = pick(slots(document), next);
    if (!slot) return undefined;
    const to = next() < 0.5 ? `${slot.key}s` : slot.key.slice(1) || 'x';
    if (to in slot.map) return undefined;
    rename(slot.map, slot.key, to);
    const parent = parentOf(slot.path);
    return { what: `renamed to ${to}`, paths: [slot.path, parent === '' ? to : `${parent}.${to}`] };
  },
  function replaceValue(document, next) {
    const slot = pick(slots(document), next);
    if (!slot) return undefined;
    const value = pick(others, next);
    slot.map[slot.key] = structuredClone(value);
    return { what: `set to ${JSON.stringify(value)}`, paths: [slot.path] };
  },
  function addField(document, next) {
    const all = slots(document);
    const slot = pick(all, next);
    const key = next() < 0.5 ? 'surplus' : pick(all, next)?.key;
    if (!slot || !key || key in slot.map) return undefined;
    slot.map[key] = pick(others, next);
    const parent = parentOf(slot.path);
    return { what: `added ${key}`, paths: [parent === '' ? key : `${parent}.${key}`] };
  },
  function moveField(document, next) {
    const all = slots(document);
    const from = pick(all, next);
    const to = pick(
      all.filter(slot => from && !slot.path.startsWith(from.path) && slot.map !== from.map),
      next,
    );
    if (!from || !to || from.key in to.map) return undefined;
    to.map[from.key] = from.map[from.key];
    delete from.map[from.key];
    const parent = parentOf(to.path);
    return {
      what: 'moved',
      paths: [from.path, parent === '' ? from.key : `${parent}.${from.key}`],
    };
  },
  function exchangeValues(document, next) {
    const all = slots(document).filter(({ map, key }) => typeof map[key] !== 'object');
    const one = pick(all, next);
    const two = pick(all, next);
    if (!one || !two) return undefined;
    [one.map[one.key], two.map[two.key]] = [two.map[two.key], one.map[one.key]];
    return { what: 'exchanged', paths: [one.path, two.path] };
  },
];
