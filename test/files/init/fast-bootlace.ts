// Runs a command line of bootlace on a clock that is faster than the real one, so that waiting for
// deploys takes no minutes: tsx fast-bootlace.ts ARGS
import { join } from 'node:path';
import { main } from '../../../src/cli';
import { realIo } from '../../../src/io';
import { fastClock } from '../../support/clock';
import { root } from '../../support/run';

const clock = fastClock(40, Number(process.env.CLOCK_START));
main(process.argv.slice(2), { ...realIo(), ...clock }, join(root, 'dist')).then(outcome => {
  process.exitCode = typeof outcome === 'number' ? outcome : 1;
});
