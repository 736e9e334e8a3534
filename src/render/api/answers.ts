import { NetworkError } from '../../errors';
import { isObject } from '../../json';
import {
  type AutoDeploy,
  type Deploy,
  type Failure,
  type Instance,
  type Job,
  type LogLine,
  oneLine,
  type Service,
  type ServiceEvent,
} from './model';

// Every answer of the API passes here once; of texts but log lines and values, one line is left. Shapes: Render's OpenAPI document.

type Json = Record<string, unknown>;

/** @throws NetworkError RENDER_BAD_ANSWER */
export function parseService(value: unknown): Service {
  const service = objectOf(value, 'a service');
  const details = isObject(service.serviceDetails) ? service.serviceDetails : {};
  const build = isObject(details.envSpecificDetails) ? details.envSpecificDetails : {};
  const maintenance = isObject(details.maintenanceMode) ? details.maintenanceMode : {};
  const url = optional(details.url);
  return {
    id: text(service.id, 'a service without an id'),
    name: text(service.name, 'a service without a name'),
    ownerId: text(service.ownerId, 'a service without an owner'),
    type: text(service.type, 'a service without a type'),
    runtime: optional(details.runtime) ?? optional(details.env),
    branch: optional(service.branch),
    suspended: service.suspended === 'suspended',
    suspenders: Array.isArray(service.suspenders)
      ? service.suspenders.map(item => oneLine(String(item)))
      : [],
    autoDeploy: autoDeployOf(service),
    url: url && /^https?:\/\//.test(url) ? url.replace(/\/+$/, '') : undefined,
    healthPath: optional(details.healthCheckPath),
    plan: optional(details.plan),
    instances: Math.max(1, Number(details.numInstances) || 1),
    shutdownMs: (Number(details.maxShutdownDelaySeconds) || 30) * 1000,
    startCommand: optional(build.startCommand) ?? optional(build.dockerCommand),
    preDeployCommand: optional(build.preDeployCommand),
    inMaintenance: maintenance.enabled === true,
    subdomainIsOff: details.renderSubdomainPolicy === 'disabled',
    isRestricted: isRestricted(details.ipAllowList),
  };
}

/** Without a list, or with one that has 0.0.0.0/0, every address may ask. */
function isRestricted(list: unknown): boolean {
  if (!Array.isArray(list)) return false;
  return !list.some(item => isObject(item) && item.cidrBlock === '0.0.0.0/0');
}

/** `autoDeployTrigger` is the newer field, `autoDeploy` the one that is always there. */
function autoDeployOf(service: Json): AutoDeploy {
  const trigger = service.autoDeployTrigger;
  if (trigger === 'off' || trigger === 'commit' || trigger === 'checksPass') return trigger;
  return service.autoDeploy === 'yes' ? 'commit' : 'off';
}

export function parseDeploy(value: unknown): Deploy {
  const deploy = objectOf(value, 'a deploy');
  return {
    id: text(deploy.id, 'a deploy without an id'),
    status: text(deploy.status, 'a deploy without a status'),
    trigger: optional(deploy.trigger),
    createdAt: optional(deploy.createdAt),
    finishedAt: optional(deploy.finishedAt),
    commit: isObject(deploy.commit) ? optional(deploy.commit.id) : undefined,
    image: isObject(deploy.image) ? optional(deploy.image.ref) : undefined,
    imageSha: isObject(deploy.image) ? optional(deploy.image.sha) : undefined,
  };
}

export function parseInstance(value: unknown): Instance {
  const instance = objectOf(value, 'an instance');
  return {
    id: text(instance.id, 'an instance without an id'),
    createdAt: optional(instance.createdAt) ?? '',
  };
}

export function parseJob(value: unknown): Job {
  const job = objectOf(value, 'a job');
  return {
    id: text(job.id, 'a job without an id'),
    status: optional(job.status),
    command: optional(job.startCommand) ?? '',
    createdAt: optional(job.createdAt) ?? '',
  };
}

