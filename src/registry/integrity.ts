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
  const all = (text ?? '')
    .trim()
    .split(/\s+/)
    .map(hash => /^(sha\d+)-([^?]+)/.exec(hash));
  for (const algorithm of strongestFirst) {
    const digests = all
      .filter(match => match?.[1] === algorithm)
      .map(match => Buffer.from(match?.[2] ?? '', 'base64'))
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
