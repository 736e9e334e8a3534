import { constants } from 'node:os';
import type { Outcome } from './commands/command';

const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command so that SIGINT, SIGTERM and SIGHUP abort it: it cleans up and ends with 128 + n.
 * A second signal ends the process at once. The handlers are gone when it returns. If the
 * command finishes all the same, its work stands, but the program that it would become is not started.
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
    const outcome = await run(controller.signal);
    if (typeof outcome === 'number') return outcome;
    // A signal that came while nothing was awaited is heard in the next whole turn of the event loop.
    for (let i = 0; i < 2; i++) await new Promise(resolve => setImmediate(resolve));
    return received ? 128 + constants.signals[received] : outcome;
  } catch (error) {
    if (received) return 128 + constants.signals[received];
    throw error;
  } finally {
    for (const signal of signals) process.removeListener(signal, handle);
  }
}
