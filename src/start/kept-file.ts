import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject } from '../json';
import type { Layout } from '../release/layout';
import { compileCacheFolder } from './compile-cache';

/** By then a server has loaded what it is made of; what comes later, Node resolves as ever. */
export const keptForMs = 60_000;

/** Node's flags that have a say in where a request leads. */
const ownWays = /(^|\s)-(r|C|-(no-)?(require|import|loader|conditions|preserve|experimental))/;

/** True when this process was told to resolve in a way of its own, so that nothing kept counts. */
export const hasOwnWays = () =>
  ownWays.test([process.env.NODE_OPTIONS, ...process.execArgv].join(' '));

/** Beside the release's compiled code; all of it is of the same warm run. */
export const keptFile = (layout: Layout, release: string, what: 'requires' | 'imports') =>
  join(compileCacheFolder(layout, release), `${what}.json`);

/**
 * Reads what a warm run wrote down.
 * @returns undefined when there is nothing that counts for this process: resolution is each Node's own
 */
export function readKept(file: string): Record<string, unknown> | undefined {
  if (hasOwnWays()) return undefined;
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(kept) && kept.node === process.version ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** @param kept undefined removes what an earlier warm run wrote */
export function writeKept(file: string, kept: object | undefined): void {
  if (!kept) return rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ node: process.version, ...kept }));
}

/**
 * True for a file of the release that was there before this process. What a backend writes itself may be
 * gone at the next start, and what asks for it wants to hear that.
 */
export const wasThere = (path: string): boolean =>
  (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < performance.timeOrigin;

/** A value that the table itself has under a name that anybody may have chosen. */
export const own = <Value>(table: Record<string, Value>, key: string): Value | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
