/**
 * Values of the SQL and their conversions (developer guide, page iot-sql-data-types). JavaScript's undefined is Undefined,
 * null is Null; an object or array of a payload is never changed, since all rules share it.
 */
import type { Dialect } from './dialect.ts';
import { asDecimal, compareNumbers, Exact, numberText, readNumber, type SqlNumber } from './numbers.ts';
import { toInt } from './arithmetic.ts';

export interface SqlObject {
  readonly [key: string]: SqlValue;
}
export type SqlValue = undefined | null | boolean | string | number | Exact | SqlObject | readonly SqlValue[];

export const isNumber = (value: SqlValue): value is SqlNumber => typeof value === 'number' || value instanceof Exact;

export const isArray = (value: SqlValue): value is readonly SqlValue[] => Array.isArray(value);

export const isSqlObject = (value: SqlValue): value is SqlObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Exact);

/** A member that is the object's own: no name reaches what JavaScript puts below every object. */
export const member = (value: SqlValue, key: string): SqlValue =>
  isSqlObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** Sets a member of an object that is being made; `__proto__` is a key like any other. */
export function put(target: Record<string, SqlValue>, key: string, value: SqlValue): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** What is converted to a Decimal by itself: no leading plus, no bare point. */
const CONVERTIBLE = /^-?\d+(\.\d+)?(E-?\d+)?$/i;

/** A text of more characters is no number of 34 digits, whatever it says. */
const LONGEST_NUMBER = 2_000;

export function textToDecimal(text: string): Exact | undefined {
  if (text.length > LONGEST_NUMBER || !CONVERTIBLE.test(text)) return undefined;
  const found = readNumber(text);
  return found === undefined ? undefined : asDecimal(found);
}

/** A number of Int, Decimal or text; all else is none. An Int stays one. */
export function toNumber(value: SqlValue): SqlNumber | undefined {
  if (typeof value === 'number' || value instanceof Exact) return value;
  return typeof value === 'string' ? textToDecimal(value) : undefined;
}

/** The table "To int": Decimals to the nearest, texts cut. */
export function convertToInt(value: SqlValue, dialect: Dialect): SqlNumber | undefined {
  const found = toNumber(value);
  return found === undefined ? undefined : toInt(found, typeof value === 'string' ? 'trunc' : 'half-up', dialect);
}

export function toBoolean(value: SqlValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' || value.length > 5) return undefined;
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

/** The table "To string". Null and Undefined have none. */
export function toText(value: SqlValue): string | undefined {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return isNumber(value) ? numberText(value) : JSON.stringify(value);
}

/** Whether two values are equal; undefined when one of them is Undefined. `spend` is told of every element compared. */
export function equal(left: SqlValue, right: SqlValue, spend: (steps: number) => void): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  return same(left, right, spend);
}

function same(left: SqlValue, right: SqlValue, spend: (steps: number) => void): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' && typeof right !== 'object') return false;
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  if (isArray(left) && isArray(right)) {
    if (left.length !== right.length) return false;
    spend(left.length);
    return left.every((item, i) => same(item, right[i], spend));
  }
  if (!isSqlObject(left) || !isSqlObject(right)) return false;
  const keys = Object.keys(left);
  const others = Object.keys(right).length;
  spend(keys.length + others);
  if (keys.length !== others) return false;
  return keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key], spend));
}

/** Bytes of a value as JSON, near enough for a bound; stops counting at `most`. */
export function jsonSize(value: SqlValue, most: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Exact) return 40;
  let size = 2;
  if (isArray(value)) {
    for (const item of value) {
      size += 1 + jsonSize(item, most - size);
      if (size > most) return size;
    }
    return size;
  }
  for (const key of Object.keys(value)) {
    size += key.length + 4 + jsonSize((value as SqlObject)[key], most - size);
    if (size > most) return size;
  }
  return size;
}

/** Plain JSON, for calls of other services. */
export const toPlain = (value: SqlValue): unknown =>
  value instanceof Exact ? Number(value.toString()) : typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
