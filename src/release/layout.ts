import { join } from 'node:path';

/** Where everything lies under the user's folder. */
export interface Layout {
  readonly dir: string;
  readonly root: string;
  readonly current: string;
  /** What server.js loads. */
  readonly launcher: string;
  readonly releases: string;
  readonly cache: string;
  release(name: string): string;
}

/** @param dir the user's folder, absolute */
export function layoutOf(dir: string): Layout {
  const root = join(dir, '.bootlace');
  const releases = join(root, 'releases');
  return {
    dir,
    root,
    current: join(root, 'current.json'),
    launcher: join(root, 'launcher.cjs'),
    releases,
    cache: join(root, 'cache'),
    release: name => join(releases, name),
  };
}

/** For what a failure names to be read. */
export function logsFolder({ cache }: Layout): string {
  return join(cache, 'logs');
}

/** The backend's folder in a release. */
export function backendFolder(release: string, packageName: string): string {
  return join(release, 'node_modules', packageName);
}

export const receiptName = 'release.json';
