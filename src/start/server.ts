// The main of server.js. scripts/build.ts wraps this bundle so that one text runs as CommonJS and
// as an ES module: `bootlaceFile` is the path of server.js itself in both, `bootlaceModule` what
// CommonJS calls module, and undefined in the other.
import { dirname } from 'node:path';
import { BootlaceError } from '../errors';
import { failureText } from '../ui/failure-text';
import { hidePreload, takeAgain } from './again';
import { prepareLaunch } from './launch';
import { say } from './say';

declare const bootlaceFile: string;
declare const bootlaceModule: { isPreloading: boolean } | undefined;

let run: (() => void) | undefined;
const again = takeAgain(process);
// Whatever a preload before this one forked has its flags, and is no start.
if (!again && bootlaceModule?.isPreloading) hidePreload(['-r', bootlaceFile]);
else
  try {
    run = prepareLaunch(again ?? { dir: dirname(bootlaceFile), args: process.argv.slice(2) }, {
      file: bootlaceFile,
      isModule: !bootlaceModule,
    });
  } catch (error) {
    if (!(error instanceof BootlaceError)) throw error;
    say(failureText(error));
    // Behind a preload Node would start the entry.
    if (again) process.exit(error.exitCode);
    process.exitCode = error.exitCode;
  }
run?.();
