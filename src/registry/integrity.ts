import { createHash, type Hash } from 'node:crypto';

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

/** Checks bytes as they pass. */
export class IntegrityCheck {
  readonly #hash: Hash;
  readonly #checksum: Checksum;

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
    this.#hash = createHash(checksum.algorithm);
  }

  update(piece: Buffer): void {
    this.#hash.update(piece);
  }

  /** Ends the check: what the bytes are, and whether that is what they should be. */
  finish(): { ok: boolean; found: string } {
    const digest = this.#hash.digest('base64');
    const { algorithm, digests } = this.#checksum;
    return { ok: digests.includes(digest), found: `${algorithm}-${digest}` };
  }
}
