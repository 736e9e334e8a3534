import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run';

type Schema = Record<string, unknown>;

/** One request of the fake API and what it answered. */
export interface Exchange {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  status: number;
  answer: unknown;
}

export const documentPath = join(root, '..', 'shared', 'render', 'openapi.json');

/** Checks exchanges against an OpenAPI document and keeps what is wrong with them. */
export class Contract {
  readonly problems: string[] = [];
  readonly operations = new Set<string>();
  readonly #document: Schema;

  constructor(document: Schema) {
    this.#document = document;
  }

  /** Render's own document, where the folder beside the repository has it. */
  static load(): Contract | undefined {
    if (!existsSync(documentPath)) return undefined;
    return new Contract(JSON.parse(readFileSync(documentPath, 'utf8')));
  }

  check({ method, path, query, body, status, answer }: Exchange): void {
    const line = `${method} ${path}`;
    const found = this.#operation(method, path);
    if (!found) return void this.problems.push(`${line}: not in the document`);
    const { operation, template, parameters } = found;
    this.operations.add(`${method} ${template}`);
    const known = parameters.filter(parameter => parameter.in === 'query');
    for (const name of new Set(query.keys())) {
      const parameter = known.find(item => item.name === name);
      if (!parameter) this.problems.push(`${line}: unknown query ${name}`);
      else this.#checkQuery(line, parameter, query.getAll(name));
    }
    for (const { name, required } of known)
      if (required && !query.has(String(name)))
        this.problems.push(`${line}: query ${name} missing`);
    const wanted = this.#json(operation.requestBody);
    if (wanted) {
      this.#add(`${line} body`, this.#faults(wanted, body));
      const properties = this.#resolve(wanted).properties as Schema | undefined;
      for (const key of properties && body ? Object.keys(body) : [])
        if (!Object.hasOwn(properties as Schema, key))
          this.problems.push(`${line}: unknown ${key} in body`);
    } else if (body !== undefined) this.problems.push(`${line}: takes no body`);
    const responses = operation.responses as Record<string, unknown>;
    const response = responses[String(status)];
    if (!response) return void this.problems.push(`${line}: no ${status} in the document`);
    const shape = this.#json(response);
    if (shape) this.#add(`${line} ${status}`, this.#faults(shape, answer));
    else if (answer !== undefined) this.problems.push(`${line} ${status}: an answer with a body`);
  }

  #add(line: string, faults: readonly string[]): void {
    for (const fault of faults) this.problems.push(`${line}: ${fault}`);
  }

  #checkQuery(line: string, parameter: Schema, values: readonly string[]): void {
    const schema = this.#resolve(parameter.schema as Schema);
    const isList = schema.type === 'array';
    const items =
      isList && parameter.explode === false ? values.flatMap(v => v.split(',')) : values;
    if (!isList && items.length > 1)
      this.problems.push(`${line}: query ${parameter.name} repeated`);
    for (const item of items) {
      const one = isList ? this.#resolve(schema.items as Schema) : schema;
      const value =
        one.type === 'integer' ? Number(item) : one.type === 'boolean' ? item === 'true' : item;
      this.#add(`${line} query ${parameter.name}`, this.#faults(one, value));
    }
  }

  #operation(method: string, path: string) {
    const paths = this.#document.paths as Record<string, Schema>;
    for (const [template, item] of Object.entries(paths)) {
      const pattern = new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`);
      const operation = item[method.toLowerCase()] as Schema | undefined;
      if (!operation || !pattern.test(path)) continue;
      const parameters = [item.parameters, operation.parameters]
        .flatMap(list => (list as Schema[] | undefined) ?? [])
        .map(parameter => this.#resolve(parameter));
      return { operation, template, parameters };
    }
    return undefined;
  }

  /** The JSON schema of a request's or a response's body. */
  #json(body: unknown): Schema | undefined {
    const content = body ? this.#resolve(body as Schema).content : undefined;
    return (content as Record<string, Schema> | undefined)?.['application/json']?.schema as
      | Schema
      | undefined;
  }

  #resolve(schema: Schema): Schema {
    let at: unknown = schema;
    while (typeof (at as Schema).$ref === 'string') {
      const steps = ((at as Schema).$ref as string).slice(2).split('/');
      at = steps.reduce<unknown>(
        (node, step) =>
          (node as Schema)[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')],
        this.#document,
      );
    }
    return at as Schema;
  }

  /** What keeps a value from its schema; empty when nothing does. */
  #faults(given: Schema, value: unknown, at = ''): string[] {
    const schema = this.#resolve(given);
    if (value === null && schema.nullable) return [];
    const either = (schema.oneOf ?? schema.anyOf) as Schema[] | undefined;
    if (either) {
      // Several of the document's oneOf shapes overlap, so one that fits is enough.
      const tries = either.map(option => this.#faults(option, value, at));
      if (tries.every(faults => faults.length))
        return [`${at || '.'} fits none of ${either.length} shapes (${tries[0]?.[0]})`];
    }
    const all = ((schema.allOf as Schema[] | undefined) ?? []).flatMap(part =>
      this.#faults(part, value, at),
    );
    return [...all, ...this.#typeFaults(schema, value, at)];
  }

  #typeFaults(schema: Schema, value: unknown, at: string): string[] {
    const here = at || '.';
    if (Array.isArray(schema.enum) && !schema.enum.includes(value))
      return [`${here} is ${JSON.stringify(value)}, none of ${schema.enum.join(', ')}`];
    const pattern = schema.pattern as string | undefined;
    switch (schema.type) {
      case 'string':
        if (typeof value !== 'string') return [`${here} is no string`];
        if (schema.format === 'date-time' && Number.isNaN(Date.parse(value)))
          return [`${here} is no date-time`];
        return pattern && !new RegExp(pattern).test(value)
          ? [`${here} does not match ${pattern}`]
          : [];
      case 'integer':
      case 'number': {
        const isOut =
          (value as number) < Number(schema.minimum) || (value as number) > Number(schema.maximum);
        return typeof value !== 'number' || Number.isNaN(value) || isOut
          ? [`${here} is no such number`]
          : [];
      }
      case 'boolean':
        return typeof value === 'boolean' ? [] : [`${here} is no boolean`];
      case 'array':
        if (!Array.isArray(value)) return [`${here} is no list`];
        return value.flatMap((item, i) => this.#faults(schema.items as Schema, item, `${at}/${i}`));
      case 'object': {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
          return [`${here} is no object`];
        const object = value as Schema;
        const missing = ((schema.required as string[] | undefined) ?? [])
          .filter(key => object[key] === undefined)
          .map(key => `${here} lacks ${key}`);
        const properties = Object.entries(
          (schema.properties as Record<string, Schema> | undefined) ?? {},
        );
        return [
          ...missing,
          ...properties.flatMap(([key, part]) =>
            object[key] === undefined ? [] : this.#faults(part, object[key], `${at}/${key}`),
          ),
        ];
      }
    }
    return [];
  }
}
