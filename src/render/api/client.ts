import { NotFoundError } from '../../errors';
import {
  classOf,
  type Deploy,
  type Instance,
  type Job,
  type LogLine,
  listOf,
  newestFirst,
  parseDeploy,
  parseEvent,
  parseInstance,
  parseJob,
  parseLogs,
  parseOwner,
  parsePage,
  parseService,
  parseVariable,
  type Service,
} from './model';
import { type Call, createRequester, type RequestOptions } from './request';

/** The newest hundred lines, newest first; or the oldest hundred since a time, oldest first. */
export interface LogQuery {
  /** The id of a job in place of the service's own. */
  resource?: string;
  types: readonly string[];
  /** ISO time; Render's default is an hour ago. */
  since: string | undefined;
  direction: 'forward' | 'backward';
  text?: string;
}

/** What a deploy is asked with; empty for the branch's latest commit. */
export interface DeployRequest {
  clearCache?: 'clear';
  commitId?: string;
  imageUrl?: string;
}

export type RenderClient = ReturnType<typeof createRenderClient>;

const pageSize = 100;
const mostPages = 50;

/** The endpoints that bootlace needs, typed. Every method throws the failures of request.ts. */
export function createRenderClient(options: RequestOptions) {
  const request = createRequester(options);
  const serviceAt = (id: string) => `/services/${encodeURIComponent(id)}`;
  const variableAt = (id: string, key: string) =>
    `${serviceAt(id)}/env-vars/${encodeURIComponent(key)}`;
  const deployAt = (id: string, deployId: string) =>
    `${serviceAt(id)}/deploys/${encodeURIComponent(deployId)}`;
  const get = (path: string, about: string, more: Pick<Call, 'query' | 'deadlineMs'> = {}) =>
    request({ method: 'GET', path, about, ...more });
  /** A list below a service. */
  const list = (id: string, name: string, query?: Call['query']) =>
    get(`${serviceAt(id)}/${name}`, `the service ${id}`, { query });

  return {
    /** All services, or those with that exact name; of one workspace where its id is given. */
    async services(name: string | undefined, ownerId: string | undefined): Promise<Service[]> {
      const found: Service[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < mostPages; page++) {
        const limit = String(pageSize);
        const query = { name, ownerId, cursor, limit, includePreviews: 'false' };
        const value = await get('/services', 'the services', { query });
        const { items, cursor: next } = parsePage(value, 'service', parseService);
        found.push(...items);
        if (items.length < pageSize || next === undefined || next === cursor) break;
        cursor = next;
      }
      // The filter may match more than was asked for.
      return name === undefined ? found : found.filter(service => service.name === name);
    },

    /** The ids of the workspaces with that exact name. */
    async workspaces(name: string): Promise<string[]> {
      const query = { name, limit: String(pageSize) };
      const value = await get('/owners', 'the workspaces', { query });
      const { items } = parsePage(value, 'owner', parseOwner);
      return items.filter(owner => owner.name === name).map(({ id }) => id);
    },

    async service(id: string): Promise<Service> {
      return parseService(await get(serviceAt(id), `the service ${id}`));
    },

    async setAutoDeploy(id: string, on: boolean): Promise<void> {
      const body = { autoDeploy: on ? 'yes' : 'no' };
      await request({ method: 'PATCH', path: serviceAt(id), body, about: `the service ${id}` });
    },

    /** One variable set on the service itself; undefined when there is none. */
    async variable(id: string, key: string, deadlineMs?: number): Promise<string | undefined> {
      const asked = get(variableAt(id, key), `the variable ${key}`, { deadlineMs });
      const value = await orUndefined(asked);
      return value === undefined ? undefined : parseVariable(value);
    },

    /** Sets one variable, or removes it; the others are not touched. Deploys nothing. */
    async setVariable(
      id: string,
      key: string,
      value: string | undefined,
      deadlineMs?: number,
    ): Promise<void> {
      const call = { path: variableAt(id, key), about: `the variable ${key} of ${id}`, deadlineMs };
      if (value !== undefined) await request({ method: 'PUT', ...call, body: { value } });
      else await orUndefined(request({ method: 'DELETE', ...call }));
    },

    /**
     * The newest first, twenty unless more are asked for (100 at most); without a time the live one
     * as well, however old it is.
     */
    async deploys(id: string, createdAfter?: string, limit = 20): Promise<Deploy[]> {
      const read = async (query: Call['query']) =>
        newestFirst(parsePage(await list(id, 'deploys', query), 'deploy', parseDeploy).items);
      const newest = await read({ createdAfter, limit: String(limit) });
      const isAll = createdAfter !== undefined || newest.length < limit;
      if (isAll || newest.some(deploy => classOf(deploy) === 'live')) return newest;
      return [...newest, ...(await read({ status: 'live', limit: '1' }))];
    },

    async deploy(id: string, deployId: string, deadlineMs: number): Promise<Deploy> {
      return parseDeploy(
        await get(deployAt(id, deployId), `the deploy ${deployId}`, { deadlineMs }),
      );
    },

    /** @returns undefined for a 202: accepted, and not said which deploy it is */
    async createDeploy(id: string, body: DeployRequest): Promise<Deploy | undefined> {
      const path = `${serviceAt(id)}/deploys`;
      const value = await request({ method: 'POST', path, body, about: `a deploy of ${id}` });
      return value === undefined ? undefined : parseDeploy(value);
    },

    /** @returns as createDeploy does */
    async rollback(id: string, deployId: string): Promise<Deploy | undefined> {
      const call = { path: `${serviceAt(id)}/rollback`, body: { deployId } };
      const value = await request({ method: 'POST', ...call, about: `to go back to ${deployId}` });
      return value === undefined ? undefined : parseDeploy(value);
    },

    async cancelDeploy(id: string, deployId: string): Promise<void> {
      const path = `${deployAt(id, deployId)}/cancel`;
      await request({ method: 'POST', path, about: `to cancel ${deployId}`, isSafe: true });
    },

    async instances(id: string): Promise<Instance[]> {
      return listOf(await list(id, 'instances'), 'a list of instances').map(parseInstance);
    },

    async events(id: string, startTime: string | undefined, type?: string) {
      const value = await list(id, 'events', { startTime, type, limit: '50' });
      return parsePage(value, 'event', parseEvent).items;
    },

    async logs(service: Service, wanted: LogQuery): Promise<LogLine[]> {
      const { resource = service.id, types, since, direction, text } = wanted;
      const { ownerId } = service;
      const limit = String(pageSize);
      const query = { ownerId, resource, startTime: since, direction, limit, type: types, text };
      const deadlineMs = 20_000;
      return parseLogs(await get('/logs', `the service ${service.id}`, { query, deadlineMs }));
    },

    /** Starts a one-off job. */
    async createJob(id: string, startCommand: string): Promise<Job> {
      const call = { path: `${serviceAt(id)}/jobs`, body: { startCommand } };
      return parseJob(await request({ method: 'POST', ...call, about: `a job of ${id}` }));
    },

    async job(id: string, jobId: string, deadlineMs: number): Promise<Job> {
      const path = `${serviceAt(id)}/jobs/${encodeURIComponent(jobId)}`;
      return parseJob(await get(path, `the job ${jobId}`, { deadlineMs }));
    },

    /** The newest first. */
    async jobs(id: string, createdAfter: string | undefined): Promise<Job[]> {
      const value = await list(id, 'jobs', { createdAfter, limit: '20' });
      return newestFirst(parsePage(value, 'job', parseJob).items);
    },
  };
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
