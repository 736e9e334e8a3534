import type { Finding } from '../../ui/findings';

/** Where something stands in the file: counted from 1, and as a path such as services[0].plan. */
export interface Place {
  line: number;
  column: number;
  path: string;
}

export interface Scalar extends Place {
  kind: 'scalar';
  value: string | number | boolean | null;
  /** The text as it is written, without quotes. */
  source: string;
  /** Written without quotes. */
  isPlain: boolean;
}
export interface ListValue extends Place {
  kind: 'list';
  items: readonly Value[];
}
export interface MapValue extends Place {
  kind: 'map';
  fields: ReadonlyMap<string, Field>;
}
/** A value of the file, aliases expanded. */
export type Value = Scalar | ListValue | MapValue;

/** A key of a map with its value; the place is the key's. */
export interface Field extends Place {
  key: string;
  value: Value;
}

/** A finding that does not name its file yet. */
export type Problem = Omit<Finding, 'file'> & Place;

/** What a person reads of a finding. */
type Texts = Pick<Finding, 'message' | 'fix'>;

export function error({ line, column, path }: Place, code: string, texts: Texts): Problem {
  return { severity: 'error', code, line, column, path, ...texts };
}

export function warning(at: Place, code: string, texts: Texts): Problem {
  return { ...error(at, code, texts), severity: 'warning' };
}

/** Where a field's value stands; the map itself where it has no such field. */
export function placeOf(map: MapValue, key: string): Place {
  return map.fields.get(key)?.value ?? map;
}

/** The text of a scalar, numbers as they are written; undefined for null, a list or a map. */
export function textOf(value: Value | undefined): string | undefined {
  if (value?.kind !== 'scalar' || value.value === null) return undefined;
  return typeof value.value === 'string' ? value.value : value.source;
}

/** The text of a map's field. */
export function textAt(map: MapValue | undefined, key: string): string | undefined {
  return textOf(map?.fields.get(key)?.value);
}

/** The map in a map's field. */
export function mapAt(map: MapValue | undefined, key: string): MapValue | undefined {
  const value = map?.fields.get(key)?.value;
  return value?.kind === 'map' ? value : undefined;
}

/** The maps of a list in a map's field; anything else in the list is left out. */
export function mapsAt(map: MapValue | undefined, key: string): MapValue[] {
  const value = map?.fields.get(key)?.value;
  return value?.kind === 'list' ? value.items.filter(item => item.kind === 'map') : [];
}

/** Text of the file, quoted and short enough for a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
