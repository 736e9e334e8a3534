import { join } from 'node:path';

export type Layout = ReturnType<typeof layoutOf>;

/** Where everything lies under the user's folder. @param dir absolute */
export function layoutOf(dir: string) {
  const root = join(dir, '.bootlace');
  const releases = join(root, 'releases');
  return {
    root,
    current: join(root, 'current.json'),
    /** What server.js loads. */
    launcher: join(root, 'launcher.cjs'),
    releases,
    /** For what a failure names to be read. */
    logs: join(root, 'cache', 'logs'),
    release: (name: string) => join(releases, name),
  } as const;
}

/** The backend's folder in a release. */
export function backendFolder(release: string, packageName: string): string {
  return join(release, 'node_modules', packageName);
}

export const receiptName = 'release.json';
