import { UsageError } from '../../errors';

/** How a backend shows its version: a place in a JSON answer, or a header. */
export type VersionPlace =
  | { kind: 'json'; pointer: string; value: string | undefined }
  | { kind: 'header'; name: string; value: string | undefined };

/**
 * Reads `--expect-json /version[=VALUE]` (a JSON pointer, RFC 6901) and
 * `--expect-header x-version[=VALUE]`. Without a value the version that is deployed is expected.
 * @throws UsageError EXPECT_INVALID
 */
export function parseVersionPlace(json: unknown, header: unknown): VersionPlace | undefined {
  if (json !== undefined && header !== undefined)
    throw invalid('--expect-json and --expect-header', 'exclude each other', 'pass one of them');
  if (json !== undefined) {
    const { name, value } = split(String(json));
    if (!/^(\/[^=]*)+$/.test(name))
      throw invalid(
        '--expect-json',
        'has no JSON pointer',
        'pass for example --expect-json /version',
      );
    return { kind: 'json', pointer: name, value };
  }
  if (header === undefined) return undefined;
  const { name, value } = split(String(header));
  if (!/^[\w-]+$/.test(name))
    throw invalid(
      '--expect-header',
      'names no header',
      'pass for example --expect-header x-version',
    );
  return { kind: 'header', name: name.toLowerCase(), value };
}

/** What an answer shows; undefined when it shows nothing there. */
export function readVersionAt(
  place: VersionPlace,
  answer: { headers: Headers; body: string },
): string | undefined {
  if (place.kind === 'header') return answer.headers.get(place.name)?.trim() || undefined;
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch {
    return undefined;
  }
  for (const part of place.pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** The place as a person names it. */
export function placeOf(place: VersionPlace): string {
  return place.kind === 'json' ? place.pointer : `the header ${place.name}`;
}

/** `v1.2.3` and `1.2.3` are the same version. */
export function sameVersion(a: string, b: string): boolean {
  return a.trim().replace(/^v(?=\d)/, '') === b.trim().replace(/^v(?=\d)/, '');
}

function split(text: string): { name: string; value: string | undefined } {
  const at = text.indexOf('=');
  if (at < 0) return { name: text, value: undefined };
  return { name: text.slice(0, at), value: text.slice(at + 1) || undefined };
}

function invalid(flag: string, why: string, fix: string): UsageError {
  return new UsageError('EXPECT_INVALID', `${flag} ${why}`, { fix });
}
