import { NetworkError } from '../../errors';
import { isObject } from '../../json';

// Render's things as bootlace sees them. Every answer of the API passes here once; of texts but log lines
// and values, one line is left. Shapes: Render's OpenAPI document. Every parser throws
// NetworkError RENDER_BAD_ANSWER.

export type Service = Readonly<ReturnType<typeof parseService>>;
export type Deploy = Readonly<ReturnType<typeof parseDeploy>>;
export type Instance = Readonly<ReturnType<typeof parseInstance>>;
/** A one-off job. */
export type Job = Readonly<ReturnType<typeof parseJob>>;
export type LogLine = Readonly<ReturnType<typeof parseLogLine>>;
export type AutoDeploy = 'off' | 'commit' | 'checksPass';

type Json = Record<string, unknown>;

export function parseService(value: unknown) {
  const service = objectOf(value, 'a service');
  const details = partOf(service.serviceDetails);
  const build = partOf(details.envSpecificDetails);
  const url = optional(details.url);
  return {
    id: text(service.id, 'a service without an id'),
    name: text(service.name, 'a service without a name'),
    /** The workspace, such as `tea-…`. */
    ownerId: text(service.ownerId, 'a service without an owner'),
    /** web_service, static_site…; a type that Render adds later keeps Render's name for it. */
    type: text(service.type, 'a service without a type'),
    /** node, docker, image, python…; undefined for a static site. */
    runtime: optional(details.runtime) ?? optional(details.env),
    branch: optional(service.branch),
    suspended: service.suspended === 'suspended',
    /** The reasons of a suspension: user, billing, stuck_crashlooping… */
    suspenders: Array.isArray(service.suspenders)
      ? service.suspenders.map(item => oneLine(String(item)))
      : [],
    autoDeploy: autoDeployOf(service),
    /** Its public address, without a slash at the end. */
    url: url && /^https?:\/\//.test(url) ? url.replace(/\/+$/, '') : undefined,
    healthPath: optional(details.healthCheckPath),
    plan: optional(details.plan),
    /** As scaled by hand; an autoscaled service may run more. */
    instances: Math.max(1, Number(details.numInstances) || 1),
    /** How long an old instance may take to end. */
    shutdownMs: (Number(details.maxShutdownDelaySeconds) || 30) * 1000,
    startCommand: optional(build.startCommand) ?? optional(build.dockerCommand),
    preDeployCommand: optional(build.preDeployCommand),
    /** Maintenance mode is on: the address answers with a page of Render's. */
    inMaintenance: partOf(details.maintenanceMode).enabled === true,
    /** The onrender.com address answers 404. */
    subdomainIsOff: details.renderSubdomainPolicy === 'disabled',
    /** Not every IP address may ask its address; without a list every one may. */
    isRestricted:
      Array.isArray(details.ipAllowList) &&
      !details.ipAllowList.some(item => partOf(item).cidrBlock === '0.0.0.0/0'),
  };
}

/** `autoDeployTrigger` is the newer field, `autoDeploy` the one that is always there. */
function autoDeployOf(service: Json): AutoDeploy {
  const trigger = service.autoDeployTrigger;
  if (trigger === 'off' || trigger === 'commit' || trigger === 'checksPass') return trigger;
  return service.autoDeploy === 'yes' ? 'commit' : 'off';
}

export function parseDeploy(value: unknown) {
  const deploy = objectOf(value, 'a deploy');
  const commit = optional(partOf(deploy.commit).id);
  const image = optional(partOf(deploy.image).ref);
  return {
    id: text(deploy.id, 'a deploy without an id'),
    status: text(deploy.status, 'a deploy without a status'),
    trigger: optional(deploy.trigger) ?? 'unknown trigger',
    /** ISO times by Render's clock. */
    createdAt: optional(deploy.createdAt),
    finishedAt: optional(deploy.finishedAt),
    commit,
    image,
    /** What it was built from: an image by its digest, since a tag may stand for several. */
    source: optional(partOf(deploy.image).sha) ?? image ?? commit,
  };
}

export function parseInstance(value: unknown) {
  const instance = objectOf(value, 'an instance');
  const id = text(instance.id, 'an instance without an id');
  return { id, createdAt: optional(instance.createdAt) ?? '' };
}

export function parseJob(value: unknown) {
  const job = objectOf(value, 'a job');
  return {
    id: text(job.id, 'a job without an id'),
    /** Render has not begun with it while it gives none. */
    status: optional(job.status) ?? 'pending',
    command: optional(job.startCommand) ?? '',
    createdAt: optional(job.createdAt),
  };
}

