import type { FakeDeploy, FakeJob, FakeService } from './fake-render-service';

// The API's shapes and words, as its OpenAPI document and recorded traffic have them.

export interface Answer {
  status: number;
  body?: unknown;
}

export const owner = 'tea-00000000000000000001';
export const words: Record<number, string> = {
  429: 'rate limit exceeded',
  500: 'internal server error',
  503: 'service unavailable',
};

/** An answer in place of any work. */
export function faulty(status: number): Answer {
  return status < 400 ? { status } : refuse(status, words[status] ?? 'error');
}

export function named({ status, body }: Answer): { status: number; answer: unknown } {
  return { status, answer: body };
}

export function refuse(status: number, message: string): Answer {
  return { status, body: { id: 'err-1', message } };
}

export function variableAnswer(
  service: FakeService,
  method: string,
  key: string,
  body: unknown,
): Answer {
  const value = service.env.get(key);
  if (method === 'PUT') {
    const wanted = (body as { value?: unknown } | undefined)?.value;
    if (typeof wanted !== 'string') return refuse(400, 'value must be a string');
    service.env.set(key, wanted);
    return { status: 200, body: { key, value: wanted } };
  }
  if (value === undefined) return refuse(404, `environment variable not found: ${key}`);
  if (method === 'GET') return { status: 200, body: { key, value } };
  if (method !== 'DELETE') return refuse(404, 'not found');
  service.env.delete(key);
  return { status: 204 };
}

export function patchService(service: FakeService, body: unknown): Answer {
  const { autoDeploy } = (body ?? {}) as { autoDeploy?: string };
  if (autoDeploy !== 'yes' && autoDeploy !== 'no') return refuse(400, 'invalid autoDeploy');
  // What the trigger was before is forgotten; `commit` is the default.
  if (autoDeploy === 'no' || service.autoDeploy === 'no') service.trigger = undefined;
  service.autoDeploy = autoDeploy;
  return { status: 200, body: serviceJson(service) };
}

export function page<T>(
  items: readonly T[],
  name: string,
  json: (item: T, i: number) => unknown,
  query: URLSearchParams,
): Answer {
  const limit = Number(query.get('limit') ?? 20);
  if (!(limit >= 1 && limit <= 100)) return refuse(400, 'limit must be between 1 and 100');
  const from = Number(query.get('cursor')?.replace('cursor', '') ?? 0);
  const rows = items
    .slice(from, from + limit)
    .map((item, i) => ({ [name]: json(item, from + i), cursor: `cursor${from + i + 1}` }));
  return { status: 200, body: rows };
}

export function isWithin(time: number, after: string | null): boolean {
  return !after || time > Date.parse(after);
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

export function deployJson(deploy: FakeDeploy): unknown {
  const { id, status, trigger, createdAt, finishedAt, commit, image, imageSha } = deploy;
  return {
    id,
    status,
    trigger,
    createdAt: iso(createdAt),
    updatedAt: iso(finishedAt ?? createdAt),
    ...(finishedAt && { finishedAt: iso(finishedAt) }),
    ...(commit && !image && { commit: { id: commit, message: 'a commit' } }),
    ...(image && { image: { ref: image, ...(imageSha && { sha: imageSha }) } }),
  };
}

export function jobJson(service: FakeService, job: FakeJob): unknown {
  const { id, command, createdAt, seconds, status } = job;
  const end = createdAt + seconds * 1000;
  const isOver = end <= service.clock.now();
  return {
    id,
    serviceId: service.id,
    startCommand: command,
    planId: 'plan-srv-004',
    createdAt: iso(createdAt),
    status: isOver ? status : 'running',
    ...(isOver && { finishedAt: iso(end) }),
  };
}

/** A service as the API shows it. */
export function serviceJson(service: FakeService): unknown {
  const { id, name, type, runtime, options } = service;
  const common = {
    buildPlan: 'starter',
    ...(options.subdomainOff && { renderSubdomainPolicy: 'disabled' }),
    ...(options.ipAllowList && {
      ipAllowList: options.ipAllowList.map(cidrBlock => ({ cidrBlock, description: '' })),
    }),
  };
  const preDeploy = options.preDeployCommand && { preDeployCommand: options.preDeployCommand };
  const native = {
    buildCommand: 'npx bootlace setup',
    startCommand: options.startCommand ?? 'node server.js',
    ...preDeploy,
  };
  const docker = {
    dockerCommand: options.startCommand ?? '',
    dockerContext: '.',
    dockerfilePath: './Dockerfile',
    ...preDeploy,
  };
  const server = {
    ...common,
    env: runtime,
    runtime,
    envSpecificDetails: runtime === 'docker' || runtime === 'image' ? docker : native,
    plan: options.plan ?? 'starter',
    region: 'oregon',
  };
  const scaled = { ...server, numInstances: options.instances ?? 1, maxShutdownDelaySeconds: 30 };
  const details: Record<string, unknown> = {
    static_site: { ...common, buildCommand: '', publishPath: 'public', url: service.url },
    web_service: {
      ...scaled,
      healthCheckPath: options.healthPath ?? '',
      maintenanceMode: { enabled: options.maintenance === true, uri: '' },
      openPorts: [],
      url: service.url,
    },
    private_service: { ...scaled, openPorts: [], url: `${name}:10000` },
    background_worker: scaled,
    cron_job: { ...server, schedule: '0 * * * *' },
  };
  return {
    id,
    name,
    ownerId: options.ownerId ?? owner,
    type,
    slug: name,
    rootDir: '',
    ...(options.branch && { branch: options.branch }),
    autoDeploy: service.autoDeploy,
    ...(service.trigger && { autoDeployTrigger: service.trigger }),
    suspended: service.suspended ? 'suspended' : 'not_suspended',
    suspenders: service.suspended ? ['user'] : [],
    notifyOnFail: 'default',
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
    dashboardUrl: `https://dashboard.render.com/web/${id}`,
    serviceDetails: details[type],
  };
}
