/**
 * Does something that ends with the time: what `act` returns, or the reason that its signal was
 * aborted with. The time covers all of it, such as the reading of an answer's body.
 * A timeout of AbortSignal, combined with the user's, would not do: Node 20 collects the timeout before it
 * fires (https://github.com/nodejs/node/issues/57736).
 * @param ms the time in milliseconds
 * @param signal the user's, which ends it earlier
 * @throws a TimeoutError when the time is over; the signal's reason; what `act` throws
 */
export async function withTimeout<T>(
  ms: number,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException('the time is over', 'TimeoutError')),
    ms,
  );
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await act(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
