// The main of .bootlace/launcher.cjs, which server.js loads.
import { dirname } from 'node:path';
import { BootlaceError } from '../errors';
import { failureText } from '../ui/failure-text';
import { prepareLaunch } from './launch';
import { say } from './say';

let run: (() => void) | undefined;
try {
  run = prepareLaunch(dirname(__dirname), process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BootlaceError)) throw error;
  say(failureText(error));
  process.exitCode = error.exitCode;
}
// Inside import() an error of the backend would become a rejected promise.
if (run) module.parent ? run() : setImmediate(run);
