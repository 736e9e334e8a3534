const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * The kernel gives process 1 of a container no default action: a SIGTERM without a handler is
 * lost, and the host waits until it kills. So there, and only there, a backend that listens to
 * none of these ends as it would end anywhere else.
 */
export function endBySignalsAsPidOne(): void {
  if (process.pid !== 1) return;
  const { constants } = process.getBuiltinModule('node:os');
  for (const signal of signals)
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
}
