/**
 * Condition keys of a request: values by the name of their key. Names of keys are not case-sensitive
 * (IAM user guide, page reference_policies_elements_condition); the name of a thing's attribute, in brackets, is.
 */

/** Values by normalized key. A key without values counts as absent. */
export type ContextKeys = ReadonlyMap<string, readonly string[]>;

export interface PolicyContext {
  readonly keys: ContextKeys;
  /** Keys of requests whose action is iot:Connect. */
  readonly connectKeys: ContextKeys;
}

export function normalizeKey(key: string): string {
  const bracket = key.indexOf('[');
  return bracket < 0 ? key.toLowerCase() : key.slice(0, bracket).toLowerCase() + key.slice(bracket);
}

/** Keys of a request as a decision takes them. */
export const contextKeys = (values: Iterable<readonly [string, string | readonly string[]]>): ContextKeys =>
  new Map([...values].map(([key, value]) => [normalizeKey(key), typeof value === 'string' ? [value] : value]));

export type Lookup = (key: string) => readonly string[] | undefined;

/** Looks a normalized key up in the first of the given keys that has it. */
export const lookupIn =
  (...layers: readonly (ContextKeys | undefined)[]): Lookup =>
  (key) => {
    for (const layer of layers) {
      const values = layer?.get(key);
      if (values !== undefined) return values;
    }
    return undefined;
  };
