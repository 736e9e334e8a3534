import { nearest } from '../../../ui/nearest';
import {
  allVariables,
  type Blueprint,
  byName,
  type EnvVar,
  perService,
  type Resource,
  type Rule,
  type Service,
} from '../blueprint';
import { error, type MapValue, type Place, type Problem, quote, warning } from '../value';

/** References that lead nowhere, and traps of addresses, regions and access. */
export const referenceRules: readonly Rule[] = [
  databases,
  services,
  groups,
  openDatabases,
  perService(poolService),
];

function* databases(blueprint: Blueprint): Generator<Problem> {
  const all = byName(blueprint.databases);
  const replicas = blueprint.databases
    .flatMap(({ at }) => at.maps('readReplicas'))
    .flatMap(replica => replica.text('name') ?? []);
  const names = new Set([...all.keys(), ...replicas]);
  for (const { service, from } of references(blueprint, 'fromDatabase')) {
    const name = from.text('name');
    if (name === undefined) continue;
    const database = all.get(name);
    if (!names.has(name))
      yield missing(from.place('name'), 'database', name, [...names], 'databases');
    if (!database) continue;
    yield* region(service, from, database);
    const isPooled = database.at.text('connectionPool') === 'pgbouncer';
    if (from.text('property') === 'connectionPoolString' && !isPooled)
      yield error(from.place('property'), 'POOL_MISSING', {
        message: `the database ${quote(name)} has no connection pool`,
        fix: 'write connectionPool: pgbouncer at the database, or property: connectionString',
      });
  }
}

/** Variables with these names are built into pages. */
const browserName = /^(NEXT_PUBLIC_|NUXT_PUBLIC_|EXPO_PUBLIC_|PUBLIC_|VITE_|REACT_APP_|GATSBY_)/;

function* services(blueprint: Blueprint): Generator<Problem> {
  const all = byName(blueprint.services);
  for (const { service, envVar, from } of references(blueprint, 'fromService')) {
    if (from.has('property') === from.has('envVarKey'))
      yield error(from, 'REFERENCE_INCOMPLETE', {
        message: `fromService has ${from.has('property') ? 'both' : 'neither'} of property and envVarKey`,
        fix: 'write one of the two: property: hostport, or envVarKey: NAME',
      });
    const { key = '' } = envVar;
    if (browserName.test(key) && /^(host|hostport)$/.test(from.text('property') ?? ''))
      yield warning(from.place('property'), 'HOST_NOT_PUBLIC', {
        message: `${from.text('property')} is a name inside Render, and ${quote(key)} goes to browsers`,
        fix: 'write envVarKey: RENDER_EXTERNAL_URL in place of property',
      });
    const name = from.text('name');
    const target = name === undefined ? undefined : all.get(name);
    if (target) yield* checkTarget(from, target, blueprint);
    if (target) yield* region(service, from, target);
    else if (name !== undefined)
      yield missing(from.place('name'), 'service', name, [...all.keys()], 'services');
  }
}

/** Internal addresses work within one region. */
function* region(service: Service, from: MapValue, target: Resource): Generator<Problem> {
  if (!/host|connection/.test(from.text('property') ?? '')) return;
  if (service.runtime === 'static' || service.region === target.region) return;
  yield error(from.place('name'), 'REGION_DIFFERS', {
    message: `${quote(target.name)} is in ${target.region}, ${quote(service.name)} in ${service.region}, and its address works in ${target.region} only`,
    fix: `write region: ${target.region} at ${service.name}; a region is chosen at creation`,
  });
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
  const type = from.text('type') === 'redis' ? 'keyvalue' : from.text('type');
  const isSite = target.runtime === 'static' && type === 'static';
  if (type !== undefined && target.type !== '' && type !== target.type && !isSite)
    yield error(from.place('type'), 'REFERENCE_TYPE', {
      message: `${quote(target.name)} is of type ${target.type}`,
      fix: `write type: ${target.type}`,
    });
  const property = from.text('property');
  const offered = properties.get(target.type);
  if (property !== undefined && offered && !offered.includes(property))
    yield error(from.place('property'), 'REFERENCE_PROPERTY', {
      message: `a service of type ${target.type} has no ${quote(property)}`,
      fix:
        offered.length > 0
          ? `write one of: ${offered.join(', ')}`
          : 'nothing can connect to it: refer to a web or a private service, or use envVarKey',
    });
  const key = from.text('envVarKey');
  if (key === undefined) return;
  const { variables, isComplete } = allVariables(target, blueprint);
  const keys = variables.flatMap(variable => variable.key ?? []);
  // Render sets these itself: https://render.com/docs/environment-variables
  if (!isComplete || keys.includes(key) || /^(RENDER|RENDER_\w+|PORT|IS_PULL_REQUEST)$/.test(key))
    return;
  const meant = nearest(key, keys);
  yield error(from.place('envVarKey'), 'REFERENCE_MISSING', {
    message: `${quote(target.name)} declares no variable ${quote(key)}`,
    fix: meant ? `write envVarKey: ${meant}` : `add the variable to the envVars of ${target.name}`,
  });
}

/** Render takes groups of the workspace, too; beside groups of the file it is more likely a slip. */
function* groups(blueprint: Blueprint): Generator<Problem> {
  const names = blueprint.groups.map(({ name }) => name);
  if (names.length === 0) return;
  for (const { at } of blueprint.services)
    for (const entry of at.maps('envVars')) {
      const name = entry.text('fromGroup');
      if (name === undefined || names.includes(name)) continue;
      const place = entry.place('fromGroup');
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

function* openDatabases({ databases, services }: Blueprint): Generator<Problem> {
  const stores = services.filter(({ type }) => type === 'keyvalue');
  for (const { at, name } of [...databases, ...stores])
    for (const entry of at.maps('ipAllowList'))
      if (/^(0+\.0+\.0+\.0+|::)\/0$/.test(entry.text('source') ?? ''))
        yield warning(entry, 'DATABASE_OPEN', {
          message: `${quote(name)} takes connections from every address`,
          fix: 'write ipAllowList: [] (services of the same region connect inside), or your addresses',
        });
}

function* poolService({ at }: Service): Generator<Problem> {
  if (/(^|\/)pgbouncer/i.test(at.map('image')?.text('url') ?? ''))
    yield warning(at.place('image'), 'POOL_AS_SERVICE', {
      message: 'Render runs PgBouncer in front of a database itself',
      fix: 'write connectionPool: pgbouncer at the database, and property: connectionPoolString',
    });
}

/** The entries of services that have such a field. */
export function references(
  { services }: Blueprint,
  field: 'fromDatabase' | 'fromService',
): { service: Service; envVar: EnvVar; from: MapValue }[] {
  return services.flatMap(service =>
    service.envVars.flatMap(envVar => {
      const from = envVar.at.map(field);
      return from ? [{ service, envVar, from }] : [];
    }),
  );
}
