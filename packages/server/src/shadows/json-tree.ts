/**
 * JSON of a shadow's state, kept as it was written: members in their order, numbers with their digits, and the time at
 * which each value was set. AWS gives numbers back as they came, so a value is its text and never a number of JavaScript.
 *
 * - A text is JSON by RFC 8259, in UTF-8 without errors. Of a member given twice the last value counts, in the place of the
 *   first (as AWS's Jackson reads it).
 * - Escapes in strings are resolved; a lone surrogate stays the escape that it was.
 */

/** A string, number, boolean or null. */
export class Leaf {
  /** Its JSON text. */
  readonly text: string;
  /** Seconds since the epoch when it was set. */
  readonly time: number;

  constructor(text: string, time: number) {
    this.text = text;
    this.time = time;
  }
}

export type JsonMembers = ReadonlyMap<string, JsonTree>;
export type JsonTree = Leaf | readonly JsonTree[] | JsonMembers;

/** Why a text is not read. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly reason: 'not JSON' | 'nested too deep' | 'too many values';

  constructor(reason: JsonFault['reason'] = 'not JSON') {
    super(reason);
    this.reason = reason;
  }
}

/** What a text may have at most. */
export interface JsonBounds {
  /** Arrays and objects in each other. */
  readonly depth: number;
  /** Values of any kind, at every level; any number when absent. */
  readonly values?: number;
}

export const isJsonObject = (tree: JsonTree | undefined): tree is JsonMembers => tree instanceof Map;
export const isList = (tree: JsonTree | undefined): tree is readonly JsonTree[] => Array.isArray(tree);
export const isNull = (tree: JsonTree | undefined): boolean => tree instanceof Leaf && tree.text === 'null';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function withoutNeedlessEscapes(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw new JsonFault();
  }
}

/** Gives the time of each leaf, in the order of the text. */
export type LeafTimes = () => number;

