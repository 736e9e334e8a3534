import type { Headers } from './http-answer';

/** An answer whose body has not been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /**
   * Reads the body to its end; once.
   * @param take told each piece, which is its own until it returns; what it throws ends the reading
   */
  read(take: (piece: Buffer) => void): Promise<void>;
  /** Gives up what has not been read; who reads may still be told a little of it. */
  discard(): void;
}

/** A body that arrives while, or before, somebody reads it. */
export class ArrivingBody {
  #early: Buffer[] = [];
  #take: ((piece: Buffer) => void) | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #outcome: { error?: unknown } | undefined;

  get isRead(): boolean {
    return this.#take !== undefined;
  }

  push(piece: Buffer): void {
    if (this.#outcome) return;
    if (this.#take) this.#take(piece);
    else this.#early.push(Buffer.from(piece));
  }

  /** @param error undefined when the body is whole; only the first call counts */
  end(error?: unknown): void {
    if (this.#outcome) return;
    this.#outcome = { error };
    this.#settle();
  }

  read(take: (piece: Buffer) => void): Promise<void> {
    if (this.#take) throw new Error('a body is read once');
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#take = take;
      try {
        for (const piece of this.#early) take(piece);
      } catch (error) {
        this.#outcome = { error };
      }
      this.#early = [];
      this.#settle();
    });
  }

  #settle(): void {
    if (!this.#outcome || !this.#resolve) return;
    if (this.#outcome.error === undefined) this.#resolve();
    else this.#reject?.(this.#outcome.error);
  }
}
