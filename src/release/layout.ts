import { join } from 'node:path';

/** Where everything lies under the user's folder. */
export interface Layout {
  readonly root: string;
  readonly current: string;
  /** What server.js loads. */
  readonly launcher: string;
  readonly releases: string;
  /** For what a failure names to be read. */
  readonly logs: string;
  release(name: string): string;
}

/** @param dir the user's folder, absolute */
export function layoutOf(dir: string): Layout {
  const root = join(dir, '.bootlace');
  const releases = join(root, 'releases');
  return {
    root,
    current: join(root, 'current.json'),
    launcher: join(root, 'launcher.cjs'),
    releases,
    logs: join(root, 'cache', 'logs'),
    release: name => join(releases, name),
  };
}

/** The backend's folder in a release. */
export function backendFolder(release: string, packageName: string): string {
  return join(release, 'node_modules', packageName);
}

export const receiptName = 'release.json';