class TreeReader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #times: LeafTimes;
  #at = 0;
  /** Values that may still come. */
  #left: number;

  constructor(text: string, { depth, values = Number.POSITIVE_INFINITY }: JsonBounds, times: LeafTimes) {
    this.#text = text;
    this.#maxDepth = depth;
    this.#left = values;
    this.#times = times;
  }

  read(): JsonTree {
    const tree = this.#value(0);
    if (this.#at !== this.#text.length) throw new JsonFault();
    return tree;
  }

  #skipSpace(): void {
    for (;;) {
      const char = this.#text.charCodeAt(this.#at);
      if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return;
      this.#at += 1;
    }
  }

  #value(depth: number): JsonTree {
    if (this.#left === 0) throw new JsonFault('too many values');
    this.#left -= 1;
    this.#skipSpace();
    const tree = this.#bareValue(depth);
    this.#skipSpace();
    return tree;
  }

  #bareValue(depth: number): JsonTree {
    const char = this.#text.charCodeAt(this.#at);
    if (char === 0x7b || char === 0x5b) {
      if (depth >= this.#maxDepth) throw new JsonFault('nested too deep');
      this.#at += 1;
      return char === 0x7b ? this.#members(depth + 1) : this.#list(depth + 1);
    }
    if (char === 0x22) return new Leaf(this.#string(), this.#times());
    if (char === 0x74) return this.#word('true');
    if (char === 0x66) return this.#word('false');
    if (char === 0x6e) return this.#word('null');
    return new Leaf(this.#match(NUMBER), this.#times());
  }

  #word(word: string): Leaf {
    if (!this.#text.startsWith(word, this.#at)) throw new JsonFault();
    this.#at += word.length;
    return new Leaf(word, this.#times());
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw new JsonFault();
    this.#at = pattern.lastIndex;
    return found[0];
  }

  /** The text of a string, in the one form that it is kept in. */
  #string(): string {
    const begin = this.#at;
    let hasEscapes = false;
    for (let at = begin + 1; ; at += 1) {
      const char = this.#text.charCodeAt(at);
      if (char === 0x22) {
        this.#at = at + 1;
        const text = this.#text.slice(begin, at + 1);
        return hasEscapes ? withoutNeedlessEscapes(text) : text;
      }
      // The end of the text is NaN.
      if (!(char >= 0x20)) throw new JsonFault();
      if (char === 0x5c) {
        hasEscapes = true;
        at += 1;
      }
    }
  }

  #list(depth: number): JsonTree[] {
    const items: JsonTree[] = [];
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) === 0x5d) {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(this.#value(depth));
      const char = this.#text.charCodeAt(this.#at++);
      if (char === 0x5d) return items;
      if (char !== 0x2c) throw new JsonFault();
    }
  }

  #members(depth: number): JsonMembers {
    const members = new Map<string, JsonTree>();
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) === 0x7d) {
      this.#at += 1;
      return members;
    }
    for (;;) {
      this.#skipSpace();
      if (this.#text.charCodeAt(this.#at) !== 0x22) throw new JsonFault();
      const name = this.#string();
      this.#skipSpace();
      if (this.#text.charCodeAt(this.#at++) !== 0x3a) throw new JsonFault();
      members.set(name.includes('\\') ? JSON.parse(name) : name.slice(1, -1), this.#value(depth));
      const char = this.#text.charCodeAt(this.#at++);
      if (char === 0x7d) return members;
      if (char !== 0x2c) throw new JsonFault();
    }
  }
}

/** Reads a JSON text within bounds; a {@link JsonFault} otherwise. */
export const readTree = (text: string, bounds: JsonBounds, times: LeafTimes): JsonTree =>
  new TreeReader(text, bounds, times).read();

/** Reads a JSON text whose values are all set at one time. */
export const readTreeAt = (text: string, bounds: JsonBounds, time: number): JsonTree => readTree(text, bounds, () => time);

const writeWith = (tree: JsonTree, leaf: (leaf: Leaf) => string): string => {
  if (tree instanceof Leaf) return leaf(tree);
  let text = '';
  if (isJsonObject(tree)) {
    for (const [name, value] of tree) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${writeWith(value, leaf)}`;
    return `{${text}}`;
  }
  for (const item of tree) text += `${text === '' ? '' : ','}${writeWith(item, leaf)}`;
  return `[${text}]`;
};

const textOf = (leaf: Leaf): string => leaf.text;
const timeOf = (leaf: Leaf): string => `{"timestamp":${leaf.time}}`;

/** The JSON text of a tree, without white space. */
export const writeTree = (tree: JsonTree): string => writeWith(tree, textOf);

/** The metadata of a tree: of the same shape, with `{"timestamp":SECONDS}` in the place of each value. */
export const writeMetadata = (tree: JsonTree): string => writeWith(tree, timeOf);

/** The times of all leaves, in the order of the text. */
export function* timesOf(tree: JsonTree): Generator<number> {
  if (tree instanceof Leaf) yield tree.time;
  else for (const each of tree.values()) yield* timesOf(each);
}

interface Decimal {
  readonly sign: string;
  /** Without zeros at either end; empty for zero. */
  readonly digits: string;
  /** Power of ten of the last digit. */
  readonly exponent: number;
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Without the zeros at its end. A pattern would look at each run of zeros once for each zero of it. */
function withoutLastZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return digits.slice(0, end);
}

function decimalOf(text: string): Decimal | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === '') return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = withoutLastZeros(digits);
  if (trimmed === '') return { sign: '', digits: '', exponent: 0 };
  return { sign, digits: trimmed, exponent: Number(exponent) - fraction.length + digits.length - trimmed.length };
}

function sameLeaf(one: Leaf, other: Leaf): boolean {
  if (one.text === other.text) return true;
  // 1 and 1.0 are one number (the shadow manager of Greengrass compares so), whatever their digits.
  const [a, b] = [decimalOf(one.text), decimalOf(other.text)];
  return a !== undefined && b !== undefined && a.sign === b.sign && a.digits === b.digits && a.exponent === b.exponent;
}

/** Whether two trees are the same JSON value: the order of members does not count. */
export function sameTree(one: JsonTree, other: JsonTree): boolean {
  if (one instanceof Leaf) return other instanceof Leaf && sameLeaf(one, other);
  if (isJsonObject(one)) {
    if (!isJsonObject(other) || one.size !== other.size) return false;
    for (const [name, value] of one) {
      const found = other.get(name);
      if (found === undefined || !sameTree(value, found)) return false;
    }
    return true;
  }
  return isList(other) && one.length === other.length && one.every((item, i) => sameTree(item, other[i] as JsonTree));
}
