import { createHash } from 'node:crypto';
import type { Clock } from './clock';

export type FakeType =
  | 'static_site'
  | 'web_service'
  | 'private_service'
  | 'background_worker'
  | 'cron_job';

/** How the next deploy of a service goes. */
export interface Script {
  /** Statuses and how long each lasts, in seconds; the last one stays. */
  steps?: readonly (readonly [status: string, seconds: number])[];
  /** The failure of its events: nonZeroExit, oomKilled… */
  failure?: Record<string, unknown>;
  buildLog?: readonly string[];
  /** The version that instance `i` runs; the built one by default. */
  runs?: (built: string, i: number) => string;
  /** False: this instance writes no start line. */
  saysStart?: (i: number) => boolean;
  /** What an instance answers; 200 with its version by default. */
  answer?: (context: { version: string; path: string; nth: number }) => FrontAnswer;
  /** The old instances stay listed for this many seconds. */
  lingers?: number;
  /** Instances fail right after the start. */
  crashes?: Record<string, unknown>;
  /** A builder drives its statuses; see fake-render-build.ts. */
  isReal?: boolean;
  /** Answer the POST with 202 and nothing else. */
  accepted?: boolean;
  /** Called when the deploy reaches a status. */
  onStatus?: (status: string) => void;
}

export interface FrontAnswer {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

export interface FakeServiceOptions {
  name: string;
  type?: FakeType;
  runtime?: string;
  plan?: string;
  instances?: number;
  healthPath?: string;
  autoDeploy?: 'yes' | 'no';
  /** What autodeploys wait for, where it is not the commit alone. */
  trigger?: 'commit' | 'checksPass';
  /** The workspace, where it is not the usual one. */
  ownerId?: string;
  branch?: string;
  startCommand?: string;
  preDeployCommand?: string;
  maintenance?: boolean;
  subdomainOff?: boolean;
  ipAllowList?: readonly string[];
  /** Render refuses to roll it back. */
  noRollback?: boolean;
  /** The newest commit of its branch, from which it is built; its version is the commit's. */
  head?: string;
  env?: Record<string, string>;
  package?: string;
  /** What `latest` or no pin at all installs. */
  latest?: string;
}

export interface FakeDeploy {
  id: string;
  status: string;
  trigger: string;
  createdAt: number;
  finishedAt: number | undefined;
  commit?: string;
  image?: string;
  imageSha?: string;
  env: Readonly<Record<string, string>>;
  script: Script;
  version: string;
  /** When it left the queue; undefined while it waits. */
  begunAt: number | undefined;
  step: number;
  artifactGone?: boolean;
  isRollback: boolean;
  /** The process that really runs it. */
  real?: { instance: string; folder: string; port: number };
}

export interface FakeInstance {
  id: string;
  version: string;
  createdAt: number;
}

export interface FakeLog {
  id: string;
  /** The service, or a job. */
  resource: string;
  message: string;
  timestamp: number;
  type: 'build' | 'app';
  instance: string | undefined;
}

export interface FakeJob {
  id: string;
  command: string;
  createdAt: number;
  /** Seconds until it ends. */
  seconds: number;
  status: 'succeeded' | 'failed' | 'canceled';
}

const happy: Script['steps'] = [
  ['created', 1],
  ['build_in_progress', 60],
  ['update_in_progress', 15],
  ['live', 0],
];
export const failed = /_failed$|^canceled$/;

/** One service: its variables, deploys, instances, logs and events, driven by the clock. */
export class FakeService {
  readonly id: string;
  readonly name: string;
  readonly env: Map<string, string>;
  readonly deploys: FakeDeploy[] = [];
  readonly logs: FakeLog[] = [];
  readonly events: { type: string; timestamp: number; details: Record<string, unknown> }[] = [];
  readonly scripts: Script[] = [];
  readonly jobs: FakeJob[] = [];
  /** How the next jobs end, and what they write. */
  readonly jobScripts: { status?: FakeJob['status']; seconds?: number; log?: readonly string[] }[] =
    [];
  instances: FakeInstance[] = [];
  suspended = false;
  autoDeploy: 'yes' | 'no';
  trigger: 'commit' | 'checksPass' | undefined;
  head: string | undefined;
  url = '';
  #count = 0;
  #asked = 0;
  #live: FakeDeploy | undefined;
  #old: { instances: FakeInstance[]; until: number } | undefined;

  constructor(
    readonly options: FakeServiceOptions,
    readonly clock: Clock,
    /** Render's overlap policy: a new deploy waits for a running one, or cancels it. */
    readonly overlap: 'wait' | 'override' = 'wait',
  ) {
    const hash = createHash('sha256').update(options.name).digest('hex').slice(0, 20);
    this.id = `${options.type === 'cron_job' ? 'crn' : 'srv'}-${hash}`;
    this.name = options.name;
    this.env = new Map(Object.entries(options.env ?? {}));
    this.autoDeploy = options.autoDeploy ?? 'no';
    this.trigger = options.trigger;
    this.head = options.head;
  }

