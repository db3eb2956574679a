/** Parameters of commands: their values by type, and conditions (developer guide, page iot-remote-command-concepts). */
import { invalid } from './invalid.ts';
import type { ConditionRecord, ParameterRecord, ParameterType, StoredValue } from './store.ts';

/** A value as the API takes and gives it. */
export interface ApiValue extends Omit<StoredValue, 'BIN' | 'L'> {
  /** A bigint where a double does not hold it. */
  readonly L?: number | bigint | undefined;
  readonly BIN?: Uint8Array | undefined;
}

const MEMBERS: Readonly<Record<ParameterType, keyof StoredValue>> = {
  STRING: 'S',
  INTEGER: 'I',
  DOUBLE: 'D',
  LONG: 'L',
  UNSIGNEDLONG: 'UL',
  BOOLEAN: 'B',
  BINARY: 'BIN',
};

const NUMBERS: ReadonlySet<keyof StoredValue> = new Set(['I', 'D', 'L', 'UL']);
const MAX_UNSIGNED = 2n ** 64n - 1n;

/** The one member that a value has. */
function memberOf(value: object, name: string): keyof StoredValue {
  const [member, ...more] = Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [key]));
  if (member === undefined || more.length > 0) return invalid(`The value of the parameter '${name}' needs exactly one type`);
  return member as keyof StoredValue;
}

/** A value to be stored; one of another type than the parameter's is refused. */
export function storedValue(name: string, type: ParameterType | undefined, given: ApiValue): StoredValue {
  const member = memberOf(given, name);
  if (type !== undefined && MEMBERS[type] !== member) invalid(`The value of the parameter '${name}' is not of the type ${type}`);
  const { BIN, L, ...value } = given;
  if (BIN !== undefined) return { BIN: Buffer.from(BIN).toString('base64') };
  if (L !== undefined) return { L: String(L) };
  if (value.I !== undefined && (value.I < -(2 ** 31) || value.I >= 2 ** 31))
    invalid(`The value of the parameter '${name}' is no 32-bit integer`);
  if (value.UL !== undefined && BigInt(value.UL) > MAX_UNSIGNED)
    invalid(`The value of the parameter '${name}' is no 64-bit unsigned integer`);
  return value;
}

export const bytesOfText = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

const exactNumber = (digits: string | number): number | bigint =>
  Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits);

/** As the API gives a value back: the renderer writes a bigint, of which the SDK's types do not know, with all of its digits. */
export function apiValue({ BIN, L, ...value }: StoredValue): Omit<ApiValue, 'L'> & { readonly L?: number } {
  if (BIN !== undefined) return { BIN: bytesOfText(BIN) };
  return L === undefined ? value : { L: exactNumber(L) as number };
}

const NUMBER = /^(-?\d{1,400})(?:\.(\d{1,400}))?(?:e([-+]?\d{1,3}))?$/i;

interface Decimal {
  readonly digits: bigint;
  /** The power of ten of the last digit. */
  readonly exponent: number;
}

