import { nearest } from '../../../ui/nearest';
import {
  allVariables,
  type Blueprint,
  byName,
  type EnvVar,
  type Rule,
  type Service,
} from '../blueprint';
import {
  error,
  type MapValue,
  mapAt,
  mapsAt,
  type Place,
  type Problem,
  placeOf,
  quote,
  textAt,
} from '../value';

/** References that lead nowhere. */
export const referenceRules: readonly Rule[] = [databases, services, groups];

function* databases(blueprint: Blueprint): Generator<Problem> {
  const all = byName(blueprint.databases);
  const replicas = blueprint.databases
    .flatMap(({ at }) => mapsAt(at, 'readReplicas'))
    .flatMap(replica => textAt(replica, 'name') ?? []);
  const names = new Set([...all.keys(), ...replicas]);
  for (const { from } of references(blueprint, 'fromDatabase')) {
    const name = textAt(from, 'name');
    if (name === undefined) continue;
    if (!names.has(name)) {
      yield missing(placeOf(from, 'name'), 'database', name, [...names], 'databases');
      continue;
    }
    const database = all.get(name);
    if (textAt(from, 'property') !== 'connectionPoolString' || !database) continue;
    if (textAt(database.at, 'connectionPool') !== 'pgbouncer')
      yield error(placeOf(from, 'property'), 'POOL_MISSING', {
        message: `the database ${quote(name)} has no connection pool`,
        fix: 'write connectionPool: pgbouncer at the database, or property: connectionString',
      });
  }
}

function* services(blueprint: Blueprint): Generator<Problem> {
  const all = byName(blueprint.services);
  for (const { from } of references(blueprint, 'fromService')) {
    const name = textAt(from, 'name');
    if (from.fields.has('property') === from.fields.has('envVarKey'))
      yield error(from, 'REFERENCE_INCOMPLETE', {
        message: from.fields.has('property')
          ? 'fromService has property and envVarKey'
          : 'fromService has neither property nor envVarKey',
        fix: 'write one of the two: property: hostport, or envVarKey: NAME',
      });
    if (name === undefined) continue;
    const target = all.get(name);
    if (!target) yield missing(placeOf(from, 'name'), 'service', name, [...all.keys()], 'services');
    else yield* checkTarget(from, target, blueprint);
  }
}

/** What each type of service can be asked for. */
const properties: ReadonlyMap<string, readonly string[]> = new Map([
  ['web', ['host', 'port', 'hostport']],
  ['pserv', ['host', 'port', 'hostport']],
  ['keyvalue', ['host', 'port', 'hostport', 'connectionString']],
  ['worker', []],
  ['cron', []],
]);

function* checkTarget(from: MapValue, target: Service, blueprint: Blueprint): Generator<Problem> {
  const type = textAt(from, 'type') === 'redis' ? 'keyvalue' : textAt(from, 'type');
  const isSite = target.runtime === 'static' && type === 'static';
  if (type !== undefined && target.type !== '' && type !== target.type && !isSite)
    yield error(placeOf(from, 'type'), 'REFERENCE_TYPE', {
      message: `${quote(target.name)} is of type ${target.type}`,
      fix: `write type: ${target.type}`,
    });
  const property = textAt(from, 'property');
  const offered = properties.get(target.type);
  if (property !== undefined && offered && !offered.includes(property))
    yield error(placeOf(from, 'property'), 'REFERENCE_PROPERTY', {
      message: `a service of type ${target.type} has no ${quote(property)}`,
      fix:
        offered.length > 0
          ? `write one of: ${offered.join(', ')}`
          : 'nothing can connect to it: refer to a web or a private service, or use envVarKey',
    });
  const key = textAt(from, 'envVarKey');
  if (key === undefined) return;
  const { variables, isComplete } = allVariables(target, blueprint);
  const keys = variables.flatMap(variable => variable.key ?? []);
  // Render sets these itself: https://render.com/docs/environment-variables
  if (!isComplete || keys.includes(key) || /^(RENDER|RENDER_\w+|PORT|IS_PULL_REQUEST)$/.test(key))
    return;
  const meant = nearest(key, keys);
  yield error(placeOf(from, 'envVarKey'), 'REFERENCE_MISSING', {
    message: `${quote(target.name)} declares no variable ${quote(key)}`,
    fix: meant ? `write envVarKey: ${meant}` : `add the variable to the envVars of ${target.name}`,
  });
}

/** Render takes groups of the workspace, too; beside groups of the file it is more likely a slip. */
function* groups(blueprint: Blueprint): Generator<Problem> {
  const names = blueprint.groups.map(({ name }) => name);
  if (names.length === 0) return;
  for (const { at } of blueprint.services)
    for (const entry of mapsAt(at, 'envVars')) {
      const name = textAt(entry, 'fromGroup');
      if (name === undefined || names.includes(name)) continue;
      const place = placeOf(entry, 'fromGroup');
      yield { ...missing(place, 'group', name, names, 'envVarGroups'), severity: 'warning' };
    }
}

function missing(
  at: Place,
  what: string,
  name: string,
  names: readonly string[],
  list: string,
): Problem {
  const meant = nearest(name, names);
  return error(at, 'REFERENCE_MISSING', {
    message: `there is no ${what} ${quote(name)} in this file`,
    fix: meant ? `write ${meant}` : `add it under ${list}, or correct the name`,
  });
}

/** The entries of services that have such a field. */
export function references(
  { services }: Blueprint,
  field: 'fromDatabase' | 'fromService',
): { service: Service; envVar: EnvVar; from: MapValue }[] {
  return services.flatMap(service =>
    service.envVars.flatMap(envVar => {
      const from = mapAt(envVar.at, field);
      return from ? [{ service, envVar, from }] : [];
    }),
  );
}
