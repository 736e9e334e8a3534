/** Render's things as bootlace sees them, checked at the door by answers.ts. */

export type ServiceType =
  | 'static_site'
  | 'web_service'
  | 'private_service'
  | 'background_worker'
  | 'cron_job';

export interface Service {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly type: ServiceType;
  /** node, docker, image, python…; undefined for a static site. */
  readonly runtime: string | undefined;
  readonly suspended: boolean;
  /** Who suspended it: user, billing, stuck_crashlooping… */
  readonly suspenders: readonly string[];
  readonly autoDeploy: 'off' | 'commit' | 'checksPass';
  /** Its public address, without a slash at the end. */
  readonly url: string | undefined;
  readonly healthPath: string | undefined;
  readonly plan: string | undefined;
  /** As scaled by hand; an autoscaled service may run more. */
  readonly instances: number;
  /** How long an old instance may take to end. */
  readonly shutdownMs: number;
}

export interface Deploy {
  readonly id: string;
  readonly status: string;
  readonly trigger: string | undefined;
  /** ISO times by Render's clock. */
  readonly createdAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly commit: string | undefined;
  readonly image: string | undefined;
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

/** An event's facts that explain a failure. */
export interface ServiceEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly deployId: string | undefined;
  /** The instance that it is about. */
  readonly instance: string | undefined;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly exitCode?: number;
  readonly outOfMemory?: string;
  readonly timedOutSeconds?: number;
  readonly unhealthy?: string;
  readonly evicted?: boolean;
  readonly earlyExit?: boolean;
}

export type StatusClass = 'running' | 'live' | 'superseded' | 'failed';

/**
 * What a deploy's status means. A status that nobody knows yet counts as running: the time limit
 * ends it, and no unknown word passes for success.
 */
export function classOf({ status }: Deploy): StatusClass {
  if (status === 'live') return 'live';
  if (status === 'deactivated') return 'superseded';
  return /_failed$|^canceled$/.test(status) ? 'failed' : 'running';
}

/** The deploys' newest first, as Render lists them, whatever order an answer had. */
export function newestFirst(deploys: readonly Deploy[]): Deploy[] {
  const age = ({ createdAt }: Deploy) => Date.parse(createdAt ?? '') || 0;
  return [...deploys].sort((a, b) => age(b) - age(a));
}

export function hasUrl({ type }: Service): boolean {
  return type === 'web_service' || type === 'static_site';
}

/** Only these keep processes that write a start line. */
export function hasInstances({ type }: Service): boolean {
  return type === 'web_service' || type === 'private_service' || type === 'background_worker';
}

export const typeNames: Readonly<Record<ServiceType, string>> = {
  static_site: 'static',
  web_service: 'web',
  private_service: 'private',
  background_worker: 'worker',
  cron_job: 'cron',
};
