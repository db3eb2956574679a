/**
 * Members of the operations of AWS's JSON services, after the API references of ACM and CloudWatch Logs, by the target's
 * prefix and the operation's name. Only these members of a request count, for permissions, condition keys and the handler.
 */
import table from './json-operations.json' with { type: 'json' };

export const JSON_OPERATIONS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = table;

/** Names of the operation's members; undefined for an operation that the table does not have. */
export function jsonMembers(target: string, operation: string): readonly string[] | undefined {
  const operations = Object.hasOwn(JSON_OPERATIONS, target) ? JSON_OPERATIONS[target] : undefined;
  return operations !== undefined && Object.hasOwn(operations, operation) ? operations[operation] : undefined;
}
