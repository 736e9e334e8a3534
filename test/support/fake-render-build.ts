import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FakeRender } from './fake-render';
import {
  type FakeDeploy,
  type FakeService,
  type FrontAnswer,
  isRunning,
} from './fake-render-service';
import { bin, cleanEnv, freePort } from './run';

const pollMs = 25;
/** How long a new version may take until it answers, in real milliseconds. */
const startLimitMs = 20_000;

/**
 * Carries out a fake Render's deploys for real, as Render does for a node service: `bootlace
 * setup` in a new folder with the service's variables, then `node server.js` on a port of its
 * own; the traffic moves once it answers, and the old process gets SIGTERM.
 */
export class RealBuilds {
  readonly #root = mkdtempSync(join(tmpdir(), 'bootlace-builds-'));
  readonly #processes = new Map<string, ChildProcess>();
  readonly #work = new Set<Promise<void>>();
  /** Builds and backends. */
  readonly #running = new Set<ChildProcess>();

  constructor(render: FakeRender) {
    render.builder = (service, deploy) => {
      const work = this.#deploy(service, deploy).finally(() => this.#work.delete(work));
      this.#work.add(work);
    };
    render.realFront = (service, path) => this.#front(service, path);
  }

  /** Ends what runs and removes the folders. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#work);
    await Promise.all([...this.#processes.keys()].map(id => this.#stop(id)));
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Ends what runs at once, for a process that is about to exit. */
  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #deploy(service: FakeService, deploy: FakeDeploy): Promise<void> {
    while (deploy.begunAt === undefined && isRunning(deploy.status)) {
      await pause(pollMs);
      service.advance();
    }
    const folder = deploy.real?.folder ?? mkdtempSync(join(this.#root, 'build-'));
    if (!deploy.real) {
      service.setStatus(deploy, 'build_in_progress');
      const code = await this.#build(service, deploy, folder);
      if (!isRunning(deploy.status)) return;
      if (code !== 0) {
        deploy.script.failure = { nonZeroExit: code };
        return service.setStatus(deploy, 'build_failed');
      }
      deploy.version = installedVersion(folder);
    }
    service.setStatus(deploy, 'update_in_progress');
    const before = service.instances.map(({ id }) => id);
    const instance = `${service.id}-${randomBytes(4).toString('hex').slice(0, 5)}`;
    const port = await freePort();
    const child = this.#start(service, deploy, folder, port, instance);
    const failure = await healthy(service, child, port);
    if (failure || !isRunning(deploy.status)) {
      deploy.script.failure = failure ?? {};
      if (isRunning(deploy.status)) service.setStatus(deploy, 'update_failed');
      return this.#stop(instance);
    }
    deploy.real = { instance, folder, port };
    service.setStatus(deploy, 'live');
    await Promise.all(before.map(id => this.#stop(id)));
  }

  #build(service: FakeService, deploy: FakeDeploy, folder: string): Promise<number> {
    const child = this.#spawn([bin, 'setup'], folder, deploy.env);
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', line => service.log('build', line, undefined));
    return new Promise(resolve => child.once('close', code => resolve(code ?? 1)));
  }

  #start(
    service: FakeService,
    deploy: FakeDeploy,
    folder: string,
    port: number,
    instance: string,
  ): ChildProcess {
    const env = { ...deploy.env, PORT: String(port), NODE_ENV: 'production' };
    const child = this.#spawn(['server.js'], folder, env);
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', line => service.log('app', line, instance));
    this.#processes.set(instance, child);
    return child;
  }

  #spawn(args: readonly string[], cwd: string, env: Record<string, string>) {
    const child = spawn(process.execPath, args, {
      cwd,
      env: cleanEnv(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }

  async #stop(instance: string): Promise<void> {
    const child = this.#processes.get(instance);
    this.#processes.delete(instance);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise(resolve => child.once('close', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(killer);
  }

  #front(service: FakeService, path: string): Promise<FrontAnswer> | undefined {
    const real = service.live?.real;
    return real && ask(real.port, path);
  }
}

function installedVersion(folder: string): string {
  const current = JSON.parse(readFileSync(join(folder, '.bootlace', 'current.json'), 'utf8')) as {
    active: string;
  };
  const receipt = join(folder, '.bootlace', 'releases', current.active, 'release.json');
  return (JSON.parse(readFileSync(receipt, 'utf8')) as { version: string }).version;
}

/** @returns why it failed; undefined once it is healthy */
async function healthy(
  service: FakeService,
  child: ChildProcess,
  port: number,
): Promise<Record<string, unknown> | undefined> {
  const end = Date.now() + startLimitMs;
  for (;;) {
    if (child.exitCode !== null) return { nonZeroExit: child.exitCode, earlyExit: true };
    const { status } = await ask(port, service.options.healthPath ?? '/').catch(() => ({
      status: 0,
    }));
    if (status >= 200 && status < 400) return undefined;
    if (Date.now() > end) return { unhealthy: status ? `HTTP ${status}` : 'no answer' };
    await pause(pollMs);
  }
}

async function ask(port: number, path: string): Promise<FrontAnswer> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
    return {
      status: response.status,
      body: await response.text(),
      headers: Object.fromEntries(response.headers),
    };
  } catch {
    return { status: 502, body: 'Bad Gateway' };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
