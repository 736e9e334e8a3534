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
export class MapValue implements Place {
  readonly kind = 'map';

  constructor(
    readonly line: number,
    readonly column: number,
    readonly path: string,
    readonly fields: ReadonlyMap<string, Field>,
  ) {}

  has(key: string): boolean {
    return this.fields.has(key);
  }

  /** The text of a field; undefined also for null, a list or a map. */
  text(key: string): string | undefined {
    return textOf(this.fields.get(key)?.value);
  }

  /** The map in a field. */
  map(key: string): MapValue | undefined {
    const value = this.fields.get(key)?.value;
    return value?.kind === 'map' ? value : undefined;
  }

  /** The maps of the list in a field; anything else in the list is left out. */
  maps(key: string): MapValue[] {
    const value = this.fields.get(key)?.value;
    return value?.kind === 'list' ? value.items.filter(item => item.kind === 'map') : [];
  }

  /** Where a field's value stands; the map itself where it has no such field. */
  place(key: string): Place {
    return this.fields.get(key)?.value ?? this;
  }
}
/** A value of the file, aliases expanded. */
export type Value = Scalar | ListValue | MapValue;

/** A key of a map with its value; the place is the key's. */
export interface Field extends Place {
  key: string;
  value: Value;
}

/** A finding; its file is named where that is another file than the Blueprint, beside it. */
export type Problem = Omit<Finding, 'file'> & Partial<Pick<Finding, 'file'>> & Place;

/** What a person reads of a finding. */
type Texts = Pick<Finding, 'message' | 'fix'>;

export function error({ line, column, path }: Place, code: string, texts: Texts): Problem {
  return { severity: 'error', code, line, column, path, ...texts };
}

export function warning(at: Place, code: string, texts: Texts): Problem {
  return { ...error(at, code, texts), severity: 'warning' };
}

/** The text of a scalar, numbers as they are written; undefined for null, a list or a map. */
export function textOf(value: Value | undefined): string | undefined {
  if (value?.kind !== 'scalar' || value.value === null) return undefined;
  return typeof value.value === 'string' ? value.value : value.source;
}

/** Text of the file, quoted and short enough for a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
