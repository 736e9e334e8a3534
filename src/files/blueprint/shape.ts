import { nearest } from '../../ui/nearest';
import {
  blueprintShape,
  envVarShapes,
  misnamed,
  type Spec,
  serviceShapes,
  staticOnly,
} from './fields';
import { checkScalar, typeWords, wrongType } from './scalar';
import {
  error,
  type Field,
  type MapValue,
  type Place,
  type Problem,
  quote,
  textAt,
  textOf,
  type Value,
  warning,
} from './value';

/** What does not fit the fields that Render knows. Pure. */
export function checkShape(root: Value): Iterable<Problem> {
  return checkValue(root, blueprintShape, root, 'the file');
}

function* checkValue(value: Value, spec: Spec, at: Place, name: string): Generator<Problem> {
  if (value.kind === 'scalar' && value.value === null && at !== value)
    return yield warning(at, 'FIELD_EMPTY', {
      message: `${name} has no value`,
      fix: `write ${typeWords[spec.is]} there, or leave ${name} out`,
    });
  if (spec.is === 'list') {
    if (value.kind !== 'list') return yield wrongType(value, spec, name);
    for (const item of value.items) yield* checkItem(item, spec.items ?? 'service', name);
  } else if (spec.is === 'map') {
    if (value.kind !== 'map') return yield wrongType(value, spec, name);
    yield* checkMap(value, spec, name);
  } else yield* checkScalar(value, spec, name);
}

function* checkItem(
  item: Value,
  spec: Exclude<Spec['items'], undefined>,
  list: string,
): Generator<Problem> {
  const name = `an entry of ${list}`;
  if (typeof spec === 'object') return yield* checkValue(item, spec, item, name);
  if (item.kind !== 'map') return yield wrongType(item, { is: 'map' }, name);
  if (spec === 'service') return yield* checkService(item);
  const inGroup = /envVarGroups\[\d+\]\.envVars\[\d+\]$/.test(item.path);
  const source = ['fromGroup', 'fromDatabase', 'fromService'].find(key => item.fields.has(key));
  const shape = envVarShapes[(!inGroup && source) || 'value'] as Spec;
  yield* checkMap(item, shape, inGroup ? 'a variable of a group' : 'a variable', source);
}

/** Tells a service's shape by its type and its runtime, then checks it. */
function* checkService(service: MapValue): Generator<Problem> {
  const field = service.fields.get('type');
  const type = textAt(service, 'type');
  if (!field || type === undefined)
    return yield error(field ?? service, 'FIELD_MISSING', {
      message: 'this service has no type',
      fix: 'write type: web, pserv, worker, cron or keyvalue',
    });
  if (field.value.kind === 'scalar' && typeof field.value.value !== 'string')
    return yield wrongType(field.value, { is: 'text' }, 'type');
  if (type === 'keyvalue' || type === 'redis')
    return yield* checkMap(service, serviceShapes.keyvalue, 'a Key Value instance');
  if (type === 'cron') return yield* checkMap(service, serviceShapes.cron, 'a cron job');
  if (!['web', 'worker', 'pserv'].includes(type)) {
    const meant = nearest(type, ['web', 'worker', 'pserv', 'cron', 'keyvalue']);
    return yield warning(field.value, 'TYPE_UNKNOWN', {
      message: `the type ${quote(type)} is unknown, and this service is not checked`,
      fix: meant
        ? `write type: ${meant}`
        : 'write type: web, pserv, worker, cron or keyvalue, unless Render has this type by now',
    });
  }
  const runtime = textAt(service, 'runtime') ?? textAt(service, 'env');
  const isStatic = type === 'web' && runtime === 'static';
  if (!isStatic)
    return yield* checkMap(
      service,
      serviceShapes.server,
      type === 'web' ? 'a web service' : type === 'worker' ? 'a worker' : 'a private service',
    );
  for (const problem of checkMap(service, serviceShapes.static, 'a static site')) {
    const isServers =
      problem.code === 'FIELD_UNKNOWN' &&
      Object.hasOwn(serviceShapes.server.fields ?? {}, (problem.at as Field).key);
    // The schema takes such a service for one with a program, unless it has fields of a site, too.
    if (!isServers || staticOnly.some(key => service.fields.has(key))) yield problem;
    else yield { ...problem, severity: 'warning', code: 'FIELD_NOT_STATIC' };
  }
}

