/** Words of the SQL, read one at a time, and the error that says where reading ended. */
import { fail } from '@thingkeep/wire/errors.ts';

export type TokenKind = 'word' | 'variable' | 'number' | 'text' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; a text's content, a variable's name without `@`. */
  readonly text: string;
  readonly at: number;
  /** Where the next token may begin. */
  readonly behind: number;
}

const SPACE = /[ \t\r\n\f\v\u00a0]*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const VARIABLE = /@[A-Za-z0-9_]+/y;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SYMBOL = /<>|!=|<=|>=|[-+*/%=<>(),.{}[\]:]/y;
/** A topic filter without quotes, as some of AWS's own examples have it. */
const BARE_FILTER = /[^\s'"`;]+/y;
/** Characters of the input that a message shows. */
const SHOWN = 40;

function find(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

export class Lexer {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** Fails with SqlParseException, saying the line and the column, both counted from 1. */
  fault(at: number, found: string, expected: string): never {
    const before = this.source.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    return fail(
      'SqlParseException',
      `The SQL is malformed at line ${line}, column ${column}: found ${found}, expected ${expected}`,
    );
  }

  unexpected(token: Token, expected: string): never {
    return this.fault(token.at, this.#shown(token), expected);
  }

  #shown(token: Token): string {
    if (token.kind === 'end') return 'the end';
    const text = this.source.slice(token.at, Math.min(token.behind, token.at + SHOWN));
    return `${text}${token.behind > token.at + SHOWN ? '...' : ''}`;
  }

  skipSpace(from: number): number {
    return from + (find(SPACE, this.source, from)?.length ?? 0);
  }

  next(from: number): Token {
    const at = this.skipSpace(from);
    const { source } = this;
    if (at >= source.length) return { kind: 'end', text: '', at, behind: at };
    const first = source[at];
    if (first === "'" || first === '"') return this.#quoted(at, first);
    const token = (kind: TokenKind, text: string | undefined): Token | undefined =>
      text === undefined ? undefined : { kind, text: kind === 'variable' ? text.slice(1) : text, at, behind: at + text.length };
    return (
      token('word', find(WORD, source, at)) ??
      token('number', find(NUMBER, source, at)) ??
      token('variable', find(VARIABLE, source, at)) ??
      token('symbol', find(SYMBOL, source, at)) ??
      this.fault(at, String.fromCodePoint(source.codePointAt(at) ?? 0), 'a name, a number, a text in quotes or an operator')
    );
  }

  /** Two quotes, or one behind a backslash, are one; any other backslash stands for itself, as regular expressions want it. */
  #quoted(at: number, quote: string): Token {
    const { source } = this;
    let text = '';
    let from = at + 1;
    for (let end = from; ; end += 1) {
      const next = nextOf(source, quote, end);
      if (next < 0) return this.fault(at, 'a text without an end', `a closing ${quote}`);
      if (source[next] === '\\') {
        if (source[next + 1] === quote) {
          text += source.slice(from, next);
          from = next + 1;
          end = next + 1;
        } else end = next;
      } else if (source[next + 1] === quote) {
        text += source.slice(from, next + 1);
        from = next + 2;
        end = next + 1;
      } else return { kind: 'text', text: text + source.slice(from, next), at, behind: next + 1 };
    }
  }

  /** A filter without quotes: all up to the next space. */
  bareFilter(at: number): Token | undefined {
    const text = find(BARE_FILTER, this.source, at);
    return text === undefined ? undefined : { kind: 'text', text, at, behind: at + text.length };
  }
}

function nextOf(source: string, quote: string, from: number): number {
  for (let at = from; at < source.length; at += 1) if (source[at] === quote || source[at] === '\\') return at;
  return -1;
}
