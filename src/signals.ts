import { constants } from 'node:os';
import type { Outcome } from './commands/command';

const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command so that SIGINT, SIGTERM and SIGHUP abort it: it cleans up and ends with 128 + n.
 * A second signal ends the process at once. The handlers are gone when it returns.
 */
export async function interruptible(
  run: (signal: AbortSignal) => Promise<Outcome> | Outcome,
): Promise<Outcome> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (received) process.exit(128 + constants.signals[signal]);
    received = signal;
    controller.abort(new Error(`stopped by ${signal}`));
  };
  for (const signal of signals) process.on(signal, handle);
  try {
    return await run(controller.signal);
  } catch (error) {
    if (received) return 128 + constants.signals[received];
    throw error;
  } finally {
    for (const signal of signals) process.removeListener(signal, handle);
  }
}