  get type(): FakeType {
    return this.options.type ?? 'web_service';
  }
  get runtime(): string | undefined {
    return this.type === 'static_site' ? undefined : (this.options.runtime ?? 'node');
  }
  get startsBootlace(): boolean {
    const { startCommand = this.runtime === 'node' ? 'node server.js' : '' } = this.options;
    return startCommand.includes('server.js');
  }
  get live(): FakeDeploy | undefined {
    return this.#live;
  }
  /** What the API lists: old instances stay for a while after a deploy. */
  get listed(): FakeInstance[] {
    const old = this.#old && this.clock.now() < this.#old.until ? this.#old.instances : [];
    return [...this.instances, ...old];
  }
  get running(): FakeDeploy | undefined {
    return this.deploys.find(({ status }) => isRunning(status));
  }

  /** A deploy that has been live since long ago. */
  seedLive(version: string, extra: Partial<FakeDeploy> = {}): FakeDeploy {
    const createdAt = this.clock.now() - 3_600_000;
    const past = { version, createdAt, begunAt: createdAt };
    return this.create('api', { steps: [['live', 0]] }, { ...past, ...extra });
  }

  create(trigger: string, script?: Script, extra: Partial<FakeDeploy> = {}): FakeDeploy {
    const isRollback = trigger === 'rollback';
    const deploy: FakeDeploy = {
      id: `dep-${this.id.slice(4, 16)}${String(++this.#count).padStart(8, '0')}`,
      status: 'created',
      trigger,
      createdAt: this.clock.now(),
      finishedAt: undefined,
      commit:
        this.runtime === 'image'
          ? undefined
          : (this.head ?? 'c0ffee0000000000000000000000000000000001'),
      env: Object.fromEntries(this.env),
      script: script ?? this.scripts.shift() ?? {},
      version: this.#resolve(),
      begunAt: undefined,
      step: -1,
      isRollback,
      ...extra,
    };
    const { running } = this;
    if (running && this.overlap === 'override') this.#finish(running, 'canceled', deploy.createdAt);
    // A newer one replaces the one that waits.
    for (const other of this.deploys)
      if (isRunning(other.status) && other.begunAt === undefined)
        this.#finish(other, 'canceled', this.clock.now());
    if (this.running) deploy.status = 'queued';
    else deploy.begunAt ??= deploy.createdAt;
    this.deploys.unshift(deploy);
    const user = { id: 'usr-1', email: 'dev@acme.test' };
    const flags = { firstBuild: false, envUpdated: false, deployedByRender: false };
    const cause = { manual: trigger === 'manual', clearCache: false, rollback: isRollback };
    const why = { ...flags, ...cause, ...(trigger === 'manual' && { user }) };
    this.#event('deploy_started', { deployId: deploy.id, trigger: why }, deploy.createdAt);
    this.advance();
    return deploy;
  }

  /** Starts a one-off job. */
  createJob(command: string): FakeJob {
    const { status = 'succeeded', seconds = 20, log = [] } = this.jobScripts.shift() ?? {};
    const number = String(this.jobs.length).padStart(8, '0');
    const id = `job-${this.id.slice(4, 16)}${number}`;
    const job = { id, command, createdAt: this.clock.now(), seconds, status };
    this.jobs.unshift(job);
    for (const line of log) this.log('app', line, undefined, this.clock.now(), id);
    return job;
  }

  cancel(deploy: FakeDeploy): void {
    this.#finish(deploy, 'canceled', this.clock.now());
    this.advance();
  }

  /** Brings every deploy to where the clock says it is. */
  advance(): void {
    for (;;) {
      const deploy = this.deploys.findLast(
        ({ status, begunAt }) => isRunning(status) && begunAt !== undefined,
      );
      const waiting = this.deploys.find(
        ({ status, begunAt }) => isRunning(status) && begunAt === undefined,
      );
      if (!deploy && waiting) {
        waiting.begunAt = Math.max(
          waiting.createdAt,
          this.deploys.find(d => d.finishedAt)?.finishedAt ?? 0,
        );
        waiting.status = 'created';
        continue;
      }
      if (!deploy || !this.#step(deploy)) return;
    }
  }

  #step(deploy: FakeDeploy): boolean {
    const steps = deploy.script.steps ?? (deploy.isRollback ? quick : happy) ?? [];
    let at = deploy.begunAt ?? deploy.createdAt;
    for (let i = 0; i <= deploy.step; i++) at += (steps[i]?.[1] ?? 0) * 1000;
    const next = steps[deploy.step + 1];
    if (!next || (deploy.step >= 0 && at > this.clock.now())) return false;
    deploy.step++;
    this.setStatus(deploy, next[0], at);
    return isRunning(deploy.status);
  }

