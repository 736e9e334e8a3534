import { parentOf } from '../lock/validate';
import { type BinLink, planBinLinks } from './bins';
import { type Placement, type PlacementPlan, push } from './placements';
import type { UnpackTarget } from './unpack';

/**
 * Plans what unpacking has to know of a package's folder besides its tarball. Pure.
 * @param options.backend the folder that slim never touches
 */
export function planTargets(
  plan: PlacementPlan,
  options: { readonly slim?: boolean; readonly backend?: string },
) {
  const bundled = new Set(plan.bundled);
  /** The package whose tarball brings a folder. */
  const bringerOf = (path: string) => {
    let folder = path;
    while (bundled.has(folder)) folder = parentOf(folder);
    return folder;
  };
  const foreign = new Map<string, string[]>();
  for (const { paths } of plan.placements)
    for (const path of paths)
      for (let up = parentOf(path); up !== ''; up = parentOf(up))
        push(foreign, up, path.slice(up.length + 1).toLowerCase());
  const brings = new Map<string, string[]>();
  for (const path of plan.bundled) push(brings, bringerOf(path), path);
  const links = new Map<string, BinLink[]>();
  for (const link of planBinLinks(plan.bins)) push(links, bringerOf(link.folder), link);
  return (placement: Placement) =>
    (folder: string): UnpackTarget => ({
      folder,
      foreign: foreign.get(folder) ?? [],
      links: links.get(folder) ?? [],
      bundled: brings.get(folder) ?? [],
      slim: options.slim === true && folder !== options.backend && placement.name !== 'typescript',
    });
}
