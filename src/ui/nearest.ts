/** More names than a team's file has; each costs the product of both lengths. */
const most = 200;

/**
 * The name that was probably meant: one that differs in case, `-` and `_` only, else one that begins
 * so, else one that a few letters make of it.
 * @returns undefined where none is near
 */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (word.length > 40) return undefined;
  const plain = (name: string) => name.toLowerCase().replace(/[-_ ]/g, '');
  const same = names.find(name => plain(name) === plain(word));
  if (same !== undefined) return same;
  // Half a flag, as in --dry.
  const begun = word.length > 3 && names.find(name => name.startsWith(word));
  if (begun) return begun;
  let best: string | undefined;
  let least = Math.min(3, Math.ceil(word.length / 3));
  for (const name of names.slice(0, most)) {
    const distance = editDistance(plain(word), plain(name));
    if (distance < least || (distance === least && best === undefined)) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** How many letters to insert, remove or change (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
