import type { Shown } from './expect';
import type { Deploy, Service } from './model';

/** What must be true of a live deploy. */
export interface Expectation {
  readonly service: Service;
  readonly deploy: Deploy;
  /** undefined: no version is expected, only health. */
  readonly version: string | undefined;
  readonly package: string | undefined;
  /** We have just brought it live: what failed since then failed by it. */
  readonly isNew: boolean;
  /** The nonce of this deploy; undefined where the deploy runs with an older environment. */
  readonly nonce: string | undefined;
  /** Where the backend shows its version; without it the start line is asked for. */
  readonly shown: Shown | undefined;
  /** Ask for start lines: false where none can be expected since this deploy. */
  readonly startLines: boolean;
  /** The address to ask; undefined for services that have none. */
  readonly url: string | undefined;
}

/** What one round found wrong. */
export interface Problem {
  code: string;
  text: string;
}
