/** Payload templates: JSON with placeholders in its texts, filled in when an execution starts (page iot-remote-command-create-manage). */
import { checkJson, JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { encode, encodedNumber } from 'cbor2';
import { invalid } from './invalid.ts';
import { bytesOfText } from './parameters.ts';
import type { StoredValue } from './store.ts';

const MAX_DEPTH = 16;
const PLACEHOLDER = /\$\{aws:iot:commandexecution::(?:parameter:([.$a-zA-Z0-9_-]{1,192})|(executionTimeoutSec))\}/g;
const ONE_PLACEHOLDER = new RegExp(`^${PLACEHOLDER.source}$`);
/** Whatever looks as if it were meant as one. */
const SIMILAR = /\$\{aws:iot:commandexecution:/g;
/** A text of JSON, with the colon of a member's name behind it. */
const TEXT = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** Names of the parameters that a template has; fails where it is none. In CBOR a number beyond a double's range has no form. */
export function placeholdersOf(template: string, format: 'JSON' | 'CBOR'): ReadonlySet<string> {
  try {
    if (format === 'CBOR') parseJson(template, MAX_DEPTH);
    else checkJson(template, MAX_DEPTH);
  } catch (error) {
    if (error instanceof JsonError) return invalid(`The payloadTemplate is not valid JSON: ${error.message}`);
    throw error;
  }
  const found: RegExpExecArray[] = [];
  for (const [literal, colon] of template.matchAll(TEXT))
    if (colon === undefined) found.push(...(JSON.parse(literal) as string).matchAll(PLACEHOLDER));
  if ([...template.matchAll(SIMILAR)].length !== found.length)
    invalid('The payloadTemplate has a placeholder that is malformed, or the name of a member');
  if (found.length === 0) invalid('The payloadTemplate needs at least one placeholder');
  return new Set(found.flatMap(([, name]) => name ?? []));
}

export interface TemplateValues {
  /** All that the template has placeholders for. */
  readonly parameters: ReadonlyMap<string, StoredValue>;
  readonly timeoutSeconds: number;
}

/** A number of CBOR's floating-point kind, whole or not: a double for a device that tells them apart. */
class Float {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  toString(): string {
    return String(this.number);
  }

  toJSON(): number {
    return this.number;
  }
}

type Filled = string | number | bigint | boolean | Uint8Array | Float;

function plain({ S, B, I, L, D, UL, BIN }: StoredValue): Filled {
  if (BIN !== undefined) return bytesOfText(BIN);
  if (D !== undefined) return new Float(D);
  return S ?? B ?? I ?? BigInt(L ?? UL ?? 0);
}

const textOf = (value: Filled): string => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value));

/** The values of one payload, which fails as soon as they are more than it may hold: a template can name one many times. */
class Values {
  readonly #given: TemplateValues;
  #left: number = LIMITS.payload;

  constructor(given: TemplateValues) {
    this.#given = given;
  }

  at(name: string | undefined): Filled {
    if (name === undefined) return this.#given.timeoutSeconds;
    const value = this.#given.parameters.get(name);
    if (value === undefined) return invalid(`The parameter '${name}' has no value`);
    this.#left -= value.S?.length ?? ((value.BIN?.length ?? 2) * 3) / 4;
    if (this.#left < 0) return tooLarge();
    return plain(value);
  }
}

const tooLarge = (): never => invalid(`The payload is larger than ${LIMITS.payload} bytes`);

/** A text that is a placeholder becomes the value, of its type; one with placeholders in it stays a text. */
function fill(text: string, values: Values): Filled {
  const whole = ONE_PLACEHOLDER.exec(text);
  if (whole !== null) return values.at(whole[1]);
  return text.replace(PLACEHOLDER, (_, name: string | undefined) => textOf(values.at(name)));
}

const jsonOf = (value: Filled): string =>
  typeof value === 'bigint' ? String(value) : JSON.stringify(value instanceof Uint8Array ? textOf(value) : value);

/** A number of a template, in CBOR: an integer of any length, or the float that is closest to what was written. */
const writtenNumber = (text: string): bigint | Float => (/^-?\d+$/.test(text) ? BigInt(text) : new Float(Number(text)));

type Reviver = (name: string, value: unknown, context: { readonly source: string }) => unknown;

function cborOf(template: string, values: Values): Uint8Array {
  const revive: Reviver = (_, value, { source }) => {
    const filled = typeof value === 'string' ? fill(value, values) : typeof value === 'number' ? writtenNumber(source) : value;
    return filled instanceof Float ? encodedNumber(filled.number) : filled;
  };
  return encode(JSON.parse(template, revive as Parameters<typeof JSON.parse>[1]));
}

/**
 * The payload; fails where it is larger than a message may be. What is no placeholder stays as it was written: in JSON to the
 * byte, in CBOR as far as it can say it.
 */
export function fillTemplate(template: string, given: TemplateValues, format: 'JSON' | 'CBOR'): Buffer {
  const values = new Values(given);
  const filled = Buffer.from(
    format === 'CBOR'
      ? cborOf(template, values)
      : template.replace(TEXT, (literal: string, colon: string | undefined) =>
          colon === undefined ? jsonOf(fill(JSON.parse(literal) as string, values)) : literal,
        ),
  );
  return filled.length > LIMITS.payload ? tooLarge() : filled;
}
