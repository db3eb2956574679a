/**
 * Reads the JSON of a policy document strictly: a duplicate key is an error and so is nesting past a small depth.
 * JSON.parse keeps the last of two equal keys, so what a reviewer reads first is not what would be enforced.
 */
import { fail } from '../errors.ts';

export type PolicyJson = string | number | boolean | null | readonly PolicyJson[] | PolicyJsonObject;
/** A Map, so that a key such as `__proto__` is a key like any other. */
export type PolicyJsonObject = ReadonlyMap<string, PolicyJson>;

/** A whole document needs seven levels, from the document to the list of values of a condition key. */
const DEEPEST = 12;
const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
/** Up to the closing quote; RFC 8259 section 7: no control characters inside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the grammar excludes
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y;

/** Kinds of faults that services have words of their own for. */
export type PolicyFault =
  | 'syntax'
  | 'misplaced-principal'
  | 'misplaced-resource'
  | 'misplaced-not-resource'
  | 'no-actions'
  | 'no-resources'
  | 'action-without-vendor'
  | 'action-with-colons'
  | 'action-vendor-wildcard'
  | 'no-arn'
  | 'unreadable';

/** Refuses a document as AWS IoT words it: "Policy document is Malformed: ...". `subject` is the text that is at fault. */
export const malformed = (what: string, kind: PolicyFault = 'syntax', subject = ''): never =>
  fail('MalformedPolicyException', `Policy document is Malformed: ${what}`, { what, kind, subject: subject.slice(0, 128) });

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PolicyJson {
    const value = this.#value(0);
    this.#blank();
    if (this.#at < this.#text.length) this.#refuse('there is something behind the end of the document');
    return value;
  }

  #refuse(what: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split('\n').length;
    const column = this.#at - before.lastIndexOf('\n');
    return malformed(`${what} at line ${line}, column ${column}`);
  }

  #take(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #blank(): void {
    this.#take(BLANK);
  }

  #accept(character: string): boolean {
    this.#blank();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #value(depth: number): PolicyJson {
    if (depth > DEEPEST) this.#refuse('nested too deeply');
    this.#blank();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#list(depth);
    if (first === '"') return this.#string();
    const word = this.#take(WORD);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    const number = this.#take(NUMBER);
    if (number !== undefined) return Number(number);
    return this.#refuse('not valid JSON');
  }

  #string(): string {
    const raw = this.#take(STRING);
    if (raw === undefined) return this.#refuse('a string that does not end');
    let text: string;
    try {
      text = JSON.parse(raw);
    } catch {
      return this.#refuse('a string with an escape that JSON does not know');
    }
    if (!text.isWellFormed()) this.#refuse('a string with half a surrogate pair');
    return text;
  }

  #list(depth: number): readonly PolicyJson[] {
    this.#at += 1;
    const items: PolicyJson[] = [];
    if (this.#accept(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#accept(','));
    if (!this.#accept(']')) this.#refuse('a list that is not closed');
    return items;
  }

  #object(depth: number): PolicyJsonObject {
    this.#at += 1;
    const members = new Map<string, PolicyJson>();
    if (this.#accept('}')) return members;
    do {
      this.#blank();
      if (this.#text[this.#at] !== '"') this.#refuse('a name in quotes is missing');
      const name = this.#string();
      if (members.has(name)) this.#refuse(`"${name.slice(0, 64)}" stands twice in one object`);
      if (!this.#accept(':')) this.#refuse('a colon is missing');
      members.set(name, this.#value(depth + 1));
    } while (this.#accept(','));
    if (!this.#accept('}')) this.#refuse('an object that is not closed');
    return members;
  }
}

export const parsePolicyJson = (text: string): PolicyJson => new JsonReader(text).document();
