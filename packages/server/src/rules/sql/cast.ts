/** `cast(value AS type)` (developer guide, page iot-sql-functions): the conversions, and numbers to and from Booleans. */
import { toInt } from './arithmetic.ts';
import type { CastType } from './ast.ts';
import type { Evaluation } from './evaluation.ts';
import { asDecimal, compareNumbers, Exact, fromDouble, settle, toDouble } from './numbers.ts';
import { isNumber, type SqlValue, toBoolean, toNumber } from './values.ts';

function toDecimal(value: SqlValue, { dialect }: Evaluation): SqlValue {
  if (typeof value === 'boolean') return settle(new Exact(value ? 10n : 0n, 1, false), dialect);
  const number = toNumber(value);
  return number === undefined ? undefined : settle(asDecimal(number), dialect);
}

export function castTo(type: CastType, value: SqlValue, evaluation: Evaluation): SqlValue {
  if (value === undefined) return undefined;
  const { dialect } = evaluation;
  // A Null stays one where the table says so; it is no text and no Boolean.
  if (value === null) return type === 'string' || type === 'boolean' ? undefined : null;
  switch (type) {
    case 'string':
      return evaluation.text(value);
    case 'boolean':
      return isNumber(value) ? compareNumbers(value, 0) !== 0 : toBoolean(value);
    case 'int': {
      if (typeof value === 'boolean') return value ? 1 : 0;
      const number = toNumber(value);
      return number === undefined ? undefined : toInt(number, 'floor', dialect);
    }
    case 'decimal':
      return toDecimal(value, evaluation);
    case 'double': {
      const number = toDecimal(value, evaluation);
      return isNumber(number) ? fromDouble(toDouble(number), dialect) : undefined;
    }
  }
}
