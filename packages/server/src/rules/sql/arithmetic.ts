/** Arithmetic on Int and Decimal (developer guide, page iot-sql-operators) and the ways of making an Int of a Decimal. */
import type { Dialect } from './dialect.ts';
import { digitCount, Exact, exact, exactOf, exponentOf, isInt, powerOfTen, type SqlNumber, settle } from './numbers.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** Digits of a quotient before it is rounded: one more than a Decimal has. */
const QUOTIENT_DIGITS = 35;

/** Digits behind the last of a result where one more can not change its rounding. */
const BEYOND = 40;

/** `b`, or where it is far too small to be seen in a result with `a`, something as small in effect that needs fewer digits. */
function within(a: Exact, b: Exact): Exact {
  const far = a.digits !== 0n && b.digits !== 0n && exponentOf(a) - exponentOf(b) > 2 * BEYOND;
  return far ? new Exact(b.digits < 0n ? -1n : 1n, BEYOND - exponentOf(a), false) : b;
}

const summands = (a: Exact, b: Exact): { left: bigint; right: bigint; scale: number } => aligned(within(b, a), within(a, b));

const aligned = (a: Exact, b: Exact): { left: bigint; right: bigint; scale: number } => {
  const scale = Math.max(a.scale, b.scale);
  return { left: a.digits * powerOfTen(scale - a.scale), right: b.digits * powerOfTen(scale - b.scale), scale };
};

function divide(a: Exact, b: Exact, int: boolean): Exact | undefined {
  if (b.digits === 0n) return undefined;
  if (int) return exact(a.digits / b.digits, 0, true);
  const preferred = a.scale - b.scale;
  const shift = Math.max(0, QUOTIENT_DIGITS + digitCount(b.digits) - digitCount(a.digits));
  const dividend = a.digits * powerOfTen(shift);
  let digits = dividend / b.digits;
  let scale = preferred + shift;
  const rest = dividend % b.digits;
  if (rest !== 0n) {
    // A digit that only says "and a little more", for the rounding.
    digits = digits * 10n + (rest < 0n === b.digits < 0n ? 1n : -1n);
    return exact(digits, scale + 1);
  }
  while (scale > preferred && digits % 10n === 0n) {
    digits /= 10n;
    scale -= 1;
  }
  return exact(digits, scale);
}

function remainder(a: Exact, b: Exact, int: boolean): Exact | undefined {
  // The quotient would have more digits than a Decimal has: then there is no remainder to be told.
  if (b.digits === 0n || exponentOf(a) - exponentOf(b) > QUOTIENT_DIGITS) return undefined;
  if (a.digits === 0n || exponentOf(a) < exponentOf(b)) return a;
  const { left, right, scale } = aligned(a, b);
  return exact(left % right, scale, int);
}

function onExact(operator: ArithmeticOperator, a: Exact, b: Exact): Exact | undefined {
  const int = a.int && b.int;
  switch (operator) {
    case '+': {
      const { left, right, scale } = summands(a, b);
      return exact(left + right, scale, int);
    }
    case '-': {
      const { left, right, scale } = summands(a, b);
      return exact(left - right, scale, int);
    }
    case '*':
      return exact(a.digits * b.digits, a.scale + b.scale, int);
    case '/':
      return divide(a, b, int);
    case '%':
      return remainder(a, b, int);
  }
}

function onInts(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? Number.NaN : Math.trunc(left / right);
    case '%':
      return right === 0 ? Number.NaN : left % right;
  }
}

/** Two Ints give an Int, and `/` then drops what is behind the point. Undefined for a division by zero, or out of range. */
export function calculate(
  operator: ArithmeticOperator,
  left: SqlNumber,
  right: SqlNumber,
  dialect: Dialect,
): SqlNumber | undefined {
  if (Number.isInteger(left) && Number.isInteger(right)) {
    const result = onInts(operator, left as number, right as number);
    // Adding 0 makes 0 of -0.
    if (Number.isSafeInteger(result)) return result + 0;
    if (Number.isNaN(result)) return undefined;
  }
  return settle(onExact(operator, exactOf(left), exactOf(right)), dialect);
}

export type Rounding = 'floor' | 'ceil' | 'trunc' | 'half-up';

const ROUND: Readonly<Record<Rounding, (value: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  'half-up': (value) => Math.sign(value) * Math.round(Math.abs(value)),
};

function roundedDigits(digits: bigint, unit: bigint, rounding: Rounding): bigint {
  const kept = digits / unit;
  const rest = digits % unit;
  if (rest === 0n) return kept;
  const away = kept + (digits < 0n ? -1n : 1n);
  switch (rounding) {
    case 'trunc':
      return kept;
    case 'floor':
      return digits < 0n ? away : kept;
    case 'ceil':
      return digits < 0n ? kept : away;
    case 'half-up':
      return (rest < 0n ? -rest : rest) * 2n >= unit ? away : kept;
  }
}

/** An Int of a number. `half-up` takes halves away from zero. Numbers of more than 34 digits stay as they are. */
export function toInt(value: SqlNumber, rounding: Rounding, dialect: Dialect): SqlNumber | undefined {
  if (typeof value === 'number') return ROUND[rounding](value) + 0;
  if (value.int) return value;
  if (value.scale <= 0) {
    const short = digitCount(value.digits) - value.scale < QUOTIENT_DIGITS;
    return short ? settle(new Exact(value.digits * powerOfTen(-value.scale), 0, true), dialect) : value;
  }
  return settle(exact(roundedDigits(value.digits, powerOfTen(value.scale), rounding), 0, true), dialect);
}

/** Cuts a number after `places` digits behind the point; trailing zeros go. */
export function truncate(value: SqlNumber, places: number, dialect: Dialect): SqlNumber | undefined {
  if (isInt(value)) return value;
  let { digits, scale } = exactOf(value);
  if (scale > places) {
    digits /= powerOfTen(scale - places);
    scale = places;
  }
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale -= 1;
  }
  return settle(new Exact(digits, scale, false), dialect);
}

/** The value without its sign's minus. */
export function negate(value: SqlNumber): SqlNumber {
  return typeof value === 'number' ? 0 - value : new Exact(-value.digits, value.scale, value.int);
}
