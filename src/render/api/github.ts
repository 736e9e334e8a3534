import { type Io, secretOf } from '../../io';
import { isObject } from '../../json';
import type { Secret } from '../../secret';
import { fetchText, isPrivate } from './fetch-text';
import { oneLine } from './model';

export type GithubDeployments = NonNullable<ReturnType<typeof githubDeployments>>;

const timeoutMs = 10_000;
const longestText = 140;

/**
 * GitHub's deployments: an environment's page and a commit show what became of a deploy. Needs a
 * GITHUB_TOKEN with `deployments: write`; whatever GitHub answers, the deploy itself goes on.
 * https://docs.github.com/en/rest/deployments/deployments and …/deployments/statuses
 * @param warn told once when GitHub refuses
 * @returns undefined anywhere but in a workflow that hands its token on
 */
export function githubDeployments(
  { env }: Pick<Io, 'env'>,
  addSecret: (secret: Secret | undefined) => void,
  warn: (sentence: string) => void,
) {
  const token = secretOf(env, 'GITHUB_TOKEN');
  addSecret(token);
  const { GITHUB_REPOSITORY: repository = '', GITHUB_SHA: sha = '' } = env;
  const base = env.GITHUB_API_URL || 'https://api.github.com';
  if (env.GITHUB_ACTIONS !== 'true' || !token) return undefined;
  if (!URL.canParse(base) || !isPrivate(new URL(base))) return undefined;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || !/^[0-9a-f]{40,64}$/.test(sha)) return undefined;
  const { GITHUB_SERVER_URL = 'https://github.com', GITHUB_RUN_ID = '' } = env;
  const logUrl = `${GITHUB_SERVER_URL}/${repository}/actions/runs/${GITHUB_RUN_ID}`;
  const ids = new Map<string, number>();
  let isRefused = false;

  async function post(path: string, body: Record<string, unknown>): Promise<unknown> {
    if (isRefused) return undefined;
    try {
      // Not the user's signal: the last word of an interrupted run is a status, too.
      const init = {
        method: 'POST',
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token?.reveal()}`,
          'content-type': 'application/json',
          'user-agent': 'bootlace',
          'x-github-api-version': '2022-11-28',
        },
        body: JSON.stringify(body),
      };
      const url = `${base}/repos/${repository}/deployments${path}`;
      const answer = await fetchText(url, init, new AbortController().signal, timeoutMs);
      if (answer.status >= 300) throw new Error(`it answers ${answer.status}`);
      return JSON.parse(answer.text);
    } catch (error) {
      isRefused = true;
      const why = oneLine((error as Error).message).slice(0, 100);
      warn(`GitHub shows no deployment: ${why}; the job needs permissions: deployments: write`);
      return undefined;
    }
  }

  return {
    /** @param environment the service's name */
    async begin(environment: string): Promise<void> {
      const made = await post('', {
        ref: sha,
        environment,
        auto_merge: false,
        required_contexts: [],
        description: 'bootlace',
      });
      const id = isObject(made) ? made.id : undefined;
      if (typeof id !== 'number') return;
      ids.set(environment, id);
      await post(`/${id}/statuses`, { state: 'in_progress', log_url: logUrl });
    },
    /** Does nothing for an environment that has not begun. */
    async end(
      environment: string,
      state: 'success' | 'failure' | 'error',
      text: string,
      url: string | undefined,
    ): Promise<void> {
      const id = ids.get(environment);
      if (id === undefined) return;
      ids.delete(environment);
      const description = oneLine(text).slice(0, longestText);
      const environment_url = url && { environment_url: url };
      await post(`/${id}/statuses`, { state, log_url: logUrl, description, ...environment_url });
    },
  };
}
