import type { Finding } from '../../ui/findings';
import { readBlueprint } from './blueprint';
import { load } from './load';
import type { Repository } from './repository';
import { commandRules } from './rules/commands';
import { dockerRules } from './rules/docker';
import { launchRules } from './rules/launched';
import { networkRules } from './rules/network';
import { referenceRules } from './rules/references';
import { refusalRules } from './rules/refused';
import type { Rule } from './rules/rule';
import { valueRules } from './rules/values';
import { checkShape } from './shape';
import type { Problem } from './value';

const rules: readonly Rule[] = [
  ...refusalRules,
  ...referenceRules,
  ...launchRules,
  ...commandRules,
  ...valueRules,
  ...networkRules,
  ...dockerRules,
];

/** More findings than this help nobody, and looking for the name that was meant takes time. */
const mostFindings = 200;

/** The first findings of a rule; the rule does not go on. */
function firstOf(problems: Iterable<Problem>): Problem[] {
  const first: Problem[] = [];
  for (const problem of problems) if (first.push(problem) === mostFindings) break;
  return first;
}

/**
 * Checks a Blueprint. Any text gives an answer; nothing is thrown for what stands in it.
 * @param text the file's text
 * @param file its name in the findings
 * @returns findings in the order of the file, at most 200
 */
export function checkBlueprint(text: string, file: string, repository: Repository): Finding[] {
  const { root, problems } = load(text);
  const found = [...problems];
  if (root) {
    const blueprint = readBlueprint(root);
    const sources = [checkShape(root), ...rules.map(rule => rule(blueprint, repository))];
    for (const source of sources) found.push(...firstOf(source));
  }
  const order = (a: Problem, b: Problem) => a.at.line - b.at.line || a.at.column - b.at.column;
  return found
    .sort(order)
    .slice(0, mostFindings)
    .map(({ severity, code, at: { line, column, path }, message, fix }) => ({
      file,
      line,
      column,
      severity,
      code,
      ...(path && { path }),
      message,
      fix,
    }));
}