/** A workspace. */
export function parseOwner(value: unknown) {
  const owner = objectOf(value, 'a workspace');
  return {
    id: text(owner.id, 'a workspace without an id'),
    name: text(owner.name, 'a workspace without a name'),
  };
}

/** @returns its value */
export function parseVariable(value: unknown): string {
  const variable = objectOf(value, 'a variable');
  if (typeof variable.value !== 'string') throw badAnswer('a variable without a value');
  return variable.value;
}

/** An event's facts that explain a failure, or name the person behind a deploy. */
export function parseEvent(value: unknown) {
  const event = objectOf(value, 'an event');
  const details = partOf(event.details);
  const user = partOf(partOf(details.trigger).user);
  return {
    type: text(event.type, 'an event without a type'),
    deployId: optional(details.deployId),
    /** The instance that it is about. */
    instance: optional(details.instanceID),
    user: optional(user.email) ?? optional(user.id),
    failure: failureText(details),
  };
}

/** Why it failed. A deploy's and a build's reason wrap the failure, a failed server's is one. */
function failureText({ reason, imageURL, message }: Json): string | undefined {
  // An image that could not be pulled.
  if (imageURL !== undefined) return oneLine(String(message ?? imageURL));
  const failure = partOf(partOf(reason).failure ?? reason);
  const { oomKilled, timedOutSeconds, unhealthy, nonZeroExit } = failure;
  if (isObject(oomKilled)) {
    const limit = oneLine(String(oomKilled.memoryLimit ?? ''));
    return `out of memory${limit && ` (the limit is ${limit})`}`;
  }
  if (typeof timedOutSeconds === 'number') return `it took longer than ${timedOutSeconds} s`;
  if (typeof unhealthy === 'string')
    return `the health check failed${unhealthy && `: ${oneLine(unhealthy)}`}`;
  if (typeof nonZeroExit === 'number') return `it exited with ${nonZeroExit}`;
  if (failure.evicted === true) return 'Render evicted it';
  return failure.earlyExit === true ? 'it exited early' : undefined;
}

export function parseLogs(value: unknown): LogLine[] {
  return listOf(objectOf(value, 'logs').logs, 'logs').map(parseLogLine);
}

function parseLogLine(value: unknown) {
  const line = objectOf(value, 'a log line');
  const labels = Array.isArray(line.labels) ? line.labels.map(partOf) : [];
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

function partOf(value: unknown): Json {
  return isObject(value) ? value : {};
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

type StatusClass = 'running' | 'live' | 'superseded' | 'failed';

/**
 * What a deploy's status means. A status that nobody knows yet counts as running: the time limit
 * ends it, and no unknown word passes for success.
 */
export function classOf({ status }: Deploy): StatusClass {
  if (status === 'live') return 'live';
  if (status === 'deactivated') return 'superseded';
  return /_failed$|^canceled$/.test(status) ? 'failed' : 'running';
}

/** True for a deploy that is live or was. */
export function wasLive(deploy: Deploy): boolean {
  return ['live', 'superseded'].includes(classOf(deploy));
}

/** An ISO time in milliseconds; 0 for none. */
export function timeOf(iso: string | undefined): number {
  return Date.parse(iso ?? '') || 0;
}

/** Deploys or jobs newest first, as Render lists them, whatever order an answer had. */
export function newestFirst<T extends Deploy | Job>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => timeOf(b.createdAt) - timeOf(a.createdAt));
}

export function hasUrl({ type }: Service): boolean {
  return type === 'web_service' || type === 'static_site';
}

/** Only these keep processes that write a start line. */
export function hasInstances({ type }: Service): boolean {
  return type === 'web_service' || type === 'private_service' || type === 'background_worker';
}

const typeNames = new Map([
  ['static_site', 'static'],
  ['web_service', 'web'],
  ['private_service', 'private'],
  ['background_worker', 'worker'],
  ['cron_job', 'cron'],
]);

/** `web node`, `worker docker`, `static`; an unknown type by Render's name for it. */
export function kindOf({ type, runtime }: Service): string {
  const name = typeNames.get(type) ?? type;
  return runtime === undefined || runtime === name ? name : `${name} ${runtime}`;
}

/**
 * A foreign text as one line: in a workflow's log a line of its own could be a command, such as
 * `::error::`.
 */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
