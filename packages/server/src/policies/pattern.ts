/**
 * Matching of wildcard patterns without backtracking: `*` is any run of characters, `?` exactly one. Everything else,
 * MQTT's `+` and `#` too, is literal. A pattern with `*` alone is found piece by piece; one with `?` runs as an automaton
 * over bits, so that the worst pattern costs its length times the text's, divided by the 32 bits of a word.
 */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';

/** A token of a policy string after its variables are substituted. */
export type PatternToken = Exclude<PolicyToken, { kind: 'variable' }>;

const EXACT = 0;
const PREFIX = 1;
const PIECES = 2;
const STATES = 3;

export class Pattern {
  readonly #kind: number;
  /** The whole text, or the part before the first `*`. */
  readonly #head: string;
  /** The head's last character: most texts of another branch differ there, which costs less to see than a comparison. */
  readonly #last: number;
  readonly #middle: readonly string[];
  readonly #tail: string;
  readonly #states: States | undefined;

  constructor(tokens: readonly PatternToken[]) {
    const pieces = [''];
    let ones = false;
    for (const token of tokens) {
      if (token.kind === 'run') pieces.push('');
      else if (token.kind === 'one') ones = true;
      else pieces[pieces.length - 1] += token.text;
    }
    this.#head = pieces[0] ?? '';
    this.#last = this.#head === '' ? -1 : this.#head.charCodeAt(this.#head.length - 1);
    this.#tail = pieces.at(-1) ?? '';
    this.#middle = pieces.slice(1, -1).filter((piece) => piece !== '');
    this.#states = ones ? new States(tokens) : undefined;
    if (ones) this.#kind = STATES;
    else if (pieces.length === 1) this.#kind = EXACT;
    else this.#kind = this.#tail === '' && this.#middle.length === 0 ? PREFIX : PIECES;
  }

  /** Whether the pattern matches all of `text` from `from` on. */
  matches(text: string, from = 0): boolean {
    if (this.#kind === STATES) return this.#states?.accept(text, from) ?? false;
    const behind = from + this.#head.length;
    if (this.#last >= 0 && text.charCodeAt(behind - 1) !== this.#last) return false;
    if (this.#kind === EXACT) return text.length === behind && text.startsWith(this.#head, from);
    return text.startsWith(this.#head, from) && (this.#kind === PREFIX || this.#inPieces(text, behind));
  }

  /** The leftmost place for each piece leaves the most room for the next: no other choice need be tried. */
  #inPieces(text: string, from: number): boolean {
    const end = text.length - this.#tail.length;
    let at = from;
    if (at > end || !text.endsWith(this.#tail)) return false;
    for (const piece of this.#middle) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  }
}

/** One bit per place in the pattern; a step moves every place that the next character allows, all at once. */
class States {
  readonly #words: number;
  /** Places behind a `*`: any character may pass while one stays there. */
  readonly #stay: Uint32Array;
  /** Places in front of a `?`. */
  readonly #any: Uint32Array;
  /** Places in front of a literal character, by code point. */
  readonly #literal = new Map<number, Uint32Array>();
  readonly #end: number;

  constructor(tokens: readonly PatternToken[]) {
    const places = tokens.reduce((sum, token) => sum + (token.kind === 'text' ? token.text.length : 1), 1);
    this.#words = (places >>> 5) + 1;
    this.#stay = new Uint32Array(this.#words);
    this.#any = new Uint32Array(this.#words);
    let place = 0;
    for (const token of tokens) {
      if (token.kind === 'run') mark(this.#stay, place);
      else if (token.kind === 'one') mark(this.#any, place++);
      else for (const character of token.text) mark(this.#of(character.codePointAt(0) ?? 0), place++);
    }
    this.#end = place;
  }

  #of(codePoint: number): Uint32Array {
    const known = this.#literal.get(codePoint);
    if (known !== undefined) return known;
    const bits = new Uint32Array(this.#words);
    this.#literal.set(codePoint, bits);
    return bits;
  }

  accept(text: string, from: number): boolean {
    let now = new Uint32Array(this.#words);
    let next = new Uint32Array(this.#words);
    now[0] = 1;
    for (let at = from; at < text.length; ) {
      const codePoint = text.codePointAt(at) ?? 0;
      at += codePoint > 0xffff ? 2 : 1;
      const literal = this.#literal.get(codePoint);
      let carry = 0;
      let alive = 0;
      for (let word = 0; word < this.#words; word += 1) {
        const bits = now[word] ?? 0;
        const moving = bits & ((this.#any[word] ?? 0) | (literal?.[word] ?? 0));
        const stepped = (moving << 1) | carry | (bits & (this.#stay[word] ?? 0));
        next[word] = stepped;
        carry = moving >>> 31;
        alive |= stepped;
      }
      if (alive === 0) return false;
      [now, next] = [next, now];
    }
    return (((now[this.#end >>> 5] ?? 0) >>> (this.#end & 31)) & 1) === 1;
  }
}

const mark = (bits: Uint32Array, place: number): void => {
  bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
};
