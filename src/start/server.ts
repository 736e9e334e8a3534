// The main of server.js. scripts/build.ts wraps this bundle so that one text runs as CommonJS and
// as an ES module: `bootlaceFile` is the path of server.js itself in both.
import { dirname } from 'node:path';
import { BootlaceError } from '../errors';
import { failureText } from '../ui/failure-text';
import { prepareLaunch } from './launch';
import { say } from './say';

declare const bootlaceFile: string;

let run: (() => void) | undefined;
try {
  run = prepareLaunch(dirname(bootlaceFile), process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BootlaceError)) throw error;
  say(failureText(error));
  process.exitCode = error.exitCode;
}
run?.();
