import type { Repository } from '../../repository';
import type { Blueprint, Service } from '../blueprint';
import type { MapValue, Place, Problem } from '../value';

/** What one rule finds in a Blueprint. Pure, except for what it asks of the repository. */
export type Rule = (blueprint: Blueprint, repository: Repository) => Iterable<Problem>;

/** A rule that looks at one service at a time. */
export function perService(
  rule: (service: Service, repository: Repository, blueprint: Blueprint) => Iterable<Problem>,
): Rule {
  return function* (blueprint, repository) {
    for (const service of blueprint.services) yield* rule(service, repository, blueprint);
  };
}

/** Where a field's value stands; the map itself where it has no such field. */
export function placeOf(map: MapValue, key: string): Place {
  return map.fields.get(key)?.value ?? map;
}
