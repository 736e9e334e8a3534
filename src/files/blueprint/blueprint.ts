import { posix } from 'node:path';
import type { Repository } from '../repository';
import { type Field, type MapValue, type Problem, textOf, type Value } from './value';

/** A variable's entry in a service or a group. */
export interface EnvVar {
  at: MapValue;
  key: string | undefined;
  /** The field `value`, where it holds one. */
  value: Field | undefined;
  /** Its text; numbers as they are written. */
  text: string | undefined;
}

export interface Service extends Resource {
  type: string;
  runtime: string | undefined;
  /** The service's folder in the repository, without ./ and the last slash; '' for its top. */
  rootDir: string;
  /** The environment of a project that it is in. */
  environment: string | undefined;
  /** The names of the groups that it takes variables from. */
  groups: readonly string[];
}

/** A service, a database or a group of variables. */
export interface Resource {
  at: MapValue;
  name: string;
  region: string;
  envVars: readonly EnvVar[];
}

/** The parts of a Blueprint that the rules ask for, whatever project and environment they are in. */
export interface Blueprint {
  services: readonly Service[];
  databases: readonly Resource[];
  groups: readonly Resource[];
}

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

/** Collects what has the right shape; the rest is passed over. Pure. */
export function readBlueprint(root: Value): Blueprint {
  const places: { place: MapValue; environment?: string }[] = [];
  if (root.kind === 'map') places.push({ place: root });
  const ungrouped = root.kind === 'map' && root.map('ungrouped');
  if (ungrouped) places.push({ place: ungrouped });
  for (const place of root.kind === 'map' ? root.maps('projects') : []) {
    places.push({ place });
    for (const each of place.maps('environments'))
      places.push({ place: each, environment: each.text('name') });
  }
  const all = (key: string) => places.flatMap(({ place }) => place.maps(key).map(resource));
  return {
    services: places.flatMap(({ place, environment }) =>
      place.maps('services').map(at => service(at, environment)),
    ),
    databases: all('databases'),
    groups: all('envVarGroups'),
  };
}

function resource(at: MapValue): Resource {
  return {
    at,
    name: at.text('name') ?? '',
    region: at.text('region') ?? 'oregon',
    envVars: envVarsOf(at),
  };
}

function service(at: MapValue, environment: string | undefined): Service {
  const rootDir = at.text('rootDir') ?? '';
  return {
    ...resource(at),
    type: at.text('type') === 'redis' ? 'keyvalue' : (at.text('type') ?? ''),
    runtime: at.text('runtime') ?? at.text('env'),
    rootDir: posix.normalize(rootDir).replace(/^\.$|^\/|\/$/g, ''),
    environment,
    groups: at.maps('envVars').flatMap(entry => entry.text('fromGroup') ?? []),
  };
}

function envVarsOf(at: MapValue): EnvVar[] {
  return at
    .maps('envVars')
    .filter(entry => !entry.has('fromGroup'))
    .map(entry => {
      const value = entry.fields.get('value');
      return { at: entry, key: entry.text('key'), value, text: textOf(value?.value) };
    });
}

/** Name → the first that has it; a search for each reference would take seconds in a large file. */
export function byName<T extends { name: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.toReversed().map(each => [each.name, each]));
}

/** A service's variables, those of its groups included; its own come first and count. */
export function allVariables(
  service: Service,
  { groups }: Blueprint,
): { variables: readonly EnvVar[]; isComplete: boolean } {
  const named = service.groups.map(name => groups.find(group => group.name === name));
  return {
    variables: [...service.envVars, ...named.flatMap(group => group?.envVars ?? [])],
    // A group that the file does not hold may bring any variable.
    isComplete: named.every(group => group !== undefined),
  };
}

/** True for a service that runs an image, built from a Dockerfile or not. */
export function isContainer({ runtime }: Service): boolean {
  return runtime === 'docker' || runtime === 'image';
}

/** False for a service that deploys on a push. */
export function isAutodeployOff(service: Service): boolean {
  const trigger = service.at.text('autoDeployTrigger');
  if (trigger !== undefined) return trigger === 'off';
  return (
    /^(false|no|off)$/i.test(service.at.text('autoDeploy') ?? '') || service.runtime === 'image'
  );
}
