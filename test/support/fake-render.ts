import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from './clock';
import {
  type Answer,
  deployJson,
  faulty,
  iso,
  isWithin,
  jobJson,
  named,
  owner,
  page,
  patchService,
  refuse,
  serviceJson,
  variableAnswer,
  words,
} from './fake-render-answers';
import {
  type FakeDeploy,
  FakeService,
  type FakeServiceOptions,
  type FrontAnswer,
  isRunning,
} from './fake-render-service';
import type { Contract } from './openapi';

/** A fault for requests whose `METHOD /path` matches. */
export interface RenderFault {
  match: RegExp;
  /** Let this many pass first. */
  after?: number;
  /** How many it meets; all by default. */
  times?: number;
  status?: number;
  headers?: Record<string, string>;
  /** Close the connection: before the work is done, or after it (the answer is lost). */
  reset?: 'before' | 'after';
  /** Called when it meets a request, before the work. */
  call?: () => void;
  /** The body in place of the honest one. */
  body?: string;
}

export interface Recorded {
  method: string;
  path: string;
  body: unknown;
  status: number;
  at: number;
}

export interface FakeRenderOptions {
  clock: Clock;
  key?: string;
  contract?: Contract;
  /** POSTs and reads within a minute before it answers 429. */
  limits?: { posts: number; reads: number };
  /** Render's overlap policy of the workspace. */
  overlap?: 'wait' | 'override';
}

/** Answers for the services that run as real processes. */
export type RealFront = (service: FakeService, path: string) => Promise<FrontAnswer> | undefined;

/**
 * The Render API over real HTTP on 127.0.0.1, in the shapes of its OpenAPI document: wrapped
 * lists, cursors, empty 202s, rate limits. A second server is the services' public address.
 */
export class FakeRender {
  readonly requests: Recorded[] = [];
  readonly services: FakeService[] = [];
  /** Ids and names. */
  readonly workspaces = new Map([[owner, 'acme']]);
  readonly hookKey = 'hookkeyAbCdEf123456';
  realFront: RealFront | undefined;
  /** Carries out new deploys for real in place of their scripts. */
  builder: ((service: FakeService, deploy: FakeDeploy) => void) | undefined;
  url = '';
  #faults: RenderFault[] = [];
  #api!: Server;
  #front!: Server;
  #frontUrl = '';

  private constructor(readonly options: FakeRenderOptions) {}

  static async start(options: FakeRenderOptions): Promise<FakeRender> {
    const render = new FakeRender(options);
    render.#api = createServer((request, response) => render.#serve(request, response));
    render.#front = createServer((request, response) => void render.#serveFront(request, response));
    render.url = `http://127.0.0.1:${await listen(render.#api)}/v1`;
    render.#frontUrl = `http://127.0.0.1:${await listen(render.#front)}`;
    return render;
  }

  async close(): Promise<void> {
    for (const server of [this.#api, this.#front]) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }

  add(options: FakeServiceOptions): FakeService {
    const service = new FakeService(options, this.options.clock, this.options.overlap);
    service.url = `${this.#frontUrl}/${service.name}`;
    this.services.push(service);
    return service;
  }

  hookOf(service: FakeService): string {
    return `${new URL(this.url).origin}/deploy/${service.id}?key=${this.hookKey}`;
  }

  misbehave(fault: RenderFault): void {
    this.#faults.push(fault);
  }

  /** Ends all faults. */
  calm(): void {
    this.#faults = [];
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const method = request.method ?? 'GET';
      const url = new URL(request.url ?? '/', this.url);
      const path = url.pathname.replace(/^\/v1/, '');
      const text = Buffer.concat(chunks).toString('utf8');
      const fault = this.#takeFault(`${method} ${path}`);
      fault?.call?.();
      if (fault?.reset === 'before') return void response.destroy();
      for (const service of this.services) service.advance();
      let body: unknown;
      try {
        body = text === '' ? undefined : JSON.parse(text);
      } catch {}
      const honest =
        fault?.status !== undefined
          ? faulty(fault.status)
          : this.#answer(method, path, url.searchParams, body, request.headers.authorization);
      this.requests.push({
        method,
        path,
        body,
        status: honest.status,
        at: this.options.clock.now(),
      });
      if (!path.startsWith('/deploy/'))
        this.options.contract?.check({
          method,
          path,
          query: url.searchParams,
          body,
          ...named(honest),
        });
      if (fault?.reset === 'after') return void response.destroy();
      const out = fault?.body ?? (honest.body === undefined ? '' : JSON.stringify(honest.body));
      response.writeHead(honest.status, {
        ...(out && { 'content-type': 'application/json; charset=utf-8' }),
        'ratelimit-limit': '400',
        'ratelimit-remaining': honest.status === 429 ? '0' : '399',
        'ratelimit-reset': '12',
        ...(honest.status === 429 && { 'retry-after': '12' }),
        ...fault?.headers,
      });
      response.end(out);
    });
  }

  #takeFault(line: string): RenderFault | undefined {
    for (const fault of this.#faults) {
      if (!fault.match.test(line) || fault.times === 0) continue;
      if (fault.after) fault.after--;
      else {
        if (fault.times !== undefined) fault.times--;
        return fault;
      }
    }
    return undefined;
  }

