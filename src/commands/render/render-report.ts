import { BootlaceError } from '../../errors';
import { type GithubDeployments, githubDeployments } from '../../render/api/github';
import type { ServiceResult } from '../../render/move/progress';
import { markdownTable, type Workflow, workflowOf } from '../../ui/github-actions';
import { table } from '../../ui/text';
import type { Context } from '../command';

/**
 * Runs what fills `results`, and reports them whether it ends well or not: a table or one JSON
 * document, and in a workflow outputs, summary, annotation and GitHub deployments.
 * @param title of the workflow's summary
 * @param run gets what to call when a service's deploy begins
 */
export async function reported(
  context: Context,
  title: string,
  results: ServiceResult[],
  run: (onBegin: (result: ServiceResult) => Promise<void>) => Promise<void>,
): Promise<number> {
  const { io, report, redactor, flags } = context;
  const workflow = workflowOf(io, report);
  const github = githubDeployments(
    io,
    secret => redactor.add(secret),
    sentence => report.warn(sentence),
  );
  try {
    await run(async ({ service }) => github?.begin(service));
  } catch (error) {
    await finish();
    if (context.signal.aborted) {
      // The exit code is the signal's, and nothing else will tell what had failed by then.
      if (error instanceof BootlaceError) report.warn(`${error.code}: ${error.message}`);
      if (flags.json) report.json(interrupted(context, results));
      throw error;
    }
    if (!(error instanceof BootlaceError)) throw error;
    workflow?.error(error);
    if (results.length) error.facts.services = results;
    throw error;
  }
  await finish();
  for (const line of table(rowsOf(results))) report.line(line);
  for (const { service, proof } of results)
    for (const sentence of proof) report.line(`${service}: ${sentence}`);
  if (flags.json) report.json({ ok: true, services: results, warnings: report.warnings });
  return 0;

  async function finish(): Promise<void> {
    if (github) await endDeployments(github, results, report.clean.bind(report));
    writeWorkflow(workflow, title, results);
  }
}

const states = {
  untouched: 'error',
  planned: 'error',
  'already live': 'success',
  deployed: 'success',
  triggered: 'success',
  'rolled back': 'success',
  unproven: 'failure',
  undone: 'failure',
  failed: 'failure',
  interrupted: 'error',
} as const;

async function endDeployments(
  github: GithubDeployments,
  results: readonly ServiceResult[],
  clean: (text: string) => string,
): Promise<void> {
  for (const { service, outcome, version, reason, url } of results) {
    const text = clean([outcome, version, reason].filter(Boolean).join(', '));
    await github.end(service, states[outcome], text, url);
  }
}

/** Ctrl-C is no failure with a code of its own; how to go on is in the warnings. */
function interrupted({ signal, report }: Context, results: readonly ServiceResult[]): unknown {
  const { message } = signal.reason as Error;
  const fix = 'see the warnings; running the same command again goes on';
  const error = { code: 'INTERRUPTED', message, fix, facts: { services: results } };
  return { ok: false, error, warnings: report.warnings };
}

function rowsOf(results: readonly ServiceResult[]): string[][] {
  return results.map(({ service, version, previous, deploy, outcome }) => [
    service,
    outcome,
    version ?? '-',
    previous === undefined ? '' : `before: ${previous}`,
    deploy ?? '-',
  ]);
}

function writeWorkflow(
  workflow: Workflow | undefined,
  title: string,
  results: readonly ServiceResult[],
): void {
  const [first] = results;
  if (!workflow || !first) return;
  workflow.outputs({
    version: first.version,
    'deploy-id': first.deploy,
    url: first.url,
    'previous-version': first.previous,
    'failed-version': first.failedVersion,
    outcome: first.outcome,
    services: JSON.stringify(results),
  });
  const head = ['service', 'outcome', 'version', 'before', 'deploy', 'url', 'reason'];
  const rows = results.map(result => [
    result.service,
    result.outcome,
    result.version ?? '',
    result.previous ?? '',
    result.deploy ?? '',
    result.url ?? '',
    result.reason ?? '',
  ]);
  workflow.summary(`### ${title}\n\n${markdownTable([head, ...rows])}\n`);
}
