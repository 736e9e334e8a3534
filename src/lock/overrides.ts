import satisfies from 'semver/functions/satisfies';
import intersects from 'semver/ranges/intersects';
import validRange from 'semver/ranges/valid';
import { fitsRange } from '../install/fits-range';
import { isObject } from '../json';
import type { LockedManifest } from './document';

/** One key of `overrides`, and what applies below it. The root has no name. */
export interface OverrideRule {
  readonly name: string;
  /** Behind the name's `@`: which wishes it replaces. */
  readonly keySpec: string;
  /** What replaces them; `*` for a rule that only holds others. */
  readonly value: string;
  readonly children: readonly OverrideRule[];
  readonly parent: OverrideRule | undefined;
}

/** `$name` in overrides means a dependency of the project, which is not the project here. */
export function rootOverrides(manifest: LockedManifest): Record<string, unknown> | undefined {
  if (!isObject(manifest.overrides)) return undefined;
  // npm looks into them in this order.
  const specs: Record<string, unknown> = {
    ...manifest.peerDependencies,
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.devDependencies,
  };
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.startsWith('$') ? (specs[value.slice(1)] ?? value) : value;
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
  };
  return resolve(manifest.overrides) as Record<string, unknown>;
}

/** Reads `overrides` as npm does, references resolved before. Pure. */
export function readOverrides(overrides: unknown): OverrideRule {
  return ruleOf('', overrides, undefined);
}

function ruleOf(key: string, given: unknown, parent: OverrideRule | undefined): OverrideRule {
  const table = isObject(given) ? given : { '.': given };
  const [, name = key, wanted = ''] = /^(@?[^@]+)(?:@(.*))?$/s.exec(key) ?? [];
  const keySpec = wanted || '*';
  const { '.': own } = table;
  const children: OverrideRule[] = [];
  const rule = {
    name,
    keySpec,
    value: own === '' ? '*' : typeof own === 'string' ? own : keySpec,
    children,
    parent,
  };
  for (const [inner, value] of Object.entries(table))
    if (inner !== '.') children.push(ruleOf(inner, value, rule));
  return rule;
}

/** The rule for what a package asks for; the package's own rule when none speaks of it. */
export function ruleOfWish(rule: OverrideRule, name: string, spec: string): OverrideRule {
  const found = rulesIn(rule).find(each => {
    if (each.name !== name) return false;
    const range = each.keySpec === '*' ? undefined : rangeOf(spec);
    // A tag or an address says nothing of the version, so npm lets the rule apply.
    if (range === undefined || validRange(each.keySpec) === null) return true;
    return intersects(range, each.keySpec, { loose: true });
  });
  return found ?? rule;
}

/** The rule for what a package itself asks for, by the version that it has. */
export function ruleOfPackage(rule: OverrideRule, name: string, version: string): OverrideRule {
  const found = rulesIn(rule).find(
    each =>
      each.name === name && (satisfies(version, each.keySpec) || satisfies(version, each.value)),
  );
  return found ?? rule;
}

/** Innermost first: what is written below a package counts more than what is written beside it. */
function rulesIn(rule: OverrideRule): OverrideRule[] {
  const rules: OverrideRule[] = [];
  for (let at: OverrideRule | undefined = rule; at; at = at.parent) {
    rules.push(...at.children);
    if (at.parent) rules.push(at);
  }
  return rules;
}

/**
 * Whether a version is what is asked for, as npm decides it with overrides. What only a registry
 * could tell, a tag or an address, counts as fitting.
 */
export function fitsWish(
  version: string | undefined,
  name: string,
  spec: string,
  rule: OverrideRule,
): boolean {
  if (rule.name !== name) return fitsSpec(version, spec);
  const overriding = overridingSpec(rule, name) ?? spec;
  // A reference that could not be resolved is in a package.json that is not here.
  if (overriding.startsWith('$') || fitsSpec(version, overriding)) return true;
  return fitsSpec(version, spec) && !fitsSpec(version, rule.keySpec);
}

/** What a rule puts in the place of a wish; undefined for one that only holds others. */
export function overridingSpec(rule: OverrideRule, name: string): string | undefined {
  return rule.name === name && rule.value !== '*' ? rule.value : undefined;
}

/** Whether a version is what is asked for; what only a registry could tell counts as fitting. */
export function fitsSpec(version: string | undefined, spec: string): boolean {
  if (version === undefined || version === spec) return true;
  const text = rangeText(spec);
  try {
    return text === '*' || fitsRange(version, text);
  } catch {
    return true;
  }
}

/** The range that a spec asks for, of an alias too; undefined for a tag or an address. */
export function rangeOf(spec: string): string | undefined {
  const text = rangeText(spec);
  return validRange(text, { loose: true }) === null ? undefined : text;
}

function rangeText(spec: string): string {
  const alias = /^npm:(?:@[^/]+\/)?[^@/]+(?:@(.*))?$/.exec(spec.trim());
  return (alias ? (alias[1] ?? '') : spec).trim() || '*';
}
