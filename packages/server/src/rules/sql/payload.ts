/**
 * Payloads as values. `JSON.parse` reads most of them; a number that a double can't hold, or not as written, has the text
 * read with the source of each number at hand.
 */
import { isUtf8 } from 'node:buffer';
import type { Dialect } from './dialect.ts';
import { SQL_LIMITS } from './limits.ts';
import { readNumber, settle } from './numbers.ts';
import { depth, LONG_NUMBER, MANY_BRACKETS, scanJson, WRITTEN_ZERO } from './scan-json.ts';
import { isArray, isSqlObject, type SqlObject, type SqlValue } from './values.ts';

class NumberOutOfRange extends Error {}

function exactReviver(dialect: Dialect) {
  return (_: string, value: unknown, context?: { readonly source: string }): unknown => {
    if (typeof value !== 'number' || context === undefined) return value;
    const number = settle(readNumber(context.source), dialect);
    if (number === undefined) throw new NumberOutOfRange();
    return number;
  };
}

/** UTF-8 as text; undefined for bytes that are none. */
export function utf8Text(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !isUtf8(bytes) ? undefined : text;
}

/** Any JSON text as a value; undefined when it is none, nests too deep, or has a number out of range. */
export function readJson(bytes: Buffer, dialect: Dialect): SqlValue {
  const text = utf8Text(bytes);
  if (text === undefined) return undefined;
  const found = scanJson(bytes);
  if ((found & MANY_BRACKETS) !== 0 && depth(bytes) > SQL_LIMITS.payloadDepth) return undefined;
  const exactly = (found & (dialect.keepsDecimals ? LONG_NUMBER | WRITTEN_ZERO : LONG_NUMBER)) !== 0;
  try {
    return (exactly ? JSON.parse(text, exactReviver(dialect)) : JSON.parse(text)) as SqlValue;
  } catch {
    return undefined;
  }
}

export type JsonPayload = SqlObject | readonly SqlValue[];

/** One message's payload, read at most once for each way of reading numbers. It keeps no bytes: a read buffer is not its own. */
export class ParsedPayload {
  #settled: { readonly value: JsonPayload | undefined } | undefined;
  #written: { readonly value: JsonPayload | undefined } | undefined;

  /** The object or array of the payload; undefined for all else: a text or number alone is not JSON to the rules. */
  read(payload: Buffer, dialect: Dialect): JsonPayload | undefined {
    if (dialect.keepsDecimals) {
      this.#written ??= { value: readPayload(payload, dialect) };
      return this.#written.value;
    }
    this.#settled ??= { value: readPayload(payload, dialect) };
    return this.#settled.value;
  }
}

function readPayload(payload: Buffer, dialect: Dialect): JsonPayload | undefined {
  const value = readJson(payload, dialect);
  return isSqlObject(value) || isArray(value) ? value : undefined;
}
