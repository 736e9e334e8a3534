import type { Io } from '../io';
import { activate } from '../release/activate';
import { backendFolder, layoutOf } from '../release/layout';
import type { Current } from '../release/receipt';
import { type Release, readCurrent } from '../release/store';
import { planStartIn } from '../start/plan/start-plan';

/**
 * Makes a release that is on disk the active one, started as the active one was asked to.
 * @param wanted for status: the wish, its source and why
 */
export function activateKept(
  dir: string,
  { name, folder, receipt }: Release,
  wanted: Current['wanted'],
  io: Pick<Io, 'now'>,
): void {
  const layout = layoutOf(dir);
  const present = readCurrent(layout);
  if (present?.active === name) return;
  const { asked, args, tokenEnv = 'NPM_TOKEN', secretEnv, memory } = present?.start ?? {};
  const place = { release: folder, backend: backendFolder(folder, receipt.package) };
  const start = planStartIn(place, { asked, args, tokenEnv, secretEnv, memory });
  activate(layout, { name, wanted, start, typed: present?.typed }, io);
}
