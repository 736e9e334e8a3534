import { publisherProblems } from './named-command';
import { findIn, hasBinIn, readPackageJson } from './package-files';

/**
 * Refuses an installed backend whose `bootlace` object names a role or a migrate command that could not
 * be started: now, and not at the moment of the migration.
 * @param folder the backend's
 * @throws the first of publisherProblems, NotFoundError RELEASE_BROKEN
 */
export function checkCommands(folder: string): void {
  const json = readPackageJson(folder);
  const [problem] = publisherProblems(json, findIn(folder), hasBinIn(folder, json));
  if (problem) throw problem;
}
