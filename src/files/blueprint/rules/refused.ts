import {
  type Blueprint,
  type EnvVar,
  isContainer,
  perService,
  type Rule,
  type Service,
} from '../blueprint';
import { error, type Problem, quote, textOf, warning } from '../value';

/** What Render refuses or passes over, although its public schema accepts it. */
export const refusalRules: readonly Rule[] = [
  names,
  entries,
  perService(commands),
  perService(sizes),
  perService(paths),
  perService(freePlan),
  diskSizes,
];

function* names({ services, databases, groups }: Blueprint): Generator<Problem> {
  for (const [what, all] of [
    ['service', services],
    ['database', databases],
    ['group', groups],
  ] as const) {
    const seen = new Map<string, number>();
    for (const { name, at } of all) {
      const line = seen.get(name);
      if (name !== '' && line !== undefined)
        yield error(at.place('name'), 'NAME_TAKEN', {
          message: `the ${what} on line ${line} has the name ${quote(name)}, too`,
          fix: `give each ${what} a name of its own`,
        });
      else seen.set(name, at.line);
    }
  }
}

function* entries({ services, groups }: Blueprint): Generator<Problem> {
  for (const { envVars } of services) yield* checkEntries(envVars, false);
  for (const { envVars } of groups) yield* checkEntries(envVars, true);
}

function* checkEntries(envVars: readonly EnvVar[], isGroup: boolean): Generator<Problem> {
  const seen = new Map<string, number>();
  for (const { at, key, value } of envVars) {
    const keyPlace = at.place('key');
    if (key !== undefined && !/^[A-Za-z0-9_.-]+$/.test(key))
      yield error(keyPlace, 'KEY_INVALID', {
        message: `the name ${quote(key)} has characters other than letters, digits, _, - and .`,
        fix: 'write for example key: DATABASE_URL',
      });
    const first = key === undefined ? undefined : seen.get(key);
    if (key !== undefined && first !== undefined)
      yield warning(keyPlace, 'VARIABLE_TWICE', {
        message: `${quote(key)} is listed on line ${first} already`,
        fix: 'keep one of the two',
      });
    else if (key !== undefined) seen.set(key, at.line);
    if (at.has('fromDatabase') || at.has('fromService')) continue;
    const isAsked = at.text('sync') === 'false';
    const isGenerated = at.text('generateValue') === 'true';
    const sources = [
      value && 'value',
      isGenerated && 'generateValue: true',
      isAsked && 'sync: false',
    ].filter(source => typeof source === 'string');
    if (sources.length > 1)
      yield error(at, 'ENTRY_CONFLICT', {
        message: `an entry has one source, and this one has ${sources.join(' and ')}`,
        fix: `keep ${sources.join(' or ')}`,
      });
    else if (sources.length === 0)
      yield error(at, 'ENTRY_WITHOUT_VALUE', {
        message:
          'this entry gives no value; Render says "must be from group or have a key and value"',
        fix: isGroup
          ? 'add value: or generateValue: true'
          : 'add value:, sync: false (Render asks for it) or generateValue: true',
      });
    else if (isGroup && isAsked)
      yield error(at.place('sync'), 'SYNC_IN_GROUP', {
        message: 'Render passes over sync: false in a group, and the variable would not be set',
        fix: 'move the variable to the envVars of each service, or set it in the dashboard',
      });
  }
}

function* commands(service: Service): Generator<Problem> {
  const { at, type, runtime } = service;
  if (runtime === 'static' && (type === 'worker' || type === 'pserv' || type === 'cron'))
    return yield error(at.place('runtime'), 'RUNTIME_INVALID', {
      message: `runtime: static is for web services, and this is of type ${type}`,
      fix: 'write type: web, or the runtime of the program',
    });
  if (!['web', 'worker', 'pserv', 'cron'].includes(type)) return;
  if (runtime === 'image' && !at.map('image'))
    yield error(at.place('runtime'), 'IMAGE_MISSING', {
      message: 'runtime: image needs image:',
      fix: 'add image: with url: REGISTRY/NAME:TAG',
    });
  const isImage = isContainer(service);
  for (const key of isImage
    ? ['buildCommand', 'startCommand']
    : ['dockerCommand', 'dockerfilePath', 'dockerContext']) {
    const field = at.fields.get(key);
    if (field && textOf(field.value) !== undefined && runtime !== undefined)
      yield warning(field, 'FIELD_IGNORED', {
        message: `${key} does not count with runtime: ${runtime}`,
        fix:
          isImage && key === 'startCommand'
            ? 'write dockerCommand instead, or CMD in the Dockerfile'
            : 'remove it',
      });
  }
  if (isImage || runtime === 'static' || runtime === undefined) return;
  for (const key of ['buildCommand', 'startCommand'])
    if (!at.has(key))
      yield error(at, 'COMMAND_MISSING', {
        message: `runtime: ${runtime} needs ${key}`,
        fix: `add ${key}:, the command that ${key === 'startCommand' ? 'starts' : 'builds'} it`,
      });
}

