/**
 * A strict JSON reader (RFC 8259) for bytes that strangers send: UTF-8 without errors, nesting bounded, no key twice in an
 * object, no lone surrogates. Objects come without a prototype, so no key is special. What becomes of numbers is up to the
 * reader that is chosen.
 */

/** A value of JSON; `N` is what its numbers are. */
export type JsonOf<N> = null | boolean | string | N | JsonOf<N>[] | JsonObjectOf<N>;
export interface JsonObjectOf<N> {
  [key: string]: JsonOf<N>;
}
export type JsonValue = JsonOf<number>;
export type JsonObject = JsonObjectOf<number>;

/** Deeper than any shape of the model nests. */
export const MAX_JSON_DEPTH = 64;

/** Why a text is not JSON for us; `message` may be shown. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\p{Cc}]*/uy;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A number's text as a value; undefined where it is out of range. */
type NumberReader<N> = (text: string) => N | undefined;

const asDouble: NumberReader<number> = (text) => {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
};

/** The digits of integers that are close to the bounds of 64 bits or within them, and may be more than a double holds. */
const LONG_INTEGER = /^-?\d{16,19}$/;

const asExactInteger: NumberReader<number | bigint> = (text) => {
  const value = asDouble(text);
  return LONG_INTEGER.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
};

/** The value of a JSON document, or a {@link JsonError}; a number that overflows a double is one. */
export const parseJson = (source: Uint8Array | string, maxDepth = MAX_JSON_DEPTH): JsonValue =>
  readJson(source, maxDepth, asDouble);

/** As {@link parseJson}, but integers of 64 bits that a double can't hold are bigints. */
export const parseExactJson = (source: Uint8Array | string, maxDepth = MAX_JSON_DEPTH): JsonOf<number | bigint> =>
  readJson(source, maxDepth, asExactInteger);

/**
 * Reads a JSON document that stays the text that it is: its numbers may be of any size. Gives its value with null in the place of
 * numbers, or a {@link JsonError}.
 */
export const checkJson = (source: Uint8Array | string, maxDepth = MAX_JSON_DEPTH): JsonOf<null> =>
  readJson(source, maxDepth, () => null);

function readJson<N>(source: Uint8Array | string, maxDepth: number, numberOf: NumberReader<N>): JsonOf<N> {
  const text = typeof source === 'string' ? source : decode(source);
  let at = 0;

  const stop = (what: string): never => {
    throw new JsonError(`${what} at character ${at}`);
  };
  const skipSpace = (): void => {
    for (;;) {
      const char = text.charCodeAt(at);
      if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return;
      at++;
    }
  };
  const literal = <T>(word: string, value: T): T => {
    if (!text.startsWith(word, at)) return stop('Unexpected character');
    at += word.length;
    return value;
  };
  const number = (): N => {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text);
    if (found === null) return stop('Malformed number');
    const value = numberOf(found[0]);
    if (value === undefined) return stop('Number out of range');
    at = NUMBER.lastIndex;
    return value;
  };
  const escapeSequence = (): string => {
    const char = text.charAt(at + 1);
    const simple = ESCAPES.get(char);
    if (simple !== undefined) {
      at += 2;
      return simple;
    }
    const digits = text.slice(at + 2, at + 6);
    if (char !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) return stop('Malformed escape');
    at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  };
  const string = (): string => {
    at++;
    let value = '';
    for (;;) {
      PLAIN.lastIndex = at;
      const run = PLAIN.exec(text)?.[0] ?? '';
      value += run;
      at += run.length;
      const char = text.charCodeAt(at);
      if (char === 0x22) {
        at++;
        return value.isWellFormed() ? value : stop('Lone surrogate in the string that ends');
      }
      if (char === 0x5c) value += escapeSequence();
      // DEL and the C1 controls are in \p{Cc} too, and JSON allows them.
      else if (char >= 0x7f) value += text.charAt(at++);
      else return stop(at >= text.length ? 'Unterminated string' : 'Control character in a string');
    }
  };
  const array = (depth: number): JsonOf<N>[] => {
    const items: JsonOf<N>[] = [];
    at++;
    skipSpace();
    if (text.charAt(at) === ']') {
      at++;
      return items;
    }
    for (;;) {
      items.push(value(depth));
      const char = text.charAt(at++);
      if (char === ']') return items;
      if (char !== ',') return stop('Expected , or ] before the text');
    }
  };
  const object = (depth: number): JsonObjectOf<N> => {
    const members: JsonObjectOf<N> = Object.create(null);
    at++;
    skipSpace();
    if (text.charAt(at) === '}') {
      at++;
      return members;
    }
    for (;;) {
      skipSpace();
      if (text.charAt(at) !== '"') return stop('Expected a member name');
      const key = string();
      if (key in members) return stop('Member given twice before the text');
      skipSpace();
      if (text.charAt(at++) !== ':') return stop('Expected : before the text');
      members[key] = value(depth);
      const char = text.charAt(at++);
      if (char === '}') return members;
      if (char !== ',') return stop('Expected , or } before the text');
    }
  };
  const scalar = (char: string): JsonOf<N> => {
    if (char === '"') return string();
    if (char === 't') return literal('true', true);
    if (char === 'f') return literal('false', false);
    if (char === 'n') return literal('null', null);
    return char === '' ? stop('Unexpected end') : number();
  };
  const value = (depth: number): JsonOf<N> => {
    skipSpace();
    const char = text.charAt(at);
    const nests = char === '{' || char === '[';
    if (nests && depth >= maxDepth) return stop(`Nested deeper than ${maxDepth}`);
    const result = nests ? (char === '{' ? object(depth + 1) : array(depth + 1)) : scalar(char);
    skipSpace();
    return result;
  };

  const result = value(0);
  return at === text.length ? result : stop('Unexpected character');
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new JsonError('Not UTF-8');
  }
}
