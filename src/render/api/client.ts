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
  deadlineMs?: number | undefined;
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
  const at = (id: string, rest = '') => `/services/${encodeURIComponent(id)}${rest}`;
  const about = (id: string) => `the service ${id}`;
  const get = (call: Omit<Call, 'method'>) => request({ method: 'GET', ...call });

  return {
    /** All services, or those with that exact name; of one workspace where its id is given. */
    async services(name: string | undefined, ownerId: string | undefined): Promise<Service[]> {
      const found: Service[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < mostPages; page++) {
        const { items, cursor: next } = parsePage(
          await get({
            path: '/services',
            query: { name, ownerId, cursor, limit: String(pageSize), includePreviews: 'false' },
            about: 'the services',
          }),
          'service',
          parseService,
        );
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
      const value = await get({ path: '/owners', query, about: 'the workspaces' });
      const { items } = parsePage(value, 'owner', parseOwner);
      return items.filter(owner => owner.name === name).map(({ id }) => id);
    },

    async service(id: string): Promise<Service> {
      return parseService(await get({ path: at(id), about: about(id) }));
    },

    async setAutoDeploy(id: string, on: boolean): Promise<void> {
      const body = { autoDeploy: on ? 'yes' : 'no' };
      await request({ method: 'PATCH', path: at(id), body, about: about(id) });
    },

    /** One variable set on the service itself; undefined when there is none. */
    async variable(id: string, key: string, deadlineMs?: number): Promise<string | undefined> {
      const path = at(id, `/env-vars/${encodeURIComponent(key)}`);
      const value = await orUndefined(get({ path, about: `the variable ${key}`, deadlineMs }));
      return value === undefined ? undefined : parseVariable(value);
    },

    /** Sets one variable, or removes it; the others are not touched. Deploys nothing. */
    async setVariable(
      id: string,
      key: string,
      value: string | undefined,
      deadlineMs?: number,
    ): Promise<void> {
      const path = at(id, `/env-vars/${encodeURIComponent(key)}`);
      const call = { path, about: `the variable ${key} of ${id}`, deadlineMs };
      if (value !== undefined) await request({ method: 'PUT', ...call, body: { value } });
      else await orUndefined(request({ method: 'DELETE', ...call }));
    },

    /**
     * The newest first, twenty unless more are asked for (100 at most); without a time the live one
     * as well, however old it is.
     */
    async deploys(id: string, createdAfter?: string, limit = 20): Promise<Deploy[]> {
      const list = async (query: Call['query']) => {
        const value = await get({ path: at(id, '/deploys'), query, about: about(id) });
        return newestFirst(parsePage(value, 'deploy', parseDeploy).items);
      };
      const newest = await list({ createdAfter, limit: String(limit) });
      const isAll = createdAfter !== undefined || newest.length < limit;
      if (isAll || newest.some(deploy => classOf(deploy) === 'live')) return newest;
      return [...newest, ...(await list({ status: 'live', limit: '1' }))];
    },

    async deploy(id: string, deployId: string, deadlineMs?: number): Promise<Deploy> {
      const path = at(id, `/deploys/${encodeURIComponent(deployId)}`);
      return parseDeploy(await get({ path, about: `the deploy ${deployId}`, deadlineMs }));
    },

    /** @returns undefined for a 202: accepted, and not said which deploy it is */
    async createDeploy(id: string, body: DeployRequest): Promise<Deploy | undefined> {
      const call = { path: at(id, '/deploys'), body, about: `a deploy of ${id}` };
      const value = await request({ method: 'POST', ...call });
      return value === undefined ? undefined : parseDeploy(value);
    },

    /** @returns as createDeploy does */
    async rollback(id: string, deployId: string): Promise<Deploy | undefined> {
      const call = { path: at(id, '/rollback'), body: { deployId } };
      const value = await request({ method: 'POST', ...call, about: `to go back to ${deployId}` });
      return value === undefined ? undefined : parseDeploy(value);
    },

    async cancelDeploy(id: string, deployId: string): Promise<void> {
      const path = at(id, `/deploys/${encodeURIComponent(deployId)}/cancel`);
      await request({ method: 'POST', path, about: `to cancel ${deployId}`, isSafe: true });
    },

    async instances(id: string): Promise<Instance[]> {
      const value = await get({ path: at(id, '/instances'), about: about(id) });
      return listOf(value, 'a list of instances').map(parseInstance);
    },

    async events(id: string, startTime: string | undefined, type?: string) {
      const query = { startTime, type, limit: '50' };
      const value = await get({ path: at(id, '/events'), query, about: about(id) });
      return parsePage(value, 'event', parseEvent).items;
    },

    async logs(service: Service, wanted: LogQuery): Promise<LogLine[]> {
      const { resource = service.id, types, since, direction, text, deadlineMs } = wanted;
      const { ownerId } = service;
      const limit = String(pageSize);
      const query = { ownerId, resource, startTime: since, direction, limit, type: types, text };
      return parseLogs(await get({ path: '/logs', query, about: about(service.id), deadlineMs }));
    },

    /** Starts a one-off job. */
    async createJob(id: string, startCommand: string): Promise<Job> {
      const call = { path: at(id, '/jobs'), body: { startCommand }, about: `a job of ${id}` };
      return parseJob(await request({ method: 'POST', ...call }));
    },

    async job(id: string, jobId: string, deadlineMs: number): Promise<Job> {
      const path = at(id, `/jobs/${encodeURIComponent(jobId)}`);
      return parseJob(await get({ path, about: `the job ${jobId}`, deadlineMs }));
    },

    /** The newest first. */
    async jobs(id: string, createdAfter: string | undefined): Promise<Job[]> {
      const query = { createdAfter, limit: '20' };
      const value = await get({ path: at(id, '/jobs'), query, about: about(id) });
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
