import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { watchForLeaks } from '../../support/leak-watch';
import { bin, cleanEnv, type Ended, endOf, root } from '../../support/run';
import type { Blueprint, Workflow } from './validators';

type Env = Record<string, string | undefined>;

const tsx = join(root, 'node_modules', '.bin', 'tsx');
const fastBootlace = join(__dirname, 'fast-bootlace.ts');

/** A folder for PATH whose npx runs this bootlace for `npx --yes bootlace@0`, and nothing else. */
export function npxShim(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'npx'),
    `#!/bin/sh
if [ "$1 $2" != '--yes bootlace@0' ]; then echo "npx $*: not bootlace" >&2; exit 127; fi
shift 2
case "$1" in
  deploy|rollback) exec "${tsx}" "${fastBootlace}" "$@" ;;
  *) exec "${process.execPath}" "${bin}" "$@" ;;
esac
`,
  );
  chmodSync(join(folder, 'npx'), 0o755);
  return `${folder}:${process.env.PATH}`;
}

/** Runs shell text as the runner of GitHub Actions and Render do; fails on a leaked secret. */
export function shell(text: string, cwd: string, env: Env): Promise<Ended> {
  const child = spawn('bash', ['-e', '-c', text], { cwd, env: cleanEnv(env) });
  return endOf(child, watchForLeaks(child.pid, cwd, env));
}

export interface RunnerOptions {
  /** The checkout. */
  workspace: string;
  /** A folder outside of it. */
  temp: string;
  /** For every step. */
  env: Env;
  /** The registry that setup-node logs in to, in place of the one that the workflow names. */
  registry: string;
  secrets: Record<string, string>;
  inputs?: Record<string, string>;
}

/** Carries out the jobs of a workflow one after the other, until a step fails. */
export async function runWorkflow(
  workflow: Workflow,
  options: RunnerOptions,
): Promise<{ code: number; output: string; outputs: Record<string, string> }> {
  const needs: Record<string, { outputs: Record<string, string> }> = {};
  let output = '';
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const steps: Record<string, { outputs: Record<string, string> }> = {};
    const contexts = { needs, steps, inputs: options.inputs ?? {}, secrets: options.secrets };
    const evaluate = (table: Record<string, string> = {}) =>
      Object.fromEntries(
        Object.entries(table).map(([name, text]) => [name, interpolate(String(text), contexts)]),
      );
    let jobEnv: Env = { ...options.env, ...evaluate(job.env) };
    for (const step of job.steps) {
      if (step.if !== undefined && !isTrue(step.if, contexts)) continue;
      if (step.uses?.startsWith('actions/setup-node@'))
        jobEnv = setupNode(step.with, jobEnv, options);
      if (step.run === undefined) continue;
      const file = join(options.temp, `output-${id}-${job.steps.indexOf(step)}`);
      writeFileSync(file, '');
      const cwd = join(options.workspace, step['working-directory'] ?? '.');
      const env = { ...jobEnv, ...evaluate(step.env), GITHUB_OUTPUT: file };
      const ended = await shell(step.run, cwd, env);
      output += `$ ${step.run}\n${ended.stdout}${ended.stderr}`;
      if (ended.code !== 0) return { code: ended.code ?? 1, output, outputs: {} };
      if (step.id) steps[step.id] = { outputs: outputsOf(readFileSync(file, 'utf8')) };
    }
    needs[id] = { outputs: evaluate(job.outputs) };
  }
  return {
    code: 0,
    output,
    outputs: Object.assign({}, ...Object.values(needs).map(n => n.outputs)),
  };
}

/** What actions/setup-node leaves: an npm configuration that takes its token from NODE_AUTH_TOKEN. */
function setupNode(given: Record<string, string> = {}, env: Env, options: RunnerOptions): Env {
  if (given['registry-url'] === undefined) return env;
  const { host } = new URL(options.registry);
  const file = join(options.temp, 'npmrc');
  const scope = given.scope === undefined ? '' : `${given.scope}:`;
  writeFileSync(
    file,
    `//${host}/:_authToken=\${NODE_AUTH_TOKEN}\n${scope}registry=${options.registry}\n`,
  );
  return { ...env, NPM_CONFIG_USERCONFIG: file, NODE_AUTH_TOKEN: 'XXXXX-XXXXX-XXXXX-XXXXX' };
}

function interpolate(text: string, contexts: object): string {
  return text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, path: string) => lookup(path, contexts));
}

function lookup(path: string, contexts: object): string {
  const value = path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], contexts);
  if (typeof value !== 'string') throw new Error(`nothing gives ${path}`);
  return value;
}

function isTrue(condition: string, contexts: object): boolean {
  const [, path = '', value] = /^([\w.]+) == '(\w+)'$/.exec(condition) ?? [];
  return lookup(path, contexts) === value;
}

function outputsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map(line => line.split('=') as [string, string]),
  );
}

/**
 * The environments of a Blueprint's services, with values for what Render asks and makes up.
 * @param asked values for `sync: false`; a variable without one stays unset
 */
export function environmentsOf(
  { services }: Blueprint,
  asked: Record<string, string>,
): Record<string, Record<string, string>> {
  const made: Record<string, Record<string, string>> = {};
  for (const { name, envVars = [] } of services) {
    const env: Record<string, string> = {};
    for (const { key, value, sync, generateValue, fromDatabase, fromService } of envVars) {
      const from = fromService as { name: string; envVarKey?: string; property?: string };
      const found =
        value !== undefined
          ? String(value)
          : sync === false
            ? asked[key]
            : generateValue
              ? `generated-for-${name}`
              : fromDatabase
                ? `postgres://u:p@${(fromDatabase as { name: string }).name}/d`
                : from.property
                  ? `redis://${from.name}:6379`
                  : made[from.name]?.[from.envVarKey ?? ''];
      if (found !== undefined) env[key] = found;
    }
    made[name] = env;
  }
  return made;
}

export const existsIn = (folder: string, name: string) => existsSync(join(folder, name));
