// The main of server.js. scripts/build.ts wraps this bundle so that one text runs as CommonJS and
// as an ES module: `bootlaceFile` is the path of server.js itself in both.
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { BootlaceError } from '../errors';
import { failureText } from '../ui/failure-text';
import { prepareLaunch } from './launch';

declare const bootlaceFile: string;

let run: (() => void) | undefined;
try {
  run = prepareLaunch(dirname(bootlaceFile), process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BootlaceError)) throw error;
  writeSync(2, failureText(error));
  process.exitCode = error.exitCode;
}
run?.();
