/** The lines of a bulk registration's input (developer guide, page bulk-provisioning): JSON objects of strings. */
import { JsonError, type JsonObject, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';

/** General Reference: characters of a line. */
const MAX_LINE = 256_000;
/** Values in one another: a line has one level. */
const MAX_DEPTH = 8;
/** Bytes that so many characters may take. */
const MAX_BYTES = MAX_LINE * 4;

/** A line, and how many bytes of the input lie before its end. `text` is undefined for one that is too long. */
export interface InputLine {
  readonly text: string | undefined;
  readonly end: number;
}

const lineOf = (pieces: readonly Uint8Array[], length: number): string | undefined =>
  length > MAX_BYTES ? undefined : Buffer.concat(pieces).toString('utf8').replace(/\r$/, '');

/** The lines of an input that begins at `from` bytes; the last one may lack its line break. Holds one line at a time. */
export async function* inputLines(content: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<InputLine, void, undefined> {
  let pieces: Uint8Array[] = [];
  let [length, end] = [0, from];
  const hold = (bytes: Uint8Array): void => {
    length += bytes.length;
    end += bytes.length;
    if (length <= MAX_BYTES) pieces.push(bytes);
    else pieces = [];
  };
  for await (const bytes of content) {
    let start = 0;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, start)) {
      hold(bytes.subarray(start, at));
      end += 1;
      yield { text: lineOf(pieces, length), end };
      [pieces, length, start] = [[], 0, at + 1];
    }
    hold(bytes.subarray(start));
  }
  if (length > 0) yield { text: lineOf(pieces, length), end };
}

function jsonOf(text: string): JsonObject {
  try {
    const json = parseJson(text, MAX_DEPTH);
    return isObject(json) ? json : fail('InvalidRequestException', 'The line is no JSON object.');
  } catch (error) {
    if (error instanceof JsonError) return fail('InvalidRequestException', `The line is no JSON: ${error.message}.`);
    throw error;
  }
}

/** The parameters of a line; fails with InvalidRequestException. */
export function parametersOf(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined || text.length > MAX_LINE)
    return fail('InvalidRequestException', `The line has more than ${MAX_LINE} characters.`);
  const texts = Object.entries(jsonOf(text)).map(([name, value]): readonly [string, string] =>
    typeof value === 'string'
      ? [name, value]
      : fail('InvalidRequestException', `The parameter ${name.slice(0, 128)} is no string.`),
  );
  return Object.fromEntries(texts);
}
