import validVersion from 'semver/functions/valid';
import { isObject } from '../json';

/** A version that was proven to be serving, and the deploy that it was proven on. */
export interface Proven {
  readonly version: string;
  readonly deploy: string;
}

/** A deploy that began: what was there before, so that anyone can finish it or go back. */
export interface Pending {
  /** The version that is wanted. */
  readonly to: string;
  readonly nonce: string;
  /** The newest deploy's creation when it began, by Render's clock; ours was created later. */
  readonly since: string | undefined;
  /** The pin and the nonce as they were; null when the variable was not set. */
  readonly pin: string | null;
  readonly wasNonce: string | null;
  /** The deploy that was live. */
  readonly live: string | undefined;
  /** Our deploy, once undoing it has begun. */
  readonly own?: string;
  /** Set when the pin was left as it is. */
  readonly keepsPin?: true;
  /** Set when it is a rollback: going on means going to `to`. */
  readonly isRollback?: true;
}

/** What bootlace keeps beside the pin, in one variable of the service. */
export interface ServiceRecord {
  /** The newest first. */
  readonly proven: readonly Proven[];
  readonly pending: Pending | undefined;
}

/** The variables that bootlace keeps on a service. */
export const recordKey = 'BOOTLACE_RECORD';
export const nonceKey = 'BOOTLACE_DEPLOY';

const mostProven = 5;
export const emptyRecord: ServiceRecord = { proven: [], pending: undefined };

/** Reads the variable; what cannot be understood counts as nothing: people edit variables. */
export function parseRecord(text: string | undefined): ServiceRecord {
  if (!text) return emptyRecord;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return emptyRecord;
  }
  if (!isObject(value)) return emptyRecord;
  const proven = Array.isArray(value.proven) ? value.proven.filter(isProven) : [];
  return {
    proven: proven.slice(0, mostProven).map(({ version, deploy }) => ({ version, deploy })),
    pending: isPending(value.pending) ? value.pending : undefined,
  };
}

/** @returns the variable's text; undefined when there is nothing to keep */
export function renderRecord({ proven, pending }: ServiceRecord): string | undefined {
  if (!proven.length && !pending) return undefined;
  return JSON.stringify({ proven, ...(pending && { pending }) });
}

/** The record after a version was proven. Going back to a version forgets the ones after it. */
export function withProven(record: ServiceRecord, proven: Proven): ServiceRecord {
  const at = record.proven.findIndex(({ version }) => version === proven.version);
  const older = at < 0 ? record.proven : record.proven.slice(at + 1);
  return { ...record, pending: undefined, proven: [proven, ...older].slice(0, mostProven) };
}

function isProven(value: unknown): value is Proven {
  return isObject(value) && typeof value.deploy === 'string' && isVersion(value.version);
}

function isVersion(value: unknown): boolean {
  return typeof value === 'string' && validVersion(value) !== null;
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]+$/.test(value);
}

function isPending(value: unknown): value is Pending {
  const isText = (item: unknown) => typeof item === 'string';
  return (
    isObject(value) &&
    isVersion(value.to) &&
    isText(value.nonce) &&
    /^[\w.-]{1,64}$/.test(String(value.nonce)) &&
    (value.since === undefined || isText(value.since)) &&
    (value.pin === null || isText(value.pin)) &&
    (value.wasNonce === null || isText(value.wasNonce)) &&
    (value.live === undefined || isId(value.live)) &&
    (value.own === undefined || isId(value.own)) &&
    (value.keepsPin === undefined || value.keepsPin === true) &&
    (value.isRollback === undefined || value.isRollback === true)
  );
}