function* sizes({ at }: Service): Generator<Problem> {
  const scaling = at.map('scaling');
  if (scaling && Number(scaling.text('minInstances')) > Number(scaling.text('maxInstances')))
    yield error(scaling.place('minInstances'), 'SCALING_INVALID', {
      message: 'minInstances is more than maxInstances',
      fix: 'exchange the two',
    });
  const targets = ['targetCPUPercent', 'targetMemoryPercent'];
  if (scaling && !targets.some(key => scaling.has(key)))
    yield error(scaling, 'SCALING_INVALID', {
      message: 'scaling has no target',
      fix: 'add targetCPUPercent: 60, targetMemoryPercent: 60 or both',
    });
  if (at.map('disk') && (scaling || Number(at.text('numInstances')) > 1))
    yield error(at.place(scaling ? 'scaling' : 'numInstances'), 'DISK_NOT_SHARED', {
      message: 'a service with a disk runs as one instance',
      fix: 'remove the disk, or scaling and numInstances',
    });
}

function* diskSizes({ databases }: Blueprint): Generator<Problem> {
  for (const { at } of databases)
    for (const key of ['diskSizeGB', 'previewDiskSizeGB']) {
      const size = Number(at.text(key) ?? 1);
      if (size > 1 && size % 5 !== 0)
        yield error(at.place(key), 'DISK_SIZE_INVALID', {
          message: `${key} is 1 or a multiple of 5`,
          fix: `write ${key}: ${Math.ceil(size / 5) * 5}`,
        });
    }
}

function* paths({ at, type }: Service): Generator<Problem> {
  const health = at.text('healthCheckPath');
  if (health !== undefined && !health.startsWith('/'))
    yield error(at.place('healthCheckPath'), 'HEALTH_PATH_INVALID', {
      message: 'the health check path does not begin with /',
      fix: `write healthCheckPath: /${health.replace(/^https?:\/\/[^/]*\/?/, '').slice(0, 60)}`,
    });
  if (health !== undefined && type === 'worker')
    yield warning(at.place('healthCheckPath'), 'FIELD_IGNORED', {
      message: 'a worker has no address, and no health check',
      fix: 'remove healthCheckPath',
    });
  const schedule = at.text('schedule');
  const isSchedule = /^\s*[\w*/,?#-]+(\s+[\w*/,?#-]+){4}\s*$/;
  if (type === 'cron' && schedule !== undefined && !isSchedule.test(schedule))
    yield error(at.place('schedule'), 'SCHEDULE_INVALID', {
      message: `the schedule ${quote(schedule)} is no cron expression`,
      fix: 'write five parts (minute, hour, day, month, weekday) in UTC, such as "0 14 * * *"',
    });
}

/** https://render.com/docs/free */
function* freePlan({ at, type }: Service): Generator<Problem> {
  if (at.text('plan') !== 'free' || !['web', 'pserv', 'worker'].includes(type)) return;
  if (type !== 'web')
    yield error(at.place('plan'), 'PLAN_NOT_FREE', {
      message: `a service of type ${type} has no free plan`,
      fix: 'write plan: starter',
    });
  for (const key of ['preDeployCommand', 'disk', 'scaling', 'maintenanceMode'])
    if (at.has(key))
      yield error(at.fields.get(key) ?? at, 'PLAN_NOT_FREE', {
        message: `a free service has no ${key}`,
        fix:
          key === 'preDeployCommand'
            ? 'write plan: starter, or move the command to buildCommand'
            : `write plan: starter, or remove ${key}`,
      });
}
