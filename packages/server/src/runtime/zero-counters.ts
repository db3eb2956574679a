/** Counters by key, all of them 0: a key that nothing was counted under is exported too. */
export const zeroCounters = <Key extends string>(keys: readonly Key[]): Record<Key, number> =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
