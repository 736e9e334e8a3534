import { nearest } from '../../ui/nearest';
import {
  blueprintShape,
  envVarShapes,
  misnamed,
  type Spec,
  serviceShapes,
  staticOnly,
} from './fields';
import {
  error,
  type Field,
  type MapValue,
  type Place,
  type Problem,
  quote,
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
    if (value.kind !== 'list') return yield wrongType(value, spec.is, name);
    for (const item of value.items) yield* checkItem(item, spec.items ?? 'service', name);
  } else if (spec.is === 'map') {
    if (value.kind !== 'map') return yield wrongType(value, spec.is, name);
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
  if (item.kind !== 'map') return yield wrongType(item, 'map', name);
  if (spec === 'service') return yield* checkService(item);
  const inGroup = /envVarGroups\[\d+\]\.envVars\[\d+\]$/.test(item.path);
  const source = ['fromGroup', 'fromDatabase', 'fromService'].find(key => item.has(key));
  const shape = envVarShapes[(!inGroup && source) || 'value'] as Spec;
  yield* checkMap(item, shape, inGroup ? 'a variable of a group' : 'a variable', source);
}

const servers = new Map([
  ['web', 'a web service'],
  ['worker', 'a worker'],
  ['pserv', 'a private service'],
]);
const types = 'web, pserv, worker, cron or keyvalue';

/** Tells a service's shape by its type and its runtime, then checks it. */
function* checkService(service: MapValue): Generator<Problem> {
  const type = service.text('type');
  const field = service.fields.get('type');
  if (!field || type === undefined)
    return yield error(field ?? service, 'FIELD_MISSING', {
      message: 'this service has no type',
      fix: `write type: ${types}`,
    });
  if (field.value.kind === 'scalar' && typeof field.value.value !== 'string')
    return yield wrongType(field.value, 'text', 'type');
  if (type === 'keyvalue' || type === 'redis')
    return yield* checkMap(service, serviceShapes.keyvalue, 'a Key Value instance');
  if (type === 'cron') return yield* checkMap(service, serviceShapes.cron, 'a cron job');
  const server = servers.get(type);
  if (server === undefined) {
    const meant = nearest(type, [...servers.keys(), 'cron', 'keyvalue']);
    return yield warning(field.value, 'TYPE_UNKNOWN', {
      message: `the type ${quote(type)} is unknown, and this service is not checked`,
      fix: `write type: ${meant ?? `${types}, unless Render has this type by now`}`,
    });
  }
  if (type !== 'web' || (service.text('runtime') ?? service.text('env')) !== 'static')
    return yield* checkMap(service, serviceShapes.server, server);
  for (const problem of checkMap(service, serviceShapes.static, 'a static site')) {
    const isServers =
      problem.code === 'FIELD_UNKNOWN' &&
      Object.hasOwn(serviceShapes.server.fields ?? {}, problem.path.replace(/.*\./, ''));
    // The schema takes such a service for one with a program, unless it has fields of a site, too.
    if (!isServers || staticOnly.some(key => service.has(key))) yield problem;
    else yield { ...problem, severity: 'warning', code: 'FIELD_NOT_STATIC' };
  }
}

function* checkMap(map: MapValue, spec: Spec, name: string, source?: string): Generator<Problem> {
  const { fields = {}, required = [] } = spec;
  const known = Object.keys(fields).filter(key => !fields[key]?.deprecated);
  const unknown = [...map.fields.values()].filter(({ key }) => !Object.hasOwn(fields, key));
  const missing = required.filter(key => !has(map, key) && !(key === 'runtime' && map.has('env')));
  const free = known.filter(key => !map.has(key));
  const meant = new Map(unknown.map(({ key }) => [key, meantBy(key, known, free)]));
  // A required field with a slip in its name is one finding, not two.
  const slips = missing.filter(key => [...meant.values()].some(each => each?.field === key));
  for (const key of missing)
    if (!slips.includes(key))
      yield error(map.fields.get(key) ?? map, 'FIELD_MISSING', {
        message: `${name} needs ${key}`,
        fix: `add ${key}: ${example(fields[key])}`,
      });
  for (const field of unknown) {
    const isOf = source && foreignFields.includes(field.key);
    const { field: slip = '', write } = meant.get(field.key) ?? {};
    const instead =
      write === undefined ? 'remove it, or correct its name' : `write ${write} instead`;
    const texts = isOf
      ? {
          message: `an entry with ${source} has no ${field.key}`,
          fix: `keep either ${source} or ${field.key}; two variables are two entries of the list`,
        }
      : { message: `${name} has no field ${quote(field.key)}`, fix: instead };
    yield spec.open && !isOf && !slips.includes(slip)
      ? warning(field, 'FIELD_IGNORED', texts)
      : error(field, 'FIELD_UNKNOWN', texts);
  }
  for (const field of map.fields.values()) {
    const inner = Object.hasOwn(fields, field.key) ? fields[field.key] : undefined;
    if (!inner || missing.includes(field.key)) continue;
    const old = inner.deprecated && oldName(field, inner.deprecated);
    if (old) yield old;
    for (const problem of checkValue(field.value, inner, field, field.key))
      yield old && inner.is === 'boolean' ? { ...problem, fix: old.fix } : problem;
  }
}

