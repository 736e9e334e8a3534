import { createHash, type Hash, hash } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Sink } from '../registry/download';
import type { Checksum } from '../registry/integrity';
import { writeFailure } from '../release/atomic';

/** A verified tarball, in memory or, a large one, in a file. */
export type Tarball =
  | {
      readonly data: Buffer;
      /** Its memory holds nothing else and may be given to another thread. */
      readonly isOurs?: boolean;
    }
  | {
      readonly file: string;
      /** The file is not of this install and stays. */
      readonly isKept?: boolean;
    };

/** From this size on a tarball waits in a file. */
const largeTarball = 512 * 1024;

/** Collects a download in memory, or in a file once it is large. */
export class TarballSink implements Sink {
  readonly #file: string;
  #data: Buffer | undefined;
  #pieces: Buffer[] = [];
  #size = 0;
  #fd = -1;
  readonly #algorithm: Checksum['algorithm'];
  /** Of what is in the file. */
  #hash: Hash | undefined;
  readonly #hold: (bytes: number) => void;
  #held = 0;

  /**
   * @param file where a large one goes
   * @param algorithm of its checksum
   * @param hold told how many more bytes of memory the download will hold, fewer at its end
   */
  constructor(
    file: string,
    algorithm: Checksum['algorithm'],
    hold: (bytes: number) => void = () => {},
  ) {
    this.#file = file;
    this.#algorithm = algorithm;
    this.#hold = hold;
  }

  begin(length: number | undefined): void {
    this.#held = Math.min(length ?? 0, largeTarball);
    this.#hold(this.#held);
    if (length !== undefined && length < largeTarball) this.#data = Buffer.allocUnsafeSlow(length);
  }

  write(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (this.#fd >= 0) this.#append(piece);
    else if (this.#data && size <= this.#data.length) piece.copy(this.#data, this.#size);
    else {
      if (this.#data) this.#pieces = [this.#data.subarray(0, this.#size)];
      this.#data = undefined;
      if (size > largeTarball) {
        this.#fd = openSync(this.#file, 'wx', 0o600);
        this.#hash = createHash(this.#algorithm);
        for (const waiting of this.#pieces) this.#append(waiting);
        this.#append(piece);
        this.#pieces = [];
      } else this.#pieces.push(Buffer.from(piece));
    }
    this.#size = size;
  }

  abandon(): void {
    this.#letGo();
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
    rmSync(this.#file, { force: true });
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Ends the download. */
  take(): Tarball {
    this.#letGo();
    if (this.#fd >= 0) {
      closeSync(this.#fd);
      this.#fd = -1;
      return { file: this.#file };
    }
    return { data: this.#joined(), isOurs: true };
  }

  checksum(): string {
    const digest = this.#hash
      ? this.#hash.digest('base64')
      : hash(this.#algorithm, this.#joined(), 'base64');
    return `${this.#algorithm}-${digest}`;
  }

  /** What is in memory, as one. */
  #joined(): Buffer {
    if (!this.#data) {
      // Not Buffer.concat: a small one would share its memory with others.
      this.#data = Buffer.allocUnsafeSlow(this.#size);
      let at = 0;
      for (const piece of this.#pieces) at += piece.copy(this.#data, at);
      this.#pieces = [];
    }
    return this.#data.subarray(0, this.#size);
  }

  #letGo(): void {
    this.#hold(-this.#held);
    this.#held = 0;
  }

  #append(piece: Buffer): void {
    this.#hash?.update(piece);
    try {
      for (let at = 0; at < piece.length; ) at += writeSync(this.#fd, piece, at, piece.length - at);
    } catch (error) {
      throw writeFailure(error, this.#file);
    }
  }
}
