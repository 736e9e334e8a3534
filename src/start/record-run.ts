import { setTimeout } from 'node:timers';
import { addLine } from '../release/history-file';
import type { Layout } from '../release/layout';
import { atExit } from './at-exit';
import type { CacheState } from './compile-cache';

/** A process that lives this long has started well; a crash loop is faster. */
const goodAfterMs = 10_000;
const healthTries = 60;

/**
 * Writes down that this process starts, how it ends, and that it started well. Nothing of ours
 * outlives the process, so an end that it cannot see itself is found by whoever reads the record.
 */
export function recordThisRun(layout: Layout, key: string, cache: CacheState): void {
  const { pid } = process;
  const begun = Date.now();
  const now = () => new Date().toISOString();
  addLine(layout, { is: 'start', key, pid, at: now(), cache });
  atExit(code => {
    const seconds = Math.round((Date.now() - begun) / 100) / 10;
    addLine(layout, { is: 'end', key, pid, at: now(), code, seconds });
  });
  const write = (is: 'good' | 'stayed') => addLine(layout, { is, key, pid, at: now() });
  setTimeout(() => {
    const { BACKEND_HEALTH: path, PORT: port } = process.env;
    if (!path?.startsWith('/') || !port || !/^\d+$/.test(port)) return write('good');
    write('stayed');
    whenHealthy({ path, port }, () => write('good'), healthTries);
  }, goodAfterMs).unref();
}

/** Once 127.0.0.1:PORT answers the path below 400. */
function whenHealthy(at: { path: string; port: string }, good: () => void, tries: number): void {
  const again = () => {
    if (tries > 1) setTimeout(() => whenHealthy(at, good, tries - 1), goodAfterMs).unref();
  };
  // A server with a health path has this module in memory already.
  const http = process.getBuiltinModule('node:http');
  http
    .get({ host: '127.0.0.1', ...at, timeout: 5000, agent: false }, response => {
      response.resume();
      if ((response.statusCode ?? 500) < 400) good();
      else again();
    })
    .once('error', again)
    .once('socket', socket => socket.unref());
}