/** A workspace's id and name. */
export function parseOwner(value: unknown): { id: string; name: string } {
  const owner = objectOf(value, 'a workspace');
  return {
    id: text(owner.id, 'a workspace without an id'),
    name: text(owner.name, 'a workspace without a name'),
  };
}

export function parseVariable(value: unknown): { key: string; value: string } {
  const variable = objectOf(value, 'a variable');
  if (typeof variable.value !== 'string') throw badAnswer('a variable without a value');
  return { key: text(variable.key, 'a variable without a key'), value: variable.value };
}

export function parseEvent(value: unknown): ServiceEvent {
  const event = objectOf(value, 'an event');
  const details = isObject(event.details) ? event.details : {};
  return {
    type: text(event.type, 'an event without a type'),
    timestamp: optional(event.timestamp) ?? '',
    deployId: optional(details.deployId),
    instance: optional(details.instanceID),
    user: userOf(details.trigger),
    failure: failureOf(details),
  };
}

/** The person that Render names as a deploy's cause. */
function userOf(trigger: unknown): string | undefined {
  const user = isObject(trigger) ? trigger.user : undefined;
  return isObject(user) ? (optional(user.email) ?? optional(user.id)) : undefined;
}

/** A deploy's and a build's reason wrap the failure, a failed server's reason is the failure. */
function failureOf({ reason, imageURL, message }: Json): Failure | undefined {
  if (imageURL !== undefined) return { imagePull: oneLine(String(message ?? imageURL)) };
  if (!isObject(reason)) return undefined;
  const failure = isObject(reason.failure) ? reason.failure : reason;
  const found: Failure = {
    ...(typeof failure.nonZeroExit === 'number' && { exitCode: failure.nonZeroExit }),
    ...(isObject(failure.oomKilled) && {
      outOfMemory: oneLine(String(failure.oomKilled.memoryLimit ?? '')),
    }),
    ...(typeof failure.timedOutSeconds === 'number' && {
      timedOutSeconds: failure.timedOutSeconds,
    }),
    ...(typeof failure.unhealthy === 'string' && { unhealthy: oneLine(failure.unhealthy) }),
    ...(failure.evicted === true && { evicted: true }),
    ...(failure.earlyExit === true && { earlyExit: true }),
  };
  return Object.keys(found).length ? found : undefined;
}

export function parseLogs(value: unknown): LogLine[] {
  return listOf(objectOf(value, 'logs').logs, 'logs').map(parseLogLine);
}

function parseLogLine(value: unknown): LogLine {
  const line = objectOf(value, 'a log line');
  const labels = Array.isArray(line.labels) ? line.labels.filter(isObject) : [];
  return {
    id: text(line.id, 'a log line without an id'),
    message: typeof line.message === 'string' ? line.message : '',
    timestamp: optional(line.timestamp) ?? '',
    instance: optional(labels.find(({ name }) => name === 'instance')?.value),
  };
}

/** One page of a wrapped list, `[{ service, cursor }]`. */
export function parsePage<T>(
  value: unknown,
  name: string,
  parse: (item: unknown) => T,
): { items: T[]; cursor: string | undefined } {
  const rows = listOf(value, `a list of ${name}s`).map(row => objectOf(row, `a ${name}`));
  return { items: rows.map(row => parse(row[name])), cursor: optional(rows.at(-1)?.cursor) };
}

export function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw badAnswer(`something that is not ${what}`);
}

function objectOf(value: unknown, what: string): Json {
  if (isObject(value)) return value;
  throw badAnswer(`something that is not ${what}`);
}

function text(value: unknown, otherwise: string): string {
  const found = optional(value);
  if (found !== undefined) return found;
  throw badAnswer(otherwise);
}

function optional(value: unknown): string | undefined {
  return (typeof value === 'string' && oneLine(value)) || undefined;
}

export function badAnswer(what: string): NetworkError {
  return new NetworkError('RENDER_BAD_ANSWER', `the Render API answered with ${what}`, {
    fix: 'check RENDER_HOST: is it the address of the Render API, such as https://api.render.com/v1?',
  });
}
