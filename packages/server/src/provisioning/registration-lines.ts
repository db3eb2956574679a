/** The lines of a bulk registration's input (developer guide, page bulk-provisioning): JSON objects of strings. */
import { fail } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';

/** General Reference: characters of a line. */
const MAX_LINE = 256_000;
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

/** The parameters of a line; fails with InvalidRequestException. */
export function parametersOf(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined || text.length > MAX_LINE)
    return fail('InvalidRequestException', `The line has more than ${MAX_LINE} characters.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail('InvalidRequestException', 'The line is no JSON.');
  }
  if (!isObject(json) || Array.isArray(json)) return fail('InvalidRequestException', 'The line is no JSON object.');
  const entries = Object.entries(json as Readonly<Record<string, unknown>>);
  const other = entries.find(([, value]) => typeof value !== 'string');
  if (other !== undefined) return fail('InvalidRequestException', `The parameter ${other[0].slice(0, 128)} is no string.`);
  return Object.fromEntries(entries) as Record<string, string>;
}
