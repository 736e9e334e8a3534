import validVersion from 'semver/functions/valid';
import { isObject, parseObject } from '../../json';
import type { AutoDeploy } from '../api/model';

/** A version that was proven to be serving, and the deploy that it was proven on. */
export interface Proven {
  readonly version: string;
  readonly deploy: string;
  /** The GitHub user who deployed it. */
  readonly by?: string;
  /** How it was proven, where that was not by start lines. */
  readonly how?: 'answer' | 'deploy';
  /** A rollback left it, or failed to reach it: a plain rollback does not choose it. */
  readonly left?: true;
}

/** A deploy that began: what was there before, so that anyone can finish it or go back. */
export interface DeployNote {
  /** The version that is wanted. */
  readonly to: string;
  /** The run that wrote it; while it is fresh, no other run may deploy. */
  readonly run?: string | undefined;
  readonly by?: string | undefined;
  /** ISO times by the clock of that run: when it began, and how long the note is fresh. */
  readonly at?: string | undefined;
  readonly until?: string | undefined;
  /** That run has ended without finishing it: anybody may go on. */
  readonly left?: true;
  /** The newest deploy's creation when it began, by Render's clock; ours was created later. */
  readonly since: string | undefined;
  /** The pin as it was; null when the variable was not set. */
  readonly pin: string | null;
  /** The deploy that was live. */
  readonly live: string | undefined;
  /** Our deploy, once the way back has begun. */
  readonly own?: string | undefined;
  /** Set when the pin was left as it is. */
  readonly keepsPin?: true;
  /** Set when it is a rollback: going on means going to `to`. */
  readonly isRollback?: true;
}

/** What bootlace keeps beside the pin, in one variable of the service. */
export interface ServiceRecord {
  /** The newest first. */
  readonly proven: readonly Proven[];
  readonly pending: DeployNote | undefined;
  /** What triggered autodeploys before --hold. */
  readonly held?: AutoDeploy | undefined;
}

/** The variable that bootlace keeps on a pinned service, beside the pin. */
export const recordKey = 'BOOTLACE_RECORD';

const mostProven = 5;
export const emptyRecord: ServiceRecord = { proven: [], pending: undefined };

/** Reads the variable; what cannot be understood counts as nothing: people edit variables. */
export function parseRecord(text: string | undefined): ServiceRecord {
  const value = parseObject(text);
  if (!value) return emptyRecord;
  const proven = Array.isArray(value.proven) ? value.proven.filter(isProven) : [];
  const { held } = value;
  return {
    proven: proven.slice(0, mostProven).map(({ version, deploy, by, how, left }) => ({
      version,
      deploy,
      ...(isWord(by) && { by }),
      ...((how === 'answer' || how === 'deploy') && { how }),
      ...(left === true && { left }),
    })),
    pending: isNote(value.pending) ? value.pending : undefined,
    ...((held === 'commit' || held === 'checksPass') && { held }),
  };
}

/** @returns the variable's text; undefined when there is nothing to keep */
export function renderRecord({ proven, pending, held }: ServiceRecord): string | undefined {
  return proven.length || pending || held ? JSON.stringify({ proven, pending, held }) : undefined;
}

/** The record after a version was proven; what was proven before stays. */
export function withProven(record: ServiceRecord, proven: Proven): ServiceRecord {
  const others = record.proven.filter(({ version }) => version !== proven.version);
  return { ...record, proven: [proven, ...others].slice(0, mostProven) };
}

/**
 * The record after a version was left.
 * @param to the version that was gone back to: all that were proven after it are left, too
 */
export function withLeft(
  record: ServiceRecord,
  from: string | undefined,
  to?: string,
): ServiceRecord {
  const at = record.proven.findIndex(({ version }) => version === to);
  const proven = record.proven.map((item, i) =>
    i < at || item.version === from ? { ...item, left: true as const } : item,
  );
  return { ...record, proven };
}

function isProven(value: unknown): value is Proven {
  return isObject(value) && typeof value.deploy === 'string' && isVersion(value.version);
}

function isVersion(value: unknown): boolean {
  return typeof value === 'string' && validVersion(value) !== null;
}

/** One short line. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[^\r\n]{1,100}$/.test(value);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]+$/.test(value);
}

function isNote(value: unknown): value is DeployNote {
  if (!isObject(value) || !isVersion(value.to)) return false;
  if (value.pin !== null && typeof value.pin !== 'string') return false;
  const words = [value.run, value.by, value.at, value.until, value.since];
  const ids = [value.live, value.own];
  const switches = [value.left, value.keepsPin, value.isRollback];
  return (
    words.every(item => item === undefined || isWord(item)) &&
    ids.every(item => item === undefined || isId(item)) &&
    switches.every(item => item === undefined || item === true)
  );
}
