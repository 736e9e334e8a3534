/** Render's things as bootlace sees them, checked at the door by answers.ts. */

export interface Service {
  readonly id: string;
  readonly name: string;
  /** The workspace, such as `tea-…`. */
  readonly ownerId: string;
  /** web_service, static_site…; a type that Render adds later keeps Render's name for it. */
  readonly type: string;
  /** node, docker, image, python…; undefined for a static site. */
  readonly runtime: string | undefined;
  readonly branch: string | undefined;
  readonly suspended: boolean;
  /** The reasons of a suspension: user, billing, stuck_crashlooping… */
  readonly suspenders: readonly string[];
  readonly autoDeploy: AutoDeploy;
  /** Its public address, without a slash at the end. */
  readonly url: string | undefined;
  readonly healthPath: string | undefined;
  readonly plan: string | undefined;
  /** As scaled by hand; an autoscaled service may run more. */
  readonly instances: number;
  /** How long an old instance may take to end. */
  readonly shutdownMs: number;
  readonly startCommand: string | undefined;
  readonly preDeployCommand: string | undefined;
  /** Maintenance mode is on: the address answers with a page of Render's. */
  readonly inMaintenance: boolean;
  /** renderSubdomainPolicy is `disabled`: the onrender.com address answers 404. */
  readonly subdomainIsOff: boolean;
  /** Not every IP address may ask its address. */
  readonly isRestricted: boolean;
}

export type AutoDeploy = 'off' | 'commit' | 'checksPass';

export interface Deploy {
  readonly id: string;
  readonly status: string;
  readonly trigger?: string | undefined;
  /** ISO times by Render's clock. */
  readonly createdAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  readonly commit?: string | undefined;
  readonly image?: string | undefined;
  /** What the image's tag stood for. */
  readonly imageSha?: string | undefined;
}

export interface Instance {
  readonly id: string;
  readonly createdAt: string;
}

export interface LogLine {
  readonly id: string;
  readonly message: string;
  readonly timestamp: string;
  readonly instance: string | undefined;
}

/** A one-off job; its status is undefined until Render has begun with it. */
export interface Job {
  readonly id: string;
  readonly status: string | undefined;
  readonly command: string;
  readonly createdAt: string;
}

/** An event's facts that explain a failure, or name the person behind a deploy. */
export interface ServiceEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly deployId: string | undefined;
  /** The instance that it is about. */
  readonly instance: string | undefined;
  readonly user: string | undefined;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly exitCode?: number;
  readonly outOfMemory?: string;
  readonly timedOutSeconds?: number;
  readonly unhealthy?: string;
  readonly evicted?: boolean;
  readonly earlyExit?: boolean;
  /** Render's message about an image that could not be pulled. */
  readonly imagePull?: string;
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

/** What triggered a deploy, for a sentence. */
export function triggerOf({ trigger }: Deploy): string {
  return trigger ?? 'unknown trigger';
}

/** An ISO time in milliseconds; 0 for none. */
export function timeOf(iso: string | undefined): number {
  return Date.parse(iso ?? '') || 0;
}

/** The deploys newest first, as Render lists them, whatever order an answer had. */
export function newestFirst(deploys: readonly Deploy[]): Deploy[] {
  return [...deploys].sort((a, b) => timeOf(b.createdAt) - timeOf(a.createdAt));
}

/** What a deploy was built from; undefined where Render does not say. */
export function sourceOf({ imageSha, image, commit }: Deploy): string | undefined {
  return imageSha ?? image ?? commit;
}

export function hasUrl({ type }: Service): boolean {
  return type === 'web_service' || type === 'static_site';
}

/** Only these keep processes that write a start line. */
export function hasInstances({ type }: Service): boolean {
  return type === 'web_service' || type === 'private_service' || type === 'background_worker';
}

const typeNames: Readonly<Record<string, string>> = {
  static_site: 'static',
  web_service: 'web',
  private_service: 'private',
  background_worker: 'worker',
  cron_job: 'cron',
};

/** `web node`, `worker docker`, `static`; an unknown type by Render's name for it. */
export function kindOf({ type, runtime }: Service): string {
  const name = Object.hasOwn(typeNames, type) ? (typeNames[type] ?? type) : type;
  return runtime === undefined || runtime === name ? name : `${name} ${runtime}`;
}

/**
 * A foreign text as one line: in a workflow's log a line of its own could be a command, such as
 * `::error::`.
 */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
