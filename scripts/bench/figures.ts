/** What one run was measured to have: numbers by name. */
type Figures<Type> = { [Key in keyof Type]: number };

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The median of each figure. @param all runs, at least one */
export const medians = <Type extends Figures<Type>>(all: readonly Type[]): Type =>
  mapFigures(all[0] as Type, key => median(all.map(one => one[key])));

/** Each figure in parts of another run's. */
export const ratiosTo = <Type extends Figures<Type>>(base: Type, one: Type): Type =>
  mapFigures(one, key => one[key] / base[key]);

function mapFigures<Type extends Figures<Type>>(
  like: Type,
  value: (key: keyof Type) => number,
): Type {
  const keys = Object.keys(like) as (keyof Type)[];
  return Object.fromEntries(keys.map(key => [key, value(key)])) as Type;
}
