/**
 * Numbers of the SQL: Int and Decimal of 34 digits (developer guide, page iot-sql-data-types). Most are JavaScript numbers:
 * a whole one is an Int, any other is the Decimal that it prints as. What a double can't hold, or not as written, is an
 * {@link Exact}.
 */
import { rawJson } from '@thingkeep/wire/api/raw-json.ts';
import type { Dialect } from './dialect.ts';

/** Significant digits, as IEEE 754 decimal128 has them, rounded half to even. */
const PRECISION = 34;
const LARGEST_EXPONENT = 999;

/** `digits` / 10^`scale`. An Int has scale 0. */
export class Exact {
  readonly digits: bigint;
  readonly scale: number;
  readonly int: boolean;

  constructor(digits: bigint, scale: number, int: boolean) {
    this.digits = digits;
    this.scale = scale;
    this.int = int;
  }

  /** Digits as they are, with an exponent where the scale is negative or the number below 1E-6. */
  toString(): string {
    const negative = this.digits < 0n;
    const digits = (negative ? -this.digits : this.digits).toString();
    const exponent = digits.length - 1 - this.scale;
    return (negative ? '-' : '') + (this.scale >= 0 && exponent >= -6 ? plain(digits, this.scale) : scientific(digits, exponent));
  }

  toJSON(): unknown {
    return rawJson(this.toString());
  }
}

export type SqlNumber = number | Exact;

const plain = (digits: string, scale: number): string => {
  if (scale === 0) return digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
};

const scientific = (digits: string, exponent: number): string =>
  `${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}E${exponent < 0 ? '' : '+'}${exponent}`;

const POWERS: bigint[] = [];
export function powerOfTen(exponent: number): bigint {
  let known = POWERS[exponent];
  if (known === undefined) {
    known = 10n ** BigInt(exponent);
    if (exponent < 4096) POWERS[exponent] = known;
  }
  return known;
}

export const digitCount = (digits: bigint): number => (digits < 0n ? -digits : digits).toString().length;

/** The exponent of the first digit: 2 for 123.4. */
export const exponentOf = ({ digits, scale }: Exact): number => digitCount(digits) - 1 - scale;

/** Drops the last `count` digits, half to even. */
function dropDigits(digits: bigint, count: number): bigint {
  const unit = powerOfTen(count);
  const kept = digits / unit;
  const rest = digits % unit;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const up = twice > unit || (twice === unit && kept % 2n !== 0n);
  return up ? kept + (digits < 0n ? -1n : 1n) : kept;
}

/** A number of at most 34 digits; undefined beyond 9.99...E999, zero below 1E-999. */
export function exact(digits: bigint, scale: number, int = false): Exact | undefined {
  const surplus = digitCount(digits) - PRECISION;
  if (surplus > 0) return exact(dropDigits(digits, surplus), scale - surplus, false);
  if (digits === 0n) return new Exact(0n, Math.min(Math.max(scale, 0), LARGEST_EXPONENT), int);
  const exponent = digitCount(digits) - 1 - scale;
  if (exponent > LARGEST_EXPONENT) return undefined;
  return exponent < -LARGEST_EXPONENT ? new Exact(0n, 0, int) : new Exact(digits, scale, int);
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** More digits than a number keeps: of what is behind them only counts whether it is all zeros. */
const LONGEST = 2 * PRECISION;

/** The digits that decide, and how many were left out: reading all of 100,000 would take tens of milliseconds. */
function shorten(written: string): { readonly digits: string; readonly dropped: number } {
  const digits = written.replace(/^0+(?=\d)/, '');
  if (digits.length <= LONGEST) return { digits, dropped: 0 };
  const rest = digits.slice(LONGEST);
  return { digits: digits.slice(0, LONGEST) + (/[1-9]/.test(rest) ? '1' : '0'), dropped: rest.length - 1 };
}

/** Reads a number as JSON and SQL write it: an Int when it has neither point nor exponent. Undefined when out of range. */
export function readNumber(text: string): Exact | undefined {
  const found = NUMBER.exec(text);
  if (found === null) return undefined;
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] = found;
  if (exponent.length > 6) return undefined;
  const written = whole + fraction;
  const { digits, dropped } = written.length > LONGEST ? shorten(written) : { digits: written, dropped: 0 };
  return exact(
    BigInt(sign + digits),
    fraction.length - Number(exponent) - dropped,
    found[3] === undefined && found[4] === undefined,
  );
}