  #isOverLimit(method: string): boolean {
    const { limits, clock } = this.options;
    if (!limits || (method !== 'GET' && method !== 'POST')) return false;
    const recent = this.requests.filter(
      r => r.method === method && r.status < 400 && r.at > clock.now() - 60_000,
    ).length;
    return recent >= (method === 'POST' ? limits.posts : limits.reads);
  }

  #answer(
    method: string,
    path: string,
    query: URLSearchParams,
    body: unknown,
    authorization: string | undefined,
  ): Answer {
    const hook = /^\/deploy\/([\w-]+)$/.exec(path);
    if (hook) {
      const service = this.services.find(({ id }) => id === hook[1]);
      if (!service || query.get('key') !== this.hookKey) return { status: 404, body: 'Not Found' };
      return { status: 200, body: { deploy: { id: this.#create(service, 'deploy_hook', {}).id } } };
    }
    if (this.options.key && authorization !== `Bearer ${this.options.key}`)
      return refuse(401, 'unauthorized');
    if (this.#isOverLimit(method)) return refuse(429, words[429] as string);
    const route = `${method} ${path}`;
    if (route === 'GET /services') {
      const names = query.get('name')?.split(',');
      const owners = query.get('ownerId')?.split(',');
      // As loose as a prefix: a client must look at the names itself.
      const found = this.services.filter(
        s =>
          (!names || names.some(name => s.name.startsWith(name))) &&
          (!owners || owners.includes(s.options.ownerId ?? owner)),
      );
      return page(found, 'service', serviceJson, query);
    }
    if (route === 'GET /owners')
      return page(
        [...this.workspaces].filter(([, name]) => name.startsWith(query.get('name') ?? '')),
        'owner',
        ([id, name]) => ({ id, name, email: 'dev@acme.test', type: 'team' }),
        query,
      );
    if (route === 'GET /logs') return this.#logs(query);
    const [, id, rest = ''] = /^\/services\/([\w-]+)(\/.*)?$/.exec(path) ?? [];
    const service = this.services.find(s => s.id === id);
    if (!service) return refuse(404, `service not found: ${id}`);
    const variable = /^\/env-vars\/([^/]+)$/.exec(rest)?.[1];
    if (variable) return variableAnswer(service, method, decodeURIComponent(variable), body);
    const deployId = /^\/deploys\/([\w-]+)(\/cancel)?$/.exec(rest);
    switch (`${method} ${deployId ? (deployId[2] ?? '/deploy') : rest}`) {
      case 'GET ':
        return { status: 200, body: serviceJson(service) };
      case 'PATCH ':
        return patchService(service, body);
      case 'GET /deploys':
        return page(
          service.deploys.filter(
            ({ createdAt, status }) =>
              isWithin(createdAt, query.get('createdAfter')) &&
              (!query.has('status') || query.getAll('status').includes(status)),
          ),
          'deploy',
          deployJson,
          query,
        );
      case 'GET /jobs':
        return page(
          service.jobs.filter(({ createdAt }) =>
            isWithin(createdAt + 1, query.get('createdAfter')),
          ),
          'job',
          job => jobJson(service, job),
          query,
        );
      case 'POST /jobs': {
        const { startCommand } = (body ?? {}) as { startCommand?: unknown };
        if (typeof startCommand !== 'string') return refuse(400, 'startCommand is required');
        return { status: 201, body: jobJson(service, service.createJob(startCommand)) };
      }
      case 'POST /deploys':
        return this.#postDeploy(service, body);
      case 'POST /rollback':
        return this.#postRollback(service, body);
      case 'GET /instances':
        return {
          status: 200,
          body: service.listed.map(({ id, createdAt }) => ({ id, createdAt: iso(createdAt) })),
        };
      case 'GET /events':
        return page(
          service.events.filter(
            ({ type, timestamp }) =>
              (!query.get('type') || type === query.get('type')) &&
              timestamp <= this.options.clock.now() &&
              isWithin(timestamp + 1, query.get('startTime')),
          ),
          'event',
          (event, i) => ({
            id: `evt-${String(i).padStart(20, '0')}`,
            timestamp: iso(event.timestamp),
            serviceId: service.id,
            type: event.type,
            details: event.details,
          }),
          query,
        );
    }
    const job = service.jobs.find(({ id }) => rest === `/jobs/${id}`);
    if (job && method === 'GET') return { status: 200, body: jobJson(service, job) };
    const deploy = service.deploys.find(d => d.id === deployId?.[1]);
    if (deployId && !deploy) return refuse(404, `deploy not found: ${deployId[1]}`);
    if (method === 'GET' && deploy && !deployId?.[2])
      return { status: 200, body: deployJson(deploy) };
    if (method === 'POST' && deploy && deployId?.[2]) {
      if (service.type === 'cron_job')
        return refuse(400, 'cron jobs do not support canceling deploys');
      if (!isRunning(deploy.status)) return refuse(400, 'deploy is not in progress');
      service.cancel(deploy);
      return { status: 200, body: deployJson(deploy) };
    }
    return refuse(404, 'not found');
  }

  #create(service: FakeService, trigger: string, extra: Partial<FakeDeploy>): FakeDeploy {
    if (!this.builder) return service.create(trigger, undefined, extra);
    const deploy = service.create(trigger, { steps: [], isReal: true }, extra);
    this.builder(service, deploy);
    return deploy;
  }

  #postDeploy(service: FakeService, body: unknown): Answer {
    if (typeof body !== 'object' || body === null) return refuse(400, 'invalid JSON');
    if (service.suspended) return refuse(400, 'cannot deploy a suspended service');
    const { imageUrl, commitId } = body as { imageUrl?: string; commitId?: string };
    if (imageUrl && service.runtime !== 'image')
      return refuse(400, 'imageUrl is only supported for image-backed services');
    if (commitId && service.type === 'cron_job')
      return refuse(400, 'commitId is not supported for cron jobs');
    const wasBusy = service.running !== undefined && service.overlap === 'wait';
    const deploy = this.#create(service, 'api', {
      ...(commitId && { commit: commitId, version: commitId.slice(0, 7) }),
      ...(imageUrl && { image: imageUrl, version: imageUrl.split(':').at(-1) ?? imageUrl }),
    });
    if (wasBusy || deploy.script.accepted) return { status: 202 };
    return { status: 201, body: deployJson(deploy) };
  }

  #postRollback(service: FakeService, body: unknown): Answer {
    const target = service.deploys.find(
      ({ id }) => id === (body as { deployId?: string })?.deployId,
    );
    if (!target) return refuse(404, 'deploy not found');
    if (service.options.noRollback)
      return refuse(400, 'rollbacks are not supported for this service');
    if (target.artifactGone)
      return refuse(400, 'the build artifact of this deploy is no longer available');
    const { version, env, commit, image, imageSha, real } = target;
    const extra = { version, env, commit, image, imageSha, real };
    const deploy = this.#create(service, 'rollback', extra);
    return { status: 201, body: deployJson(deploy) };
  }

  #logs(query: URLSearchParams): Answer {
    if (!this.workspaces.has(query.get('ownerId') ?? ''))
      return refuse(403, 'you do not have access to this workspace');
    const types = query.getAll('type');
    const words = query.get('text');
    const resources = query.getAll('resource');
    const found = this.services
      .flatMap(({ logs }) => logs)
      .filter(
        log =>
          resources.includes(log.resource) &&
          (!types.length || types.includes(log.type)) &&
          isWithin(log.timestamp + 1, query.get('startTime')) &&
          (!words || log.message.includes(words)),
      );
    if (query.get('direction') !== 'forward') found.reverse();
    const limit = Number(query.get('limit') ?? 20);
    const now = iso(this.options.clock.now());
    return {
      status: 200,
      body: {
        hasMore: found.length > limit,
        nextStartTime: now,
        nextEndTime: now,
        logs: found.slice(0, limit).map(({ id, message, timestamp, type, instance, resource }) => ({
          id,
          message,
          timestamp: iso(timestamp),
          labels: [
            { name: 'resource', value: resource },
            { name: 'type', value: type },
            ...(instance ? [{ name: 'instance', value: instance }] : []),
          ],
        })),
      },
    };
  }

  async #serveFront(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name, path] = /^\/([^/?]+)([^?]*)/.exec(request.url ?? '') ?? [];
    const service = this.services.find(s => s.name === name);
    if (!service || service.type === 'cron_job')
      return void response.writeHead(404).end('Not Found');
    const real = await this.realFront?.(service, path || '/');
    const { status, body, headers } = real ?? service.front(path || '/');
    response.writeHead(status, headers).end(body);
  }
}

function listen(server: Server): Promise<number> {
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}
