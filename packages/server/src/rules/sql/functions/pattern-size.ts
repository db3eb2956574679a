/**
 * The size of a regular expression, told from its text before anything is compiled: never less than the states of RE2's
 * program, since a few characters can ask for thousands of them. The syntax is RE2's (github.com/google/re2/wiki/Syntax).
 */

/** What of a pattern stands before one place of it. */
interface SizeLevel {
  states: number;
  /** States of what a repetition at this place would repeat. */
  last: number;
}

/** Tables of Unicode are read for each class, and for each letter of a range when the case does not count. */
const TABLE = 150;
const TABLE_STATES = 5;
const LETTERS_OF_ONE = 25;
const MAX_LETTERS = 125_000;
const FIXED = 8;

const QUOTED = /\\Q([\s\S]*?)(?:\\E|$)/y;
const TABLE_CLASS = /\\[pP](?:\{[^}]*\}|[^{])/uy;
const NAMED_CLASS = /\[:\^?[a-z]+:\]/y;
const ESCAPE = /\\(?:x\{([0-9A-Fa-f]*)\}|[\s\S])/uy;
const REPEAT = /\{(\d{1,8})(?:(,)(\d{1,8})?)?\}/y;
const FLAGS = /\(\?[imsU-]*(:|\))/y;
const NAMED_GROUP = /\(\?P?<[^>]*>/y;
const IGNORES_CASE = /\(\?[imsU-]*i/;

class PatternReader {
  readonly #text: string;
  readonly #ignoresCase: boolean;
  #at = 0;
  #levels: SizeLevel[] = [{ states: FIXED, last: 0 }];
  /** What is paid once, however often it is repeated. */
  #tables = 0;

  constructor(text: string) {
    this.#text = text;
    this.#ignoresCase = IGNORES_CASE.test(text);
  }

  size(): number {
    while (this.#at < this.#text.length) this.#part();
    return this.#tables + this.#levels.reduce((sum, { states }) => sum + states, 0);
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }

  get #level(): SizeLevel {
    return this.#levels.at(-1) as SizeLevel;
  }

  #atom(states: number): void {
    this.#level.states += states;
    this.#level.last = states;
  }

  #part(): void {
    const first = this.#text[this.#at];
    if (first === '\\') this.#escape();
    else if (first === '[') this.#class();
    else if (first === '(') this.#open();
    else if (first === ')') this.#close();
    else if (first === '|') this.#alternative();
    else if (first === '*' || first === '+' || first === '?') {
      this.#at += 1;
      this.#repeat(1);
    } else if (first !== '{' || !this.#counted()) {
      this.#character();
      this.#atom(1);
    }
  }

  #alternative(): void {
    this.#at += 1;
    this.#level.states += 2;
    this.#level.last = 0;
  }

  /** False for a brace that is only a character. */
  #counted(): boolean {
    const found = this.#take(REPEAT);
    if (found === undefined) return false;
    const [, least, comma, most = 0] = found;
    this.#repeat(Math.max(1, Number(least) + (comma === undefined ? 0 : 1), Number(most)));
    return true;
  }

  #character(): number {
    const point = this.#text.codePointAt(this.#at) ?? 0;
    this.#at += point > 0xffff ? 2 : 1;
    return point;
  }

  #repeat(copies: number): void {
    const { last } = this.#level;
    this.#level.states -= last;
    this.#atom(copies * (last + 1) + 2);
  }

  #escape(): void {
    const quoted = this.#take(QUOTED)?.[1];
    if (quoted !== undefined) {
      if (quoted === '') return;
      this.#level.states += quoted.length;
      this.#level.last = 1;
    } else if (this.#takeTable()) this.#atom(TABLE_STATES);
    else {
      if (this.#take(ESCAPE) === undefined) this.#at += 1;
      this.#atom(1);
    }
  }

  #takeTable(): boolean {
    if (this.#take(TABLE_CLASS) === undefined) return false;
    this.#tables += TABLE;
    return true;
  }

  /** Ends where RE2 ends it: a bracket that closes early would hide what is behind it. */
  #class(): void {
    this.#at += 1;
    if (this.#text[this.#at] === '^') this.#at += 1;
    let states = 1;
    for (let first = true; this.#at < this.#text.length && (first || this.#text[this.#at] !== ']'); first = false) {
      if (this.#take(NAMED_CLASS) !== undefined) this.#tables += 1;
      else if (this.#takeTable()) states = TABLE_STATES;
      else this.#range();
    }
    this.#at += 1;
    this.#atom(states);
  }

  /** A character of a class, or two with what is between them. */
  #range(): void {
    const isPerlClass = /^\\[dDsSwW]/.test(this.#text.slice(this.#at, this.#at + 2));
    const low = this.#classCharacter(0);
    this.#tables += 1;
    if (isPerlClass || this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']') return;
    this.#at += 1;
    const high = this.#classCharacter(MAX_LETTERS);
    if (this.#ignoresCase) this.#tables += Math.ceil(Math.min(Math.max(high - low, 0), MAX_LETTERS) / LETTERS_OF_ONE);
  }

  /** The code point; `otherwise` for an escape that is not of one by its number. */
  #classCharacter(otherwise: number): number {
    if (this.#text[this.#at] !== '\\') return this.#character();
    const found = this.#take(ESCAPE);
    if (found === undefined) this.#at += 1;
    return found?.[1] === undefined ? otherwise : Number.parseInt(found[1] || '0', 16);
  }

  #open(): void {
    const flags = this.#take(FLAGS);
    // Flags alone are no group, and what stands before them is still what would be repeated.
    if (flags?.[1] === ')') return;
    if (flags === undefined && this.#take(NAMED_GROUP) === undefined) this.#at += 1;
    this.#levels.push({ states: 3, last: 0 });
  }

  #close(): void {
    this.#at += 1;
    const closed = this.#levels.length > 1 ? this.#levels.pop() : undefined;
    if (closed !== undefined) this.#atom(closed.states);
  }
}

/** States that compiling the pattern makes, and what it costs beside them, at most: a unit is about a microsecond. */
export const patternSize = (text: string): number => new PatternReader(text).size();
