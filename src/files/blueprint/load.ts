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
  Parser,
} from 'yaml';
import { error, type Field, type Problem, quote, type Value } from './value';

/** The largest Blueprint in characters; Render's examples have at most 20,000. */
export const largestFile = 1_000_000;
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

const top = { line: 1, column: 1, path: '' };

/** Reads YAML 1.2 with merge keys into values with positions. Any text gives an answer. */
export function load(text: string): Loaded {
  if (text.length > largestFile) return { problems: [tooLarge] };
  const lines = new LineCounter();
  const parsed = parse(text, lines);
  if (!Array.isArray(parsed)) return { problems: [parsed] };
  const [document, second] = parsed;
  if (!document?.contents) return { problems: [emptyFile] };
  const faults = document.errors.slice(0, 10).map(({ code, message, pos: [offset] }) => {
    const { line, col } = lines.linePos(offset);
    return error({ line, column: col, path: '' }, 'YAML_INVALID', { message, fix: fixOf(code) });
  });
  if (faults.length > 0) return { problems: faults };
  const problems: Problem[] = [];
  if (second)
    problems.push(
      error(placeOf(second.contents, lines, ''), 'DOCUMENT_SECOND', {
        message: 'a Blueprint is one YAML document, and a second one begins here',
        fix: 'remove the line --- and what follows it',
      }),
    );
  try {
    return { root: new Reading(lines, problems).value(document.contents, ''), problems };
  } catch (fault) {
    if (!(fault instanceof AliasFault)) throw fault;
    return { problems: [fault.problem] };
  }
}

/** What a file over the limit is answered with, read or not. */
export const tooLarge = error(top, 'FILE_TOO_LARGE', {
  message: 'the file is larger than 1 MB, and no Blueprint is',
  fix: 'name the Blueprint, usually render.yaml at the top of the repository',
});

const emptyFile = error(top, 'BLUEPRINT_EMPTY', {
  message: 'the file holds nothing',
  fix: 'write services: with a list of services, or run: npx bootlace init',
});

/** Parses and composes; depth and size are checked token by token, before anything recurses. */
function parse(text: string, lines: LineCounter): Document.Parsed[] | Problem {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    count++;
    if (count <= mostTokens && parser.stack.length <= deepest) continue;
    const { line, col } = lines.linePos(parser.offset);
    const at = { line, column: col, path: '' };
    return count > mostTokens
      ? error(at, 'FILE_TOO_LARGE', {
          message: 'the file has over 200,000 tokens',
          fix: tooLarge.fix,
        })
      : error(at, 'NESTING_TOO_DEEP', {
          message: 'values are nested more than 100 deep',
          fix: 'remove the inner levels: a Blueprint has at most ten',
        });
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

function placeOf(node: unknown, lines: LineCounter, path: string) {
  const offset = (node as Node | null)?.range?.[0] ?? 0;
  const { line, col } = lines.linePos(offset);
  return { line, column: col, path };
}

class AliasFault extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

/** Turns the library's nodes into values; aliases are expanded up to a limit. */
class Reading {
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliased = 0;
  #inAlias = 0;

  constructor(
    private readonly lines: LineCounter,
    private readonly problems: Problem[],
  ) {}

  value(node: unknown, path: string): Value {
    const place = placeOf(node, this.lines, path);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      const wrong = !target
        ? ['ALIAS_UNKNOWN', `nothing above has the anchor &${node.source.slice(0, 40)}`]
        : this.#open.has(target)
          ? ['ALIAS_CYCLE', `*${node.source.slice(0, 40)} stands inside its own anchor`]
          : undefined;
      if (wrong?.[0] && wrong[1])
        throw new AliasFault(
          error(place, wrong[0], { message: wrong[1], fix: 'write the value instead' }),
        );
      this.#inAlias++;
      const value = this.value(target, path);
      this.#inAlias--;
      return { ...value, ...place };
    }
    if (this.#inAlias > 0 && ++this.#aliased > mostAliased)
      throw new AliasFault(
        error(place, 'ALIASES_TOO_MANY', {
          message: 'the aliases stand for more than 20,000 values',
          fix: 'write the values instead',
        }),
      );
    const { anchor } = (node ?? {}) as { anchor?: string };
    if (anchor) this.#anchors.set(anchor, node as Node);
    if (isMap(node) || isSeq(node)) {
      this.#open.add(node);
      const value: Value = isMap(node)
        ? { kind: 'map', ...place, fields: this.#fields(node.items, path) }
        : {
            kind: 'list',
            ...place,
            items: node.items.map((item, i) => this.value(item, `${path}[${i}]`)),
          };
      this.#open.delete(node);
      return value;
    }
    const value = isScalar(node) ? node.value : null;
    const source = isScalar(node) ? (node.source ?? '') : '';
    return {
      kind: 'scalar',
      ...place,
      value: isPlainValue(value) ? value : source,
      source,
      isPlain: !isScalar(node) || node.type === 'PLAIN',
    };
  }

  #fields(
    pairs: readonly { key: unknown; value: unknown }[],
    path: string,
  ): ReadonlyMap<string, Field> {
    const fields = new Map<string, Field>();
    const merged: Field[] = [];
    for (const pair of pairs) {
      const { key: node, value } = pair;
      const key = isScalar(node) ? (node.source ?? String(node.value)) : undefined;
      const inner = key === undefined ? path : joinPath(path, key);
      const place = placeOf(node, this.lines, inner);
      if (key === undefined) {
        this.problems.push(
          error(place, 'KEY_INVALID', { message: 'this key is no text', fix: 'write a name' }),
        );
        continue;
      }
      const field = { ...place, key, value: this.value(value, inner) };
      if (value === null || (isScalar(value) && value.value === null))
        Object.assign(field.value, { line: place.line, column: place.column });
      if (key === '<<' && isScalar(node) && node.type === 'PLAIN') {
        merged.push(...mergedFields(field.value, path));
        continue;
      }
      const first = fields.get(key);
      if (first)
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

function isPlainValue(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
