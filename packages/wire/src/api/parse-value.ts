/** JSON or text -> a value of a shape, by its type alone: constraints are checked afterwards, in validate.ts. */
import { isObject } from '../is-object.ts';
import { fromBase64 } from './base64.ts';
import type { Member, ServiceName, Shape } from './model.ts';
import { type JsonObjectOf, type JsonOf, parseJson } from './parse-json.ts';
import { membersOf, shapeOf } from './table.ts';
import { dateOfEpochSeconds, dateOfText } from './timestamps.ts';

/** A value that is not of its shape's type; `message` may be shown. */
export class TypeMismatch extends Error {
  override readonly name = 'TypeMismatch';
}

/** Integers of 64 bits that a double can't hold are bigints. */
type Given = JsonOf<number | bigint>;

/** The words in which AWS's deserializer refuses a JSON value of another type. */
function token(value: Given): string {
  if (Array.isArray(value)) return 'Start of list';
  if (value === null) return 'NULL_VALUE';
  if (typeof value === 'object') return 'Start of structure or map';
  if (typeof value === 'string') return 'STRING_VALUE';
  return typeof value === 'boolean' ? (value ? 'TRUE_VALUE' : 'FALSE_VALUE') : 'NUMBER_VALUE';
}

const NAMES: Readonly<Record<Shape['type'], string>> = {
  structure: 'structure',
  list: 'list',
  map: 'map',
  string: 'String',
  boolean: 'Boolean',
  integer: 'Integer',
  long: 'Long',
  float: 'Float',
  double: 'Double',
  timestamp: 'Timestamp',
  blob: 'Blob',
};

function mismatch(value: Given, shape: Shape, path: string): never {
  const what =
    typeof value === 'object' && value !== null
      ? `${token(value)} found where not expected`
      : `${token(value)} can not be converted to ${NAMES[shape.type]}`;
  throw new TypeMismatch(`${what} at '${path}'`);
}

const INT32 = 2 ** 31;
const INT64 = 2 ** 63;

const fits = (value: number, type: 'integer' | 'long'): boolean => {
  const bound = type === 'integer' ? INT32 : INT64;
  return Number.isInteger(value) && value >= -bound && value < bound;
};

/**
 * Longs whose digits count: a handler gets a bigint for one that a double can't hold. Other longs are counts and times, which no
 * handler needs to the last digit, and are numbers for each.
 */
const EXACT_LONGS: ReadonlySet<string> = new Set(['LongParameterValue']);
const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

function exactLong(value: Given, shape: Shape, path: string): number | bigint {
  if (typeof value === 'bigint') return value >= MIN_LONG && value <= MAX_LONG ? value : mismatch(value, shape, path);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : mismatch(value, shape, path);
}

function scalarFromJson(given: Given, shape: Shape, path: string): unknown {
  const value = typeof given === 'bigint' ? Number(given) : given;
  switch (shape.type) {
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, shape, path);
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(value, shape, path);
    case 'integer':
    case 'long':
      return typeof value === 'number' && fits(value, shape.type) ? value : mismatch(value, shape, path);
    case 'float':
    case 'double':
      return typeof value === 'number' ? value : mismatch(value, shape, path);
    case 'timestamp':
      return (
        (typeof value === 'number' ? dateOfEpochSeconds(value) : typeof value === 'string' ? dateOfText(value) : undefined) ??
        mismatch(value, shape, path)
      );
    case 'blob':
      return (typeof value === 'string' ? fromBase64(value) : undefined) ?? mismatch(value, shape, path);
    default:
      return mismatch(value, shape, path);
  }
}

/** A JSON value as the shape's type. Null members are absent; unknown members of a structure are dropped. */
export function fromJson(service: ServiceName, value: Given, shapeName: string, path: string): unknown {
  const shape = shapeOf(service, shapeName);
  const { type, member: item = '', value: mapValue = '' } = shape;
  if (type === 'structure')
    return isObject(value) ? structureFromJson(service, value, shape, path) : mismatch(value, shape, path);
  if (type === 'list') {
    if (!Array.isArray(value)) return mismatch(value, shape, path);
    // One member too many is enough to be refused by; a longer list is not worth the work.
    const taken = shape.max === undefined ? value : value.slice(0, shape.max + 1);
    return taken.map((each, index) => fromJson(service, each, item, `${path}.${index + 1}.member`));
  }
  if (type === 'map') {
    if (!isObject(value)) return mismatch(value, shape, path);
    // Keys are the caller's own words, so this object has no prototype for them to touch.
    const map: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(value))
      map[key] = fromJson(service, value[key] ?? null, mapValue, `${path}.${key.slice(0, 128)}.member`);
    return map;
  }
  return EXACT_LONGS.has(shapeName) ? exactLong(value, shape, path) : scalarFromJson(value, shape, path);
}

/** The members of a structure that a JSON object carries; those with a location of their own are left out. */
export function structureFromJson(
  service: ServiceName,
  value: JsonObjectOf<number | bigint>,
  shape: Shape,
  path: string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const chosen: string[] = [];
  for (const [name, member] of membersOf(shape)) {
    if (member.location !== undefined) continue;
    const given = value[member.locationName ?? name];
    if (given === undefined || given === null) continue;
    chosen.push(name);
    result[name] = fromJson(service, given, member.shape, path === '' ? name : `${path}.${name}`);
  }
  if (shape.union && chosen.length !== 1) throw new TypeMismatch(`Exactly one member of the union at '${path}' must be set`);
  return result;
}

const INTEGER = /^-?\d{1,19}$/;

/** Text of a path label, a query parameter or a header as the shape's type. */
export function fromText(service: ServiceName, text: string, member: Member, path: string): unknown {
  const shape = shapeOf(service, member.shape);
  if (member.jsonvalue) {
    const bytes = fromBase64(text);
    if (bytes === undefined) return mismatch(text, { type: 'blob' }, path);
    // boto3 and the AWS CLI are given a JSON text here, and encode that as JSON once more.
    const value = parseJson(bytes);
    if (typeof value === 'string') parseJson(value);
    return typeof value === 'string' ? value : new TextDecoder().decode(bytes);
  }
  switch (shape.type) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : mismatch(text, shape, path);
    case 'integer':
    case 'long': {
      const value = INTEGER.test(text) ? Number(text) : Number.NaN;
      return fits(value, shape.type) ? value : mismatch(text, shape, path);
    }
    case 'timestamp':
      return dateOfText(text) ?? mismatch(text, shape, path);
    default:
      return mismatch(text, shape, path);
  }
}
