/** Functions of arrays, objects and of values of any type (developer guide, page iot-sql-functions). */
import { SQL_LIMITS } from '../limits.ts';
import { toDouble } from '../numbers.ts';
import { convertToInt, isArray, isSqlObject, jsonSize, member, put, type SqlValue } from '../values.ts';
import { define, type SqlFunctions, ofValues } from './definition.ts';

const get = ofValues({ least: 2 }, ([from, key], { dialect }) => {
  if (isSqlObject(from)) return typeof key === 'string' ? member(from, key) : undefined;
  if (!isArray(from) && typeof from !== 'string') return undefined;
  const index = convertToInt(key, dialect);
  return index === undefined ? undefined : from[toDouble(index)];
});

const absent = (value: SqlValue): boolean => value === undefined || value === null;

/** The default is looked at only when it is wanted: it may be dear. */
const orDefault = define({ least: 1, most: 2 }, ([value, otherwise]) => (evaluation) => {
  const found = value?.evaluate(evaluation);
  return absent(found) ? (otherwise === undefined ? null : otherwise.evaluate(evaluation)) : found;
});

/** Each element with the object's members behind its own; a member of both is the object's. */
const transform = ofValues({ least: 3 }, ([mode, object, array], evaluation) => {
  if (mode !== 'enrichArray' || !isSqlObject(object) || !isArray(array) || !array.every(isSqlObject)) return undefined;
  const added = Object.entries(object);
  let size = 2;
  const all: SqlValue[] = [];
  for (const element of array) {
    const keys = Object.keys(element);
    evaluation.spend(1 + added.length + keys.length);
    const enriched: Record<string, SqlValue> = { ...element };
    for (const [key, value] of added) put(enriched, key, value);
    size += 1 + jsonSize(enriched, SQL_LIMITS.transformBytes);
    if (size > SQL_LIMITS.transformBytes) return undefined;
    all.push(enriched);
  }
  return all;
});

export const COLLECTION_FUNCTIONS: SqlFunctions = {
  get,
  get_or_default: orDefault,
  isnull: ofValues({ least: 1 }, ([value]) => value === null),
  isundefined: ofValues({ least: 1 }, ([value]) => value === undefined),
  nanvl: ofValues({ least: 2 }, ([value, otherwise]) => (absent(value) ? otherwise : value)),
  transform,
};
