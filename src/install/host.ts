import { readFileSync } from 'node:fs';
import type { Io } from '../io';
import type { InstallHost } from './placements';

/** This machine as far as it decides which packages fit. */
export function readInstallHost({
  platform,
  arch,
  nodeVersion,
}: Pick<Io, 'platform' | 'arch' | 'nodeVersion'>): InstallHost {
  return { platform, arch, node: nodeVersion, libc: platform === 'linux' ? readLibc() : undefined };
}

/** As npm finds it: what the system's ldd says of itself, else what Node runs on. */
function readLibc(): string | undefined {
  try {
    const ldd = readFileSync('/usr/bin/ldd', 'latin1');
    return /musl/.test(ldd) ? 'musl' : /GNU C Library/.test(ldd) ? 'glibc' : undefined;
  } catch {
    const { header, sharedObjects } = process.report.getReport() as unknown as {
      header?: { glibcVersionRuntime?: string };
      sharedObjects?: string[];
    };
    if (header?.glibcVersionRuntime) return 'glibc';
    return sharedObjects?.some(file => /libc\.musl-|ld-musl-/.test(file)) ? 'musl' : undefined;
  }
}
