import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isObject } from '../json';

/** By then a server has loaded what it is made of; what comes later, Node resolves as ever. */
export const keptForMs = 60_000;

/** Node's flags that have a say in where a request leads. */
const ownWays = /(^|\s)-(r|C|-(no-)?(require|import|loader|conditions|preserve|experimental))/;

/** True when this process was told to resolve in a way of its own, so that nothing kept counts. */
export const hasOwnWays = () =>
  ownWays.test([process.env.NODE_OPTIONS, ...process.execArgv].join(' '));

/**
 * Reads what a warm run wrote down.
 * @returns undefined when there is nothing, or what another Node wrote: resolution is each Node's own
 */
export function readKept(file: string): Record<string, unknown> | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(kept) && kept.node === process.version ? kept : undefined;
  } catch {
    return undefined;
  }
}

export function writeKept(file: string, kept: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ node: process.version, ...kept }));
}

/** The release as modules name it. @throws when it is gone */
export const realFolder = (release: string) => realpathSync(release);
