import { posix } from 'node:path';
import type { Finding } from '../../ui/findings';
import type { Repository } from '../repository';
import { type Rule, readBlueprint } from './blueprint';
import { load } from './load';
import { commandRules } from './rules/commands';
import { dockerRules } from './rules/docker';
import { launchRules } from './rules/launched';
import { referenceRules } from './rules/references';
import { refusalRules } from './rules/refused';
import { valueRules } from './rules/values';
import { workflowRules } from './rules/workflows';
import { checkShape } from './shape';
import type { Problem } from './value';

const rules: readonly Rule[] = [
  ...refusalRules,
  ...referenceRules,
  ...launchRules,
  ...commandRules,
  ...valueRules,
  ...dockerRules,
  ...workflowRules,
];

/** A reader corrects no more findings than this at a time. */
const mostFindings = 200;

/** What a rule finds, up to a limit: looking for the name that was meant takes time. */
function firstOf(problems: Iterable<Problem>): Problem[] {
  const first: Problem[] = [];
  let errors = 0;
  for (const problem of problems) {
    first.push(problem);
    if (problem.severity === 'error') errors++;
    if (errors === mostFindings || first.length === 10 * mostFindings) break;
  }
  return first;
}

/**
 * Checks a Blueprint. Any text gives an answer; nothing is thrown for what stands in it.
 * @param text the file's text
 * @param file its name in the findings
 * @returns findings in the order of the file, at most 200; warnings give way to errors
 */
export function checkBlueprint(text: string, file: string, repository: Repository): Finding[] {
  const { root, problems } = load(text);
  const found = [...problems];
  if (root) {
    const blueprint = readBlueprint(root);
    const sources = [checkShape(root), ...rules.map(rule => rule(blueprint, repository))];
    for (const source of sources) found.push(...firstOf(source));
  }
  const order = (a: Problem, b: Problem) => a.line - b.line || a.column - b.column;
  found.sort(order);
  const errors = found.filter(({ severity }) => severity === 'error').slice(0, mostFindings);
  const warnings = found.filter(({ severity }) => severity === 'warning');
  return [...errors, ...warnings.slice(0, mostFindings - errors.length)]
    .sort(order)
    .map(problem => ({
      ...problem,
      file: problem.file ? posix.join(posix.dirname(file), problem.file) : file,
      path: problem.path || undefined,
    }));
}
