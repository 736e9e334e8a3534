import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
} from 'yaml';
import { error, type Field, MapValue, type Place, type Problem, quote, type Value } from './value';

/** The largest Blueprint in characters; Render's examples have at most 20,000. */
const largestFile = 1_000_000;
/** The composer recurses: it runs out of stack at about 20,000 levels. */
const deepest = 100;
/** A file of 1 MB that is nothing but punctuation has more, and would need 1 GB. */
const mostTokens = 200_000;
/** Values that aliases may add: ten lines of YAML can stand for billions. */
const mostAliased = 20_000;

export interface Loaded {
  /** Undefined where the text is no YAML. */
  root?: Value;
  problems: Problem[];
}

/** A fault after which nothing more can be read. */
class Unreadable extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

/** Reads YAML 1.2 with merge keys into values with positions. Any text gives an answer. */
export function load(text: string): Loaded {
  const lines = new LineCounter();
  try {
    const [document, second] = parse(text, lines);
    if (!document?.contents)
      throw new Unreadable(
        error(placeOf(0, lines), 'BLUEPRINT_EMPTY', {
          message: 'the file holds nothing',
          fix: 'write services: with a list of services, or run: npx bootlace init',
        }),
      );
    const faults = document.errors
      .slice(0, 10)
      .map(({ code, message, pos: [offset] }) =>
        error(placeOf(offset, lines), 'YAML_INVALID', { message, fix: fixOf(code) }),
      );
    if (faults.length > 0) return { problems: faults };
    const reading = new Reading(lines);
    if (second)
      reading.problems.push(
        error(placeOf(offsetOf(second.contents), lines), 'DOCUMENT_SECOND', {
          message: 'a Blueprint is one YAML document, and a second one begins here',
          fix: 'remove the line --- and what follows it',
        }),
      );
    return { root: reading.value(document.contents, ''), problems: reading.problems };
  } catch (fault) {
    if (!(fault instanceof Unreadable)) throw fault;
    return { problems: [fault.problem] };
  }
}

/** Parses and composes; depth and size are checked token by token, before anything recurses. */
function parse(text: string, lines: LineCounter): Document.Parsed[] {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  let count = text.length > largestFile ? mostTokens : 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > mostTokens)
      throw new Unreadable(
        error(placeOf(parser.offset, lines), 'FILE_TOO_LARGE', {
          message: 'the file has over 1,000,000 characters or 200,000 tokens, and no Blueprint has',
          fix: 'name the Blueprint, usually render.yaml at the top of the repository',
        }),
      );
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > deepest)
      throw new Unreadable(
        error(placeOf(parser.offset, lines), 'NESTING_TOO_DEEP', {
          message: 'values are nested more than 100 deep',
          fix: 'remove the inner levels: a Blueprint has at most ten',
        }),
      );
  }
  tokens.push(...parser.end());
  // Duplicate keys are found below: here each key would be compared with each other one.
  const composer = new Composer({ uniqueKeys: false, merge: true });
  return [...composer.compose(tokens, true, text.length)] as Document.Parsed[];
}

function fixOf(code: string): string {
  if (code === 'TAB_AS_INDENT') return 'indent with blanks';
  if (code === 'BAD_INDENT') return 'indent the fields of one map by the same number of blanks';
  if (code === 'MISSING_CHAR') return 'close the quote or the bracket, or write the blank after :';
  return 'correct the YAML; text with : or # in it, or one of *&!%@` in front, stands in quotes';
}

function offsetOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function placeOf(offset: number, lines: LineCounter, path = ''): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col, path };
}

/** Turns the library's nodes into values; aliases are expanded up to a limit. */
class Reading {
  readonly problems: Problem[] = [];
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<unknown>();
  #aliased = 0;
  #inAlias = 0;

  constructor(private readonly lines: LineCounter) {}

  value(node: unknown, path: string): Value {
    const place = placeOf(offsetOf(node), this.lines, path);
    if (this.#inAlias > 0 && ++this.#aliased > mostAliased)
      throw wrongAlias(place, 'the aliases stand for more than 20,000 values');
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      const name = node.source.slice(0, 40);
      if (!target) throw wrongAlias(place, `nothing above has the anchor &${name}`);
      if (this.#open.has(target)) throw wrongAlias(place, `*${name} stands inside its own anchor`);
      this.#inAlias++;
      const value = this.value(target, path);
      this.#inAlias--;
      return value.kind === 'map'
        ? new MapValue(place.line, place.column, path, value.fields)
        : { ...value, ...place };
    }
    const { anchor } = (node ?? {}) as { anchor?: string };
    if (anchor) this.#anchors.set(anchor, node as Node);
    this.#open.add(node);
    try {
      if (isMap(node))
        return new MapValue(place.line, place.column, path, this.#fields(node.items, path));
      if (isSeq(node)) {
        const items = node.items.map((item, i) => this.value(item, `${path}[${i}]`));
        return { kind: 'list', ...place, items };
      }
    } finally {
      this.#open.delete(node);
    }
    const { value = null, source = '', type = 'PLAIN' } = isScalar(node) ? node : {};
    const isPlainValue = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    return {
      kind: 'scalar',
      ...place,
      value: isPlainValue ? (value as string) : source,
      source,
      isPlain: type === 'PLAIN',
    };
  }

  #fields(pairs: readonly Pair[], path: string): ReadonlyMap<string, Field> {
    const fields = new Map<string, Field>();
    const merged: Field[] = [];
    for (const { key: node, value } of pairs) {
      const key = isScalar(node) ? (node.source ?? String(node.value)) : undefined;
      const inner = key === undefined ? path : joinPath(path, key);
      const place = placeOf(offsetOf(node), this.lines, inner);
      if (key === undefined) {
        const texts = { message: 'this key is no text', fix: 'write a name' };
        this.problems.push(error(place, 'KEY_INVALID', texts));
        continue;
      }
      const field = { ...place, key, value: this.value(value, inner) };
      // A value that is not there stands where its key does.
      if (value === null || (isScalar(value) && value.value === null))
        Object.assign(field.value, { line: place.line, column: place.column });
      const first = fields.get(key);
      if (key === '<<' && isScalar(node) && node.type === 'PLAIN')
        merged.push(...mergedFields(field.value, path));
      else if (first)
        this.problems.push(
          error(place, 'KEY_TWICE', {
            message: `${quote(key)} stands here a second time, after line ${first.line}`,
            fix: 'keep one of the two',
          }),
        );
      else fields.set(key, field);
    }
    for (const field of merged) if (!fields.has(field.key)) fields.set(field.key, field);
    return fields;
  }
}

function wrongAlias(place: Place, message: string): Unreadable {
  return new Unreadable(
    error(place, 'ALIAS_INVALID', { message, fix: 'write the value in place of the alias' }),
  );
}

/** What `<<: *base` or `<<: [*a, *b]` brings; of two the first counts. */
function mergedFields(value: Value, path: string): Field[] {
  if (value.kind === 'list') return value.items.flatMap(item => mergedFields(item, path));
  if (value.kind !== 'map') return [];
  return [...value.fields.values()].map(field => ({ ...field, path: joinPath(path, field.key) }));
}

function joinPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${quote(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
