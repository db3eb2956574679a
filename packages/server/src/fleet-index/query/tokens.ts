/**
 * The tokens of a query string (developer guide, page query-syntax). Words end at white space, as Java's
 * `Character.isWhitespace` has it, and at the marks of the grammar; a backslash takes any character as it is.
 */
import { fail } from '@thingkeep/wire/errors.ts';
import { fold, type TextPattern, type TextPatternPart } from './query.ts';

export type QueryMark = '(' | ')' | '[' | ']' | '{' | '}' | ':' | '<' | '<=' | '>' | '>=' | '-' | ',';

export type QueryToken =
  | { readonly kind: 'mark'; readonly mark: QueryMark; readonly at: number }
  /** `raw` is what the string says, escapes and case kept; `parts` has wildcards apart. */
  | { readonly kind: 'word'; readonly raw: string; readonly text: string; readonly parts: TextPattern; readonly at: number }
  | { readonly kind: 'phrase'; readonly text: string; readonly at: number };

/** What Java's `Character.isWhitespace` takes: no spaces that forbid a line break, and four separators beside. */
const isWhite = (char: string): boolean =>
  (/^\s$/.test(char) && !'\u00a0\u2007\u202f\ufeff'.includes(char)) || (char >= '\u001c' && char <= '\u001f');
const MARKS = '()[]{}:<>,';
/** What page query-syntax says can't be searched; escaped it can. */
const UNSUPPORTED = "`@#%/';";

/** Refuses a query, in the operation's own form. */
export const refuse = (message: string): never => fail('InvalidQueryException', message);

const place = (at: number): string => `at position ${at + 1} of the query string`;

/** A reader of one query string, character by character. */
class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get rest(): boolean {
    return this.at < this.#text.length;
  }

  get next(): string {
    return this.#text[this.at] ?? '';
  }

  /** The character behind the next one. */
  get second(): string {
    return this.#text[this.at + 1] ?? '';
  }

  take(): string {
    const char = this.next;
    this.at += 1;
    return char;
  }

  /** The character that a backslash stands before. */
  escaped(): string {
    const at = this.at;
    this.take();
    if (!this.rest) refuse(`Nothing follows the backslash ${place(at)}.`);
    const point = this.#text.codePointAt(this.at) ?? 0;
    const char = String.fromCodePoint(point);
    this.at += char.length;
    return char;
  }

  refuseUnsupported(): void {
    if (UNSUPPORTED.includes(this.next))
      refuse(`The character ${this.next} ${place(this.at)} can't be searched for: escape it by a backslash.`);
  }
}

function readPhrase(reader: Reader): QueryToken {
  const at = reader.at;
  let text = '';
  reader.take();
  while (reader.rest && reader.next !== '"') text += reader.next === '\\' ? reader.escaped() : reader.take();
  if (!reader.rest) refuse(`The phrase that begins ${place(at)} has no closing quotation mark.`);
  reader.take();
  return { kind: 'phrase', text: fold(text), at };
}

/** Whether a word ends before the next character. */
const endsWord = (reader: Reader): boolean => isWhite(reader.next) || MARKS.includes(reader.next) || reader.next === '"';

function readWord(reader: Reader): QueryToken {
  const at = reader.at;
  const parts: TextPatternPart[] = [];
  let raw = '';
  let literal = '';
  const endLiteral = (): void => {
    if (literal !== '') parts.push({ literal: fold(literal) });
    literal = '';
  };
  while (reader.rest && !endsWord(reader)) {
    reader.refuseUnsupported();
    if (reader.next === '*' || reader.next === '?') {
      endLiteral();
      parts.push(reader.next === '*' ? 'any-text' : 'one-character');
      raw += reader.take();
    } else {
      const char = reader.next === '\\' ? reader.escaped() : reader.take();
      literal += char;
      raw += char;
    }
  }
  endLiteral();
  return { kind: 'word', raw, text: fold(raw), parts, at };
}

function readMark(reader: Reader): QueryToken {
  const at = reader.at;
  const first = reader.take();
  const compared = (first === '<' || first === '>') && reader.next === '=';
  const mark = compared ? `${first}${reader.take()}` : first;
  return { kind: 'mark', mark: mark as QueryMark, at };
}

/** Whether a hyphen here excludes what follows, and is no part of a word: it stands before something, behind nothing. */
const isExclusion = (reader: Reader, tokens: readonly QueryToken[]): boolean => {
  const last = tokens.at(-1);
  const afterField = last?.kind === 'mark' && last.mark !== '(' && last.mark !== ')';
  return reader.next === '-' && !afterField && reader.second !== '' && !isWhite(reader.second);
};

/** The tokens of a query string; a string that has none fails with InvalidQueryException. */
export function tokenize(text: string): readonly QueryToken[] {
  const reader = new Reader(text);
  const tokens: QueryToken[] = [];
  while (reader.rest) {
    if (isWhite(reader.next)) reader.take();
    else if (reader.next === '"') tokens.push(readPhrase(reader));
    else if (isExclusion(reader, tokens)) tokens.push(readMark(reader));
    else if (MARKS.includes(reader.next)) tokens.push(readMark(reader));
    else tokens.push(readWord(reader));
  }
  if (tokens.length === 0) refuse('The query string is empty.');
  return tokens;
}
