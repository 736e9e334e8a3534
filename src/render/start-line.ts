import { stripVTControlCharacters } from 'node:util';
import type { LogLine } from './model';

/** What bootlace's server.js says when it starts a backend (src/start/launch.ts). */
export interface StartLine {
  package: string;
  version: string;
  nonce: string | undefined;
  instance: string | undefined;
  timestamp: string;
}

const pattern =
  /bootlace: starting ((?:@[^/@\s]+\/)?[^@\s]+)@(\S+): .*?(?: deploy=([\w.-]{1,64}))?$/;

/** @returns undefined for any other line */
export function parseStartLine({ message, instance, timestamp }: LogLine): StartLine | undefined {
  const [, name, version, nonce] = pattern.exec(stripVTControlCharacters(message).trimEnd()) ?? [];
  if (!name || !version) return undefined;
  return { package: name, version, nonce, instance, timestamp };
}