/** What an entry that refers to something else does not have beside the reference. */
const foreignFields = ['value', 'sync', 'generateValue', 'fromDatabase', 'fromService', 'key'];

/** The field that was probably meant by a name, where the map knows it and does not have it yet. */
function meantBy(
  name: string,
  known: readonly string[],
  free: readonly string[],
): { field: string; write: string } | undefined {
  const [expected = '', write] = misnamed.get(name) ?? [];
  if (write !== undefined && known.includes(expected)) return { field: expected, write };
  const near = free.includes(expected) ? expected : nearest(name, free);
  return near === undefined ? undefined : { field: near, write: near };
}

function has(map: MapValue, key: string): boolean {
  const value = map.fields.get(key)?.value;
  return value !== undefined && !(value.kind === 'scalar' && value.value === null);
}

function example(spec: Spec | undefined): string {
  if (spec?.is === 'list') return spec.items === 'envVar' ? '[] or a list' : '[]';
  if (spec?.oneOf) return spec.oneOf.slice(0, 9).join(', ');
  return spec?.is === 'map' ? 'with its fields' : `and ${typeWords[spec?.is ?? 'text']}`;
}

function oldName(field: Field, successor: string): Problem {
  const value = textOf(field.value);
  const isOff = /^(false|no|off)$/i.test(value ?? '');
  const trigger = isOff ? "'off'" : "commit, or 'off' where CI deploys";
  const rewritten = new Map([
    ['env', `runtime: ${value ?? 'node'}`],
    ['autoDeploy', `autoDeployTrigger: ${trigger}`],
  ]).get(field.key);
  return warning(field, 'FIELD_DEPRECATED', {
    message: `${field.key} is the old name of ${successor}`,
    fix: `write ${rewritten ?? successor}`,
  });
}

/** The kinds of values as a message names them. */
const typeWords: Record<Spec['is'], string> = {
  text: 'text',
  whole: 'a whole number',
  boolean: 'true or false',
  scalar: 'text or a number',
  list: 'a list',
  map: 'a map of fields',
};

function* checkScalar(value: Value, spec: Spec, name: string): Generator<Problem> {
  if (value.kind !== 'scalar') return yield wrongType(value, spec.is, name);
  const { value: content } = value;
  const is = typeof content;
  if (spec.is === 'scalar' && is === 'boolean')
    return yield warning(value, 'VALUE_BOOLEAN', {
      message: `${name} is true or false, and Render's schema wants text`,
      fix: `put it in quotes: "${content}"`,
    });
  const fits =
    spec.is === 'whole'
      ? Number.isInteger(content)
      : is === 'number'
        ? spec.is === 'scalar'
        : is === (spec.is === 'boolean' ? 'boolean' : 'string');
  if (!fits) return yield wrongType(value, spec.is, name);
  if (spec.oneOf && !spec.oneOf.includes(String(content)))
    yield wrongWord(value, String(content), spec, name);
  const successor = spec.renamed?.get(String(content));
  if (successor)
    yield warning(value, 'FIELD_DEPRECATED', {
      message: `${content} is the old name of ${successor}`,
      fix: `write ${name}: ${successor}`,
    });
  const { min = 0, max = Number.POSITIVE_INFINITY } = spec;
  if (spec.is === 'whole' && (Number(content) < min || Number(content) > max))
    yield error(value, 'VALUE_INVALID', {
      message: `${name} is ${content}, out of its range`,
      fix: max < Number.POSITIVE_INFINITY ? `write ${min} to ${max}` : `write ${min} or more`,
    });
}

function wrongWord(at: Value, content: string, { oneOf = [], lags }: Spec, name: string): Problem {
  const meant = nearest(content, oneOf);
  const message = `${name} ${quote(content)} is unknown`;
  if (meant) {
    const texts = { message, fix: `write ${name}: ${meant}` };
    return lags ? warning(at, 'PLAN_UNKNOWN', texts) : error(at, 'VALUE_INVALID', texts);
  }
  if (!lags)
    return error(at, 'VALUE_INVALID', { message, fix: `write one of: ${oneOf.join(', ')}` });
  return warning(at, 'PLAN_UNKNOWN', {
    message,
    fix: 'look the name up in the pricing page of Render; the list here may be older than it',
  });
}

/** Says what a value is, and what it has to be. */
function wrongType(value: Value, wanted: Spec['is'], name: string): Problem {
  const isText = value.kind === 'scalar' && typeof value.value === 'string';
  const is =
    value.kind !== 'scalar'
      ? typeWords[value.kind]
      : value.value === null
        ? 'nothing'
        : isText
          ? 'text'
          : value.source;
  return error(value, 'TYPE_INVALID', {
    message: `${name} is ${is.slice(0, 40)}, and must be ${typeWords[wanted]}`,
    fix:
      wanted === 'text' && value.kind === 'scalar' && value.value !== null
        ? `put it in quotes: ${name}: "${value.source.slice(0, 40)}"`
        : `write ${typeWords[wanted]}`,
  });
}
