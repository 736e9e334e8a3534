import { nearest } from '../../ui/nearest';
import type { Spec } from './fields';
import { error, type Problem, quote, type Value, warning } from './value';

/** The kinds of values as a message names them. */
export const typeWords: Record<Spec['is'], string> = {
  text: 'text',
  whole: 'a whole number',
  boolean: 'true or false',
  scalar: 'text or a number',
  list: 'a list',
  map: 'a map of fields',
};

/** Checks a value that is neither list nor map. */
export function* checkScalar(value: Value, spec: Spec, name: string): Generator<Problem> {
  if (value.kind !== 'scalar') return yield wrongType(value, spec, name);
  const { value: content } = value;
  const is = typeof content;
  if (spec.is === 'scalar' && is === 'boolean')
    return yield warning(value, 'VALUE_BOOLEAN', {
      message: `${name} is true or false, and Render's schema wants text`,
      fix: `put it in quotes: "${content}"`,
    });
  const fits =
    spec.is === 'text'
      ? is === 'string'
      : spec.is === 'whole'
        ? Number.isInteger(content)
        : spec.is === 'boolean'
          ? is === 'boolean'
          : is === 'string' || is === 'number';
  if (!fits) return yield wrongType(value, spec, name);
  if (spec.oneOf && !spec.oneOf.includes(String(content))) yield wrongWord(value, spec, name);
  const successor = spec.renamed?.get(String(content));
  if (successor)
    yield warning(value, 'FIELD_DEPRECATED', {
      message: `${content} is the old name of ${successor}`,
      fix: `write ${name}: ${successor}`,
    });
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec;
  if (spec.is === 'whole' && (Number(content) < min || Number(content) > max))
    yield error(value, 'VALUE_INVALID', {
      message: `${name} is ${content}, out of its range`,
      fix:
        max === Number.POSITIVE_INFINITY
          ? `write ${min} or more`
          : `write a whole number from ${min} to ${max}`,
    });
}

function wrongWord(value: Value & { kind: 'scalar' }, spec: Spec, name: string): Problem {
  const { oneOf = [], lags } = spec;
  const content = String(value.value);
  const meant = nearest(content, oneOf);
  const message = `${name} ${quote(content)} is unknown`;
  if (lags)
    return warning(value, 'PLAN_UNKNOWN', {
      message,
      fix: meant
        ? `write ${name}: ${meant}`
        : 'look the name up in the pricing page of Render; the list here may be older than it',
    });
  return error(value, 'VALUE_INVALID', {
    message,
    fix: meant ? `write ${name}: ${meant}` : `write one of: ${oneOf.join(', ')}`,
  });
}

/** Says what a value is, and what it has to be. */
export function wrongType(value: Value, spec: Spec, name: string): Problem {
  const is =
    value.kind === 'scalar'
      ? value.value === null
        ? 'nothing'
        : typeof value.value === 'string'
          ? 'text'
          : typeof value.value === 'number'
            ? 'a number'
            : 'true or false'
      : typeWords[value.kind];
  const quoted =
    spec.is === 'text' && value.kind === 'scalar' && value.value !== null
      ? `put it in quotes: ${name}: "${value.source.slice(0, 40)}"`
      : `write ${typeWords[spec.is]}`;
  return error(value, 'TYPE_INVALID', {
    message: `${name} is ${is}, and must be ${typeWords[spec.is]}`,
    fix: quoted,
  });
}
