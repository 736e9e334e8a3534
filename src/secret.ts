import { inspect } from 'node:util';

/**
 * A value that never shows itself: string conversion, JSON and util.inspect all print [secret].
 * Only `reveal()` gives the value, so a search for that word finds every use.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
