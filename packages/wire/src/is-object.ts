/** Whether a value that was read from JSON is an object: neither null nor a list. */
import type { JsonObject, JsonValue } from './api/parse-json.ts';

export function isObject(value: JsonValue): value is JsonObject;
export function isObject(value: unknown): value is Readonly<Record<string, unknown>>;
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
