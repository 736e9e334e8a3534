import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020';
import { parse, stringify } from 'yaml';
import type { Finding } from '../../../src/ui/findings';
import { type Mutation, mutations, parentOf, random } from './mutate';
import { check, realBlueprints, schemaFile } from './support';

const files = realBlueprints();
const skip = typeof files === 'string' && files;

/** Findings that the schema has, too; `env` is one of its faults although Render takes it. */
function isSchemas({ code, path = '' }: Finding): boolean {
  return (
    /^(FIELD_(UNKNOWN|MISSING|EMPTY)|VALUE_(INVALID|BOOLEAN)|TYPE_INVALID|BLUEPRINT_EMPTY)$/.test(
      code,
    ) ||
    (code === 'FIELD_DEPRECATED' && /services\[\d+\]\.env$/.test(path))
  );
}

/** What follows `start` in a path; '' where it does not begin so. */
function after(path: string, start: string): string {
  return path.startsWith(start) ? path.slice(start.length) : '';
}

/** Render's schema, its lists of plans and of types opened, since it lags behind Render. */
function openedSchema() {
  const schema = JSON.parse(readFileSync(schemaFile, 'utf8'));
  for (const [name, definition] of Object.entries<Record<string, unknown>>(schema.definitions))
    if (name.endsWith('Plan')) delete definition.enum;
  schema.definitions.resources.properties.services.items.anyOf.push({
    type: 'object',
    properties: {
      type: {
        type: 'string',
        not: { enum: ['web', 'worker', 'pserv', 'cron', 'keyvalue', 'redis'] },
      },
    },
    required: ['type'],
  });
  return new Ajv({ strict: false, validateFormats: false }).compile(schema);
}

test('public Blueprints: the checker and the schema agree', { skip }, () => {
  const isValid = openedSchema();
  for (const { name, text } of files as Exclude<typeof files, string>)
    assert.equal(!check(text).some(isSchemas), isValid(parse(text)), name);
});

test('2,000 mutations: they agree, and the first message names the place', { skip }, t => {
  const isValid = openedSchema();
  const next = random(20260923);
  const wrong: string[] = [];
  const far: string[] = [];
  let invalid = 0;
  const texts = (files as Exclude<typeof files, string>).map(({ name, text }) => ({
    name,
    document: parse(text),
  }));
  const known = new Map(
    texts.map(({ name, document }) => [
      name,
      new Set(check(stringify(document)).map(({ code, path }) => `${code} ${path}`)),
    ]),
  );
  for (let i = 0; i < 2_000; i++) {
    const { name, document } = texts[Math.floor(next() * texts.length)] as (typeof texts)[number];
    const copy = structuredClone(document);
    const mutation = (mutations[i % mutations.length] as Mutation)(copy, next);
    if (!mutation) continue;
    const findings = check(stringify(copy));
    const ours = !findings.some(isSchemas);
    const label = `${i} ${name}: ${mutation.what} at ${mutation.paths.join(' or ')}`;
    if (ours !== isValid(copy)) wrong.push(`${label}: we say ${ours ? 'valid' : 'invalid'}`);
    const [first] = findings.filter(
      finding => isSchemas(finding) && !known.get(name)?.has(`${finding.code} ${finding.path}`),
    );
    if (!first) continue;
    invalid++;
    const { path = '' } = first;
    const isNear = mutation.paths.some(
      each => each === path || parentOf(each) === path || /^[.[]/.test(after(path, each)),
    );
    if (!isNear) far.push(`${label}: ${first.code} at ${path}`);
  }
  t.diagnostic(`${invalid} invalid, ${far.length} named elsewhere`);
  assert.deepEqual(wrong, []);
  assert(invalid > 900, `only ${invalid} mutations broke anything`);
  assert(far.length < invalid * 0.05, far.slice(0, 20).join('\n'));
});