export function exactOf(value: SqlNumber): Exact {
  if (typeof value !== 'number') return value;
  if (Number.isSafeInteger(value)) return new Exact(BigInt(value), 0, true);
  return readNumber(String(value)) ?? new Exact(0n, 0, true);
}

const stripped = ({ digits, scale, int }: Exact): Exact => {
  let left = digits;
  let places = scale;
  if (left === 0n) return new Exact(0n, 0, int);
  while (left % 10n === 0n) {
    left /= 10n;
    places -= 1;
  }
  return new Exact(left, places, int);
};

/** Digits that every double keeps. */
const DOUBLE_DIGITS = 1_000_000_000_000_000n;

/** The number as the dialect has it: an Int where whole, a JavaScript number where one says exactly the same. */
export function settle(value: Exact | undefined, { keepsDecimals }: Dialect): SqlNumber | undefined {
  if (value === undefined) return undefined;
  if (value.int) return settleInt(value.digits);
  const short = stripped(value);
  if (!keepsDecimals && short.scale <= 0 && digitCount(short.digits) - short.scale <= PRECISION)
    return settleInt(short.digits * powerOfTen(-short.scale));
  const result = keepsDecimals ? value : short;
  const fits =
    result.scale > 0 && result.scale === short.scale && result.digits < DOUBLE_DIGITS && result.digits > -DOUBLE_DIGITS;
  return fits && digitCount(result.digits) - result.scale > -6 ? Number(result.toString()) : result;
}

function settleInt(digits: bigint): SqlNumber {
  const near = Number(digits);
  return Number.isSafeInteger(near) ? near : new Exact(digits, 0, true);
}

/** The Decimal that a function of double precision gives; undefined for what is no number, or none that is real. */
export function fromDouble(value: number, dialect: Dialect): SqlNumber | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (Number.isSafeInteger(value)) return dialect.keepsDecimals ? new Exact(BigInt(value) * 10n, 1, false) : value + 0;
  if (Math.abs(value) >= 1e-6 && Math.abs(value) < 1e15) return value;
  return settle(decimalOf(readNumber(String(value))), dialect);
}

const decimalOf = (value: Exact | undefined): Exact | undefined =>
  value === undefined ? undefined : new Exact(value.digits, value.scale, false);

export const toDouble = (value: SqlNumber): number => (typeof value === 'number' ? value : Number(value.toString()));

export const isInt = (value: SqlNumber): boolean => (typeof value === 'number' ? Number.isInteger(value) : value.int);

/** A Decimal of the same value, without a point where there was none. */
export const asDecimal = (value: SqlNumber): Exact => decimalOf(exactOf(value)) as Exact;

export function numberText(value: SqlNumber): string {
  const text = value.toString();
  return typeof value === 'number' && text.includes('e') ? text.toUpperCase() : text;
}

/** Negative, 0 or positive. */
export function compareNumbers(left: SqlNumber, right: SqlNumber): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const a = exactOf(left);
  const b = exactOf(right);
  const sign = Number(a.digits > 0n) - Number(a.digits < 0n);
  if (sign !== Number(b.digits > 0n) - Number(b.digits < 0n))
    return sign === 0 ? Number(b.digits < 0n) - Number(b.digits > 0n) : sign;
  // Of numbers far apart the exponents tell, without hundreds of zeros being written out.
  const magnitude = exponentOf(a) - exponentOf(b);
  if (magnitude !== 0) return magnitude * sign;
  const scale = Math.max(a.scale, b.scale);
  const difference = a.digits * powerOfTen(scale - a.scale) - b.digits * powerOfTen(scale - b.scale);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}
