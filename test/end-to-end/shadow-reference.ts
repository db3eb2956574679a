/** What a shadow is by the developer guide, small and pure: states are values of JSON, and no time is kept. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export interface ReferenceState {
  readonly desired?: JsonObject;
  readonly reported?: JsonObject;
}

export interface Update {
  readonly state: { readonly desired?: JsonObject | null; readonly reported?: JsonObject | null } | null;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function cleaned(value: Json): Json | undefined {
  if (value === null) return undefined;
  if (!isObject(value)) return value;
  const left = Object.entries(value).flatMap(([name, each]) => {
    const kept = cleaned(each);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return left.length === 0 && Object.keys(value).length > 0 ? undefined : Object.fromEntries(left);
}

function merged(old: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...old };
  for (const [name, value] of Object.entries(patch)) {
    const before = result[name];
    if (value === null) delete result[name];
    else if (isObject(before) && isObject(value)) result[name] = merged(before, value);
    else {
      const fresh = cleaned(value);
      if (fresh !== undefined) result[name] = fresh;
    }
  }
  return result;
}

export function updated(old: ReferenceState, { state }: Update): ReferenceState {
  if (state === null) return {};
  const result: { desired?: JsonObject; reported?: JsonObject } = { ...old };
  for (const section of ['desired', 'reported'] as const) {
    const patch = state[section];
    if (patch === undefined) continue;
    const fresh = patch === null ? {} : merged(old[section] ?? {}, patch);
    delete result[section];
    if (Object.keys(fresh).length > 0) result[section] = fresh;
  }
  return result;
}

const same = (one: Json | undefined, other: Json | undefined): boolean => {
  if (isObject(one) && isObject(other))
    return (
      Object.keys(one).length === Object.keys(other).length &&
      Object.entries(one).every(([name, value]) => same(value, other[name]))
    );
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, i) => same(value, other[i]));
  return one === other;
};

function difference(desired: JsonObject, reported: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, wanted] of Object.entries(desired)) {
    const have = reported[name];
    if (isObject(wanted) && isObject(have)) {
      const below = difference(wanted, have);
      if (Object.keys(below).length > 0) result[name] = below;
    } else if (!same(wanted, have)) result[name] = wanted;
  }
  return result;
}

/** The state as a get shows it. */
export function shown({ desired, reported }: ReferenceState): JsonObject {
  const delta = desired === undefined ? {} : difference(desired, reported ?? {});
  return {
    ...(desired && { desired }),
    ...(reported && { reported }),
    ...(Object.keys(delta).length > 0 && { delta }),
  };
}

/** The metadata of a value, each time as 1. */
export const timesOfValue = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(timesOfValue);
  if (!isObject(value)) return { timestamp: 1 };
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, timesOfValue(each)]));
};
