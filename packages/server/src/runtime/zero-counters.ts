/** Counters by key, all of them 0: a key that nothing was counted under is exported too. Keys are a list, or have meanings. */
export const zeroCounters = <Key extends string>(keys: readonly Key[] | Readonly<Record<Key, string>>): Record<Key, number> =>
  Object.fromEntries((Array.isArray(keys) ? keys : Object.keys(keys)).map((key) => [key, 0])) as Record<Key, number>;
