import { parse } from 'ssri';

/** The strongest checksums of a Subresource Integrity text; any one of them is enough. */
export interface Checksum {
  readonly algorithm: 'sha512' | 'sha384' | 'sha256' | 'sha1';
  /** In base64. */
  readonly digests: readonly string[];
}

const strongestFirst = ['sha512', 'sha384', 'sha256', 'sha1'] as const;
const digestBytes = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 };

/** @returns undefined when the text holds no checksum that can be used */
export function parseIntegrity(text: string | undefined): Checksum | undefined {
  const hashes = parse(text ?? '');
  for (const algorithm of strongestFirst) {
    const digests = (hashes?.[algorithm] ?? [])
      .map(({ digest }) => Buffer.from(digest, 'base64'))
      .filter(digest => digest.length === digestBytes[algorithm])
      .map(digest => digest.toString('base64'));
    if (digests.length > 0) return { algorithm, digests };
  }
  return undefined;
}

/** @param found such as `sha512-…` */
export function isRight({ algorithm, digests }: Checksum, found: string): boolean {
  return digests.some(digest => found === `${algorithm}-${digest}`);
}
