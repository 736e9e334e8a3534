import type { Expectation, Problem } from './expectation';
import type { Instance } from './model';
import type { Session } from './session';
import { parseStartLine } from './start-line';

/** Follows which instances have written the right start line. */
export class StartLines {
  readonly #right = new Set<string>();
  readonly #wrong = new Map<string, string>();
  readonly #session: Session;
  readonly #expected: Expectation;

  constructor(session: Session, expected: Expectation) {
    this.#session = session;
    this.#expected = expected;
  }

  /**
   * @param instances the ones that run now
   * @param wantsLines false: their number alone counts
   */
  async look(
    instances: readonly Instance[],
    wantsLines: boolean,
  ): Promise<{ problem?: Problem; seen: string[] }> {
    const { service, version } = this.#expected;
    // A free service that sleeps has no instance; its address has just been asked.
    if (instances.length === 0 && !(wantsLines && service.plan === 'free'))
      return { problem: { code: 'DEPLOY_UNHEALTHY', text: 'no instance is running' }, seen: [] };
    if (!wantsLines) return { seen: [`instances: ${instances.length}`] };
    if (instances.some(({ id }) => !this.#right.has(id)) || instances.length === 0)
      await this.#read();
    for (const { id } of instances) {
      if (this.#right.has(id)) continue;
      const wrong = this.#wrong.get(id);
      const text = wrong
        ? `instance ${id} started ${wrong} in place of ${version}`
        : `no start line of ${this.#name} from instance ${id}`;
      return {
        problem: { code: wrong ? 'DEPLOY_WRONG_VERSION' : 'DEPLOY_UNPROVEN', text },
        seen: [],
      };
    }
    if (this.#right.size === 0)
      return {
        problem: { code: 'DEPLOY_UNPROVEN', text: `no start line of ${this.#name}` },
        seen: [],
      };
    return { seen: [`start line of ${this.#name} from each instance (${instances.length})`] };
  }

  get #name(): string {
    const { package: name, version } = this.#expected;
    return `${name ?? 'the backend'} ${version}`;
  }

  async #read(): Promise<void> {
    const { service, deploy, version, nonce, package: name } = this.#expected;
    const { lines } = await this.#session.client.logs(service, {
      types: ['app'],
      since: deploy.createdAt,
      direction: 'backward',
      limit: 100,
      text: nonce ?? 'bootlace',
    });
    for (const line of lines) {
      const start = parseStartLine(line);
      if (!start) continue;
      const instance = start.instance ?? 'unknown';
      const isRight =
        start.version === version &&
        (name === undefined || start.package === name) &&
        (nonce === undefined || start.nonce === nonce);
      if (isRight) this.#right.add(instance);
      else this.#wrong.set(instance, `${start.package}@${start.version}`);
    }
  }
}
