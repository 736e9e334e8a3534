import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Boot, boot } from '../publish/preflight/boot';
import { type Problem, problem } from '../publish/preflight/problem';
import type { RegistryConfig } from '../registry/config/config';
import { applySetup } from '../setup/apply';
import { prepareSetup } from '../setup/prepare';
import { removeSecrets } from '../start/backend-env';
import { megabytes, seconds } from '../ui/text';
import type { Context } from './command';

interface BootPackage {
  /** The packed tarball, and its package's name. */
  file: string;
  name: string;
  health: string;
  /** The registries and credentials of the publisher. */
  config: RegistryConfig;
  /** A folder that the caller removes. */
  work: string;
}

/**
 * True for a role that serves by its name. A worker or a job is not started: it would do its work, with
 * the caller's database.
 */
function isServer(role: string): boolean {
  return role.split(/[-_]/).every(word => serverWord.test(word));
}

const serverWord = /^(web|www|api|http|server|app|admin|gateway|graphql|frontend|backend|v?\d+)$/i;

/**
 * Installs a tarball into an empty folder as `setup --from` does, and starts its main entry and every
 * role that serves, one after the other.
 * @returns what went wrong with the starts
 * @throws what setup throws, and the signal's reason
 */
export async function bootPackage(
  { file, name, health, config, work }: BootPackage,
  context: Context,
): Promise<Problem[]> {
  const { io, report, signal } = context;
  const dir = join(work, 'boot');
  mkdirSync(dir);
  const inside = { ...context, dir, flags: { ...context.flags, from: file, package: name } };
  // The empty folder has no .npmrc; the publisher's registries and credentials count.
  const plan = { ...(await prepareSetup(inside)), config };
  const { start } = await applySetup(plan, inside);
  const env: Record<string, string | undefined> = { ...io.env };
  removeSecrets(env, config);
  const say = (text: string) => (context.flags.json ? report.progress(text) : report.line(text));
  const roles = Object.keys(start.roles ?? {});
  const others = roles.filter(role => role !== 'web');
  const problems: Problem[] = [];
  for (const role of [undefined, ...others.filter(isServer)]) {
    const what = role ?? (roles.includes('web') ? 'web' : start.entry.file);
    report.progress(`starting ${what}`);
    const serverFile = join(dir, plan.serverFile);
    const result = await boot({ dir, serverFile, role, healthPath: health, env, io, signal });
    if (result.failure === undefined) say(`${what}: ${describe(result, health)}`);
    problems.push(...problemsOf(what, result));
  }
  const waiting = others.filter(role => !isServer(role));
  if (waiting.length) say(`not started, since their names are no server's: ${waiting.join(', ')}`);
  return problems;
}

function describe({ status, answeredMs, rss, stoppedMs }: Boot, health: string): string {
  const memory = rss === undefined ? 'memory not known here' : `${megabytes(rss)} of memory`;
  return `${health} answered ${status} after ${seconds(answeredMs)}, ${memory}, ended ${seconds(stoppedMs)} after SIGTERM`;
}

/** What says nothing in one line: our own start line, stacks, the mark below a line of source. */
const noise = /^bootlace: starting |^\s+at |^\s*\^+\s*$|^Node\.js v/;

function problemsOf(what: string, { failure, wasKilled, output }: Boot): Problem[] {
  if (failure !== undefined) {
    const last = output.split('\n').filter(line => line.trim() && !noise.test(line));
    const message = [`${what} ${failure}`, last.slice(-5).join(' | ')].filter(Boolean).join(': ');
    const fix =
      'correct what it printed; set the variables that it needs, let it listen on PORT, and name its health path with --health';
    return [problem('error', 'BOOT_FAILED', undefined, { message, fix })];
  }
  if (!wasKilled) return [];
  const message = `${what} was still there 10 s after SIGTERM, and was killed`;
  const fix = 'end the server on SIGTERM: close it, then its database connections';
  return [problem('warning', 'BOOT_STOP', undefined, { message, fix })];
}
