/** Functions of numbers (developer guide, page iot-sql-functions). */
import { calculate, type Rounding, toInt, truncate } from '../arithmetic.ts';
import type { Dialect } from '../dialect.ts';
import { compareNumbers, Exact, exactOf, fromDouble, isInt, type SqlNumber, settle, toDouble } from '../numbers.ts';
import { type SqlValue, toNumber } from '../values.ts';
import { type SqlFunctions, ofValues, type SqlFunction } from './definition.ts';

const ofNumbers = (count: number, apply: (numbers: readonly SqlNumber[], dialect: Dialect) => SqlValue): SqlFunction =>
  ofValues({ least: count }, (values, { dialect }) => {
    const numbers: SqlNumber[] = [];
    for (const value of values) {
      const number = toNumber(value);
      if (number === undefined) return undefined;
      numbers.push(number);
    }
    return apply(numbers, dialect);
  });

const ofNumber = (apply: (number: SqlNumber, dialect: Dialect) => SqlValue): SqlFunction =>
  ofNumbers(1, ([number], dialect) => apply(number as SqlNumber, dialect));

/** Of double precision; what is infinite or imaginary is Undefined. */
const ofDouble = (apply: (x: number) => number): SqlFunction =>
  ofNumber((number, dialect) => fromDouble(apply(toDouble(number)), dialect));

const ofDoubles = (apply: (x: number, y: number) => number): SqlFunction =>
  ofNumbers(2, ([x, y], dialect) => fromDouble(apply(toDouble(x as SqlNumber), toDouble(y as SqlNumber)), dialect));

const rounding = (way: Rounding): SqlFunction => ofNumber((number, dialect) => toInt(number, way, dialect));

const remainder = ofNumbers(2, ([a, b], dialect) => calculate('%', a as SqlNumber, b as SqlNumber, dialect));

function magnitude(number: SqlNumber, dialect: Dialect): SqlValue {
  if (typeof number === 'number') return Math.abs(number);
  const { digits, scale, int } = number;
  return settle(new Exact(digits < 0n ? -digits : digits, scale, int), dialect);
}

const truncated = ofNumbers(2, ([number, places], dialect) => {
  const whole = toDouble(toInt(places as SqlNumber, 'floor', dialect) ?? 0);
  return truncate(number as SqlNumber, Math.min(Math.max(whole, 0), 34), dialect);
});

/** Ints of any size as bits; Decimals are rounded down. */
const ofBits = (count: number, apply: (a: bigint, b: bigint) => bigint): SqlFunction =>
  ofNumbers(count, (numbers, dialect) => {
    const bits = numbers.map((number) => toInt(number, 'floor', dialect));
    if (bits.some((each) => each === undefined || !isInt(each))) return undefined;
    const [a = 0n, b = 0n] = bits.map((each) => exactOf(each as SqlNumber).digits);
    return settle(new Exact(apply(a, b), 0, true), dialect);
  });

/** Turns the bits that the number has: AWS gives 2 for 13, so none above its highest. */
const turned = (a: bigint): bigint => (a < 0n ? ~a : a ^ ((1n << BigInt(a === 0n ? 0 : a.toString(2).length)) - 1n));

export const MATH: SqlFunctions = {
  abs: ofNumber(magnitude),
  acos: ofDouble(Math.acos),
  asin: ofDouble(Math.asin),
  atan: ofDouble(Math.atan),
  atan2: ofDoubles(Math.atan2),
  bitand: ofBits(2, (a, b) => a & b),
  bitnot: ofBits(1, turned),
  bitor: ofBits(2, (a, b) => a | b),
  bitxor: ofBits(2, (a, b) => a ^ b),
  ceil: rounding('ceil'),
  cos: ofDouble(Math.cos),
  cosh: ofDouble(Math.cosh),
  exp: ofDouble(Math.exp),
  floor: rounding('floor'),
  ln: ofDouble(Math.log),
  log: ofDouble(Math.log10),
  mod: remainder,
  power: ofDoubles((x, y) => x ** y),
  remainder,
  round: rounding('half-up'),
  sign: ofNumber((number) => Math.sign(compareNumbers(number, 0))),
  sin: ofDouble(Math.sin),
  sinh: ofDouble(Math.sinh),
  sqrt: ofDouble(Math.sqrt),
  tan: ofDouble(Math.tan),
  tanh: ofDouble(Math.tanh),
  trunc: truncated,
};