function* checkMap(map: MapValue, spec: Spec, name: string, source?: string): Generator<Problem> {
  const { fields = {}, required = [] } = spec;
  const known = Object.keys(fields).filter(key => !fields[key]?.deprecated);
  const unknown = [...map.fields.values()].filter(({ key }) => !Object.hasOwn(fields, key));
  const missing = required.filter(
    key => !has(map, key) && !(key === 'runtime' && map.fields.has('env')),
  );
  // A required field with a slip in its name is one finding, not two.
  const free = known.filter(key => !map.fields.has(key));
  const meant = new Map(unknown.map(field => [field, meantBy(field.key, known, free)]));
  for (const key of missing)
    if (![...meant.values()].some(each => each?.field === key))
      yield error(map.fields.get(key) ?? map, 'FIELD_MISSING', {
        message: `${name} needs ${key}`,
        fix: `add ${key}: ${example(fields[key])}`,
      });
  for (const field of unknown) {
    const successor = meant.get(field);
    const isNeeded = successor !== undefined && missing.includes(successor.field);
    yield unknownField(
      field,
      { ...spec, open: isNeeded ? undefined : spec.open },
      name,
      successor?.write,
      source,
    );
  }
  for (const field of map.fields.values()) {
    const inner = Object.hasOwn(fields, field.key) ? fields[field.key] : undefined;
    if (!inner || missing.includes(field.key)) continue;
    if (inner.deprecated) yield* checkDeprecated(field, inner);
    yield* checkValue(field.value, inner, field, field.key);
  }
}

/** The field that was probably meant by a name, where the map knows it and does not have it yet. */
function meantBy(
  name: string,
  known: readonly string[],
  free: readonly string[],
): { field: string; write: string } | undefined {
  const [expected, write] = misnamed.get(name) ?? [];
  if (expected !== undefined && (write ? known : free).includes(expected))
    return { field: expected, write: write ?? expected };
  const near = nearest(name, free);
  return near === undefined ? undefined : { field: near, write: near };
}

function has(map: MapValue, key: string): boolean {
  const value = map.fields.get(key)?.value;
  return value !== undefined && !(value.kind === 'scalar' && value.value === null);
}

function example(spec: Spec | undefined): string {
  if (spec?.is === 'list') return spec.items === 'envVar' ? '[] or a list' : '[]';
  if (spec?.oneOf) return spec.oneOf.slice(0, 9).join(', ');
  if (spec?.is === 'map') return 'with its fields';
  return spec?.is === 'boolean' ? 'true or false' : 'and a text';
}

function unknownField(
  field: Field,
  { fields = {}, open }: Spec,
  name: string,
  meant: string | undefined,
  source: string | undefined,
): Problem {
  const { key } = field;
  if (
    source &&
    ['value', 'sync', 'generateValue', 'fromDatabase', 'fromService', 'key'].includes(key)
  )
    return error(field, 'FIELD_UNKNOWN', {
      message: `an entry with ${source} has no ${key}`,
      fix: `keep either ${source} or ${key}; two variables are two entries of the list`,
    });
  if (open)
    return warning(field, 'FIELD_IGNORED', {
      message: `${name} has no field ${quote(key)}, and Render passes it over`,
      fix: meant ? `write ${meant}` : 'remove it',
    });
  const all = Object.keys(fields).filter(each => !fields[each]?.deprecated);
  return error(field, 'FIELD_UNKNOWN', {
    message: `${name} has no field ${quote(key)}`,
    fix: meant
      ? `write ${meant} instead`
      : all.length <= 8
        ? `remove it; the fields here are ${all.join(', ')}`
        : 'remove it, or correct its name',
  });
}

function* checkDeprecated(field: Field, { deprecated = '' }: Spec): Generator<Problem> {
  const value = textOf(field.value);
  const rewritten =
    field.key === 'env'
      ? `runtime: ${value ?? 'node'}`
      : field.key === 'autoDeploy'
        ? value === 'false'
          ? "autoDeployTrigger: 'off'"
          : 'autoDeployTrigger: commit'
        : deprecated;
  yield warning(field, 'FIELD_DEPRECATED', {
    message: `${field.key} is the old name of ${deprecated}`,
    fix: `write ${rewritten}`,
  });
}