  setStatus(deploy: FakeDeploy, status: string, at = this.clock.now()): void {
    if (status === 'build_in_progress' && !deploy.script.isReal)
      for (const line of deploy.script.buildLog ?? [
        '==> Running build command',
        `installed ${deploy.version}`,
      ])
        this.log('build', line, undefined, at);
    if (status === 'live') this.#goLive(deploy, at);
    else if (failed.test(status)) this.#finish(deploy, status, at);
    else deploy.status = status;
    deploy.script.onStatus?.(status);
  }

  #goLive(deploy: FakeDeploy, at: number): void {
    if (this.#live && this.#live !== deploy) this.#live.status = 'deactivated';
    deploy.status = 'live';
    deploy.finishedAt = at;
    this.#live = deploy;
    this.#event(
      'deploy_ended',
      { deployId: deploy.id, reason: {}, status: 2, deployStatus: 'succeeded' },
      at,
    );
    if (this.type === 'static_site' || this.type === 'cron_job') return;
    if (deploy.real) {
      this.instances = [{ id: deploy.real.instance, version: deploy.version, createdAt: at }];
      return;
    }
    const old = this.instances;
    if (deploy.script.lingers)
      this.#old = { instances: old, until: at + deploy.script.lingers * 1000 };
    this.instances = Array.from({ length: this.options.instances ?? 1 }, (_, i) => ({
      id: `${this.id}-${createHash('sha256').update(`${deploy.id}${i}`).digest('hex').slice(0, 5)}`,
      version: deploy.script.runs?.(deploy.version, i) ?? deploy.version,
      createdAt: at,
    }));
    for (const [i, instance] of this.instances.entries()) {
      if (this.startsBootlace && deploy.script.saysStart?.(i) !== false) {
        const name = this.options.package ?? '@acme/backend';
        this.log(
          'app',
          `bootlace: starting ${name}@${instance.version}: dist/main.js (main)`,
          instance.id,
          at,
        );
      }
      if (deploy.script.crashes)
        this.#event(
          'server_failed',
          { instanceID: instance.id, reason: { evicted: false, ...deploy.script.crashes } },
          at + 3000,
        );
    }
  }

  #finish(deploy: FakeDeploy, status: string, at: number): void {
    deploy.status = status;
    deploy.finishedAt = at;
    const failure = deploy.script.failure;
    const reason = failure ? { failure: { evicted: false, ...failure } } : {};
    const word = status === 'canceled' ? 'canceled' : 'failed';
    if (typeof failure?.imagePull === 'string') {
      const imageURL = deploy.image ?? '';
      this.#event('image_pull_failed', { message: failure.imagePull, imageURL }, at);
    }
    this.#event('deploy_ended', { deployId: deploy.id, reason, status: 3, deployStatus: word }, at);
  }

  log(
    type: FakeLog['type'],
    message: string,
    instance: string | undefined,
    at = this.clock.now(),
    resource = this.id,
  ): void {
    this.logs.push({
      id: `log-${this.id}-${this.logs.length}`,
      resource,
      message,
      timestamp: at,
      type,
      instance,
    });
  }

  #event(type: string, details: Record<string, unknown>, timestamp: number): void {
    this.events.push({ type, timestamp, details });
  }

  /** What the build would install. */
  #resolve(): string {
    const key =
      this.options.env && 'API_VERSION' in this.options.env ? 'API_VERSION' : 'BACKEND_VERSION';
    const pin = this.env.get(key);
    if (this.head !== undefined && pin === undefined) return this.head.slice(0, 7);
    return pin && /^\d/.test(pin) ? pin : (this.options.latest ?? '1.0.0');
  }

  /** What the service's address answers. */
  front(path: string): FrontAnswer {
    this.advance();
    const live = this.#live;
    const nth = this.#asked++;
    const instance = this.instances[nth % Math.max(1, this.instances.length)];
    if (this.options.maintenance) return { status: 503, body: 'Down for maintenance' };
    if (this.suspended) return { status: 503, body: 'Service Suspended' };
    if (!live)
      return { status: 404, body: 'Not Found', headers: { 'x-render-routing': 'no-server' } };
    const version = instance?.version ?? live.version;
    if (live.script.answer) return live.script.answer({ version, path, nth });
    return {
      status: 200,
      body: JSON.stringify({ ok: true, version }),
      headers: { 'x-version': version },
    };
  }
}

const quick: Script['steps'] = [
  ['created', 1],
  ['update_in_progress', 10],
  ['live', 0],
];

export function isRunning(status: string): boolean {
  return status !== 'live' && status !== 'deactivated' && !failed.test(status);
}
