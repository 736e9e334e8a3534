/**
 * Calls `listener` with the code that this process ends with. Listeners after it may still set
 * another, Node's own for an await that never settled among them, so it goes behind all of them once
 * the event loop is empty.
 */
export function atExit(listener: (code: number) => void): void {
  const last = (code: number) => listener(Number(process.exitCode ?? code));
  process.on('exit', last);
  process.once('beforeExit', () => process.off('exit', last).on('exit', last));
}