function decimalOf(text: string): Decimal {
  const [, whole = '0', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  return { digits: BigInt(`${whole}${fraction}`), exponent: Number(exponent) - fraction.length };
}

/** Compares two numbers in text, to their last digit. */
function compare(one: string, other: string): number {
  const [a, b] = [decimalOf(one), decimalOf(other)];
  const least = Math.min(a.exponent, b.exponent);
  const [left, right] = [a, b].map(({ digits, exponent }) => digits * 10n ** BigInt(exponent - least)) as [bigint, bigint];
  return left < right ? -1 : left > right ? 1 : 0;
}

type Check = (value: string, operand: ConditionRecord['operand']) => boolean;

const single =
  (holds: (order: number) => boolean): Check =>
  (value, { number = '' }) =>
    holds(compare(value, number));
const inRange: Check = (value, { numberRange: { min, max } = { min: '', max: '' } }) =>
  compare(value, min) >= 0 && compare(value, max) <= 0;
const inNumbers: Check = (value, { numbers = [] }) => numbers.some((each) => compare(value, each) === 0);

type Operand = keyof ConditionRecord['operand'];
interface Operator {
  readonly operand: Operand;
  readonly holds: Check;
}

const NUMBER_OPERATORS: Readonly<Record<string, Operator>> = {
  EQUALS: { operand: 'number', holds: single((order) => order === 0) },
  NOT_EQUALS: { operand: 'number', holds: single((order) => order !== 0) },
  LESS_THAN: { operand: 'number', holds: single((order) => order < 0) },
  LESS_THAN_EQUALS: { operand: 'number', holds: single((order) => order <= 0) },
  GREATER_THAN: { operand: 'number', holds: single((order) => order > 0) },
  GREATER_THAN_EQUALS: { operand: 'number', holds: single((order) => order >= 0) },
  IN_RANGE: { operand: 'numberRange', holds: inRange },
  NOT_IN_RANGE: { operand: 'numberRange', holds: (value, operand) => !inRange(value, operand) },
  IN_SET: { operand: 'numbers', holds: inNumbers },
  NOT_IN_SET: { operand: 'numbers', holds: (value, operand) => !inNumbers(value, operand) },
};

const STRING_OPERATORS: Readonly<Record<string, Operator>> = {
  EQUALS: { operand: 'string', holds: (value, { string }) => value === string },
  NOT_EQUALS: { operand: 'string', holds: (value, { string }) => value !== string },
  IN_SET: { operand: 'strings', holds: (value, { strings = [] }) => strings.includes(value) },
  NOT_IN_SET: { operand: 'strings', holds: (value, { strings = [] }) => !strings.includes(value) },
};

const NONE: Readonly<Record<string, Operator>> = {};

/** Operators for values of a kind; booleans and bytes have none. */
function operatorsFor(member: keyof StoredValue): Readonly<Record<string, Operator>> {
  if (member === 'S') return STRING_OPERATORS;
  return NUMBERS.has(member) ? NUMBER_OPERATORS : NONE;
}

/** Numbers in an operand. */
const numbersIn = ({ number, numbers = [], numberRange }: ConditionRecord['operand']): readonly string[] => [
  ...(number === undefined ? [] : [number]),
  ...numbers,
  ...(numberRange === undefined ? [] : [numberRange.min, numberRange.max]),
];

/** Refuses conditions that a parameter of this type can't have. */
export function checkConditions({ name, type, valueConditions = [] }: ParameterRecord): void {
  if (valueConditions.length > 0 && type === undefined) invalid(`The parameter '${name}' has conditions and no type`);
  for (const { comparisonOperator, operand } of valueConditions) {
    const operator =
      operatorsFor(MEMBERS[type ?? 'BOOLEAN'])[comparisonOperator] ??
      invalid(`The operator ${comparisonOperator} is not supported for the type ${type} of the parameter '${name}'`);
    const given = Object.entries(operand).flatMap(([key, each]) => (each === undefined ? [] : [key]));
    if (given.length !== 1 || given[0] !== operator.operand)
      invalid(
        `The operator ${comparisonOperator} of the parameter '${name}' needs the operand '${operator.operand}' and no other`,
      );
    if (!numbersIn(operand).every((each) => NUMBER.test(each)))
      invalid(`The operand of a condition of the parameter '${name}' is not a number`);
  }
}

/** Refuses a value that a condition of the parameter does not let through. */
export function checkValue({ name, valueConditions = [] }: ParameterRecord, value: StoredValue): void {
  const member = memberOf(value, name);
  const text = String(value[member]);
  for (const { comparisonOperator, operand } of valueConditions) {
    const operator = operatorsFor(member)[comparisonOperator];
    if (operator === undefined || !operator.holds(text, operand))
      invalid(`The value of the parameter '${name}' does not satisfy the condition ${comparisonOperator}`);
  }
}
