/** Operators of the SQL over what their operands evaluate to (developer guide, page iot-sql-operators). */
import { type ArithmeticOperator, calculate, negate } from './arithmetic.ts';
import type { CompareOperator } from './ast.ts';
import type { Dialect } from './dialect.ts';
import type { Evaluation } from './evaluation.ts';
import type { Evaluate } from './functions/definition.ts';
import { compareNumbers, type SqlNumber } from './numbers.ts';
import { equal, isArray, isNumber, type SqlValue, toBoolean, toNumber } from './values.ts';

export const opposite =
  (of: Evaluate): Evaluate =>
  (evaluation) => {
    const value = toBoolean(of(evaluation));
    return value === undefined ? undefined : !value;
  };

export const negative =
  (of: Evaluate): Evaluate =>
  (evaluation) => {
    const number = toNumber(of(evaluation));
    return number === undefined ? undefined : negate(number);
  };

/** What decides is enough: `false AND x` is false, `true OR x` true, also where x is Undefined. */
export function logic(operator: 'and' | 'or', operands: readonly Evaluate[]): Evaluate {
  const deciding = operator === 'or';
  return (evaluation) => {
    let result: boolean | undefined = !deciding;
    for (const operand of operands) {
      const value = toBoolean(operand(evaluation));
      if (value === deciding) return deciding;
      if (value === undefined) result = undefined;
    }
    return result;
  };
}

const ORDER: Readonly<Record<Exclude<CompareOperator, '=' | '<>'>, (difference: number) => boolean>> = {
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
};

export function comparison(operator: CompareOperator, left: Evaluate, right: Evaluate): Evaluate {
  if (operator === '=') return (evaluation) => equal(left(evaluation), right(evaluation), evaluation.spend);
  if (operator === '<>')
    return (evaluation) => {
      const same = equal(left(evaluation), right(evaluation), evaluation.spend);
      return same === undefined ? undefined : !same;
    };
  const decide = ORDER[operator];
  return (evaluation) => {
    const x = toNumber(left(evaluation));
    const y = toNumber(right(evaluation));
    return x === undefined || y === undefined ? undefined : decide(compareNumbers(x, y));
  };
}

/** Undefined where there is no array to look in, or nothing to look for. */
export const among =
  (left: Evaluate, right: Evaluate, negated: boolean): Evaluate =>
  (evaluation) => {
    const wanted = left(evaluation);
    const items = right(evaluation);
    if (wanted === undefined || !isArray(items)) return undefined;
    evaluation.spend(items.length);
    return items.some((item) => equal(wanted, item, evaluation.spend) === true) !== negated;
  };

/** Steps for a calculation with digits and scales. */
const EXACT_COST = 5;

function paid(operator: ArithmeticOperator, x: SqlNumber, y: SqlNumber, dialect: Dialect, { spend }: Evaluation): SqlValue {
  if (!Number.isInteger(x) || !Number.isInteger(y)) spend(EXACT_COST);
  return calculate(operator, x, y, dialect);
}

export function arithmetic(operator: ArithmeticOperator, left: Evaluate, right: Evaluate, dialect: Dialect): Evaluate {
  if (operator === '+') return sum(left, right, dialect);
  return (evaluation) => {
    const x = toNumber(left(evaluation));
    const y = toNumber(right(evaluation));
    return x === undefined || y === undefined ? undefined : paid(operator, x, y, dialect, evaluation);
  };
}

/** A text on one side makes a text of the other. */
const sum =
  (left: Evaluate, right: Evaluate, dialect: Dialect): Evaluate =>
  (evaluation) => {
    const x = left(evaluation);
    const y = right(evaluation);
    if (isNumber(x) && isNumber(y)) return paid('+', x, y, dialect, evaluation);
    return typeof x === 'string' || typeof y === 'string' ? joined(x, y, evaluation) : undefined;
  };

function joined(left: SqlValue, right: SqlValue, evaluation: Evaluation): SqlValue {
  const a = evaluation.text(left);
  const b = evaluation.text(right);
  if (a === undefined || b === undefined) return undefined;
  evaluation.bound(a.length + b.length);
  evaluation.spend(1 + ((a.length + b.length) >>> 5));
  return a + b;
}
