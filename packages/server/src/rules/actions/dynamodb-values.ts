/** JSON as DynamoDB's attribute values (Amazon DynamoDB API reference, AttributeValue). */
import type { Place } from '@thingkeep/wire/arn.ts';
import { serviceArn } from './role.ts';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { WrittenNumber } from './json-payload.ts';

export function attributeValue(value: unknown): AttributeValue {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
      return { N: String(value) };
    case 'boolean':
      return { BOOL: value };
    default:
      if (value === null || value === undefined) return { NULL: true };
      if (value instanceof WrittenNumber) return { N: value.text };
      if (Array.isArray(value)) return { L: value.map(attributeValue) };
      return { M: attributes(value as object) };
  }
}

/** Each member as a column. */
export const attributes = (value: object): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(value).map(([name, member]) => [name, attributeValue(member)]));

/** ARN of a table, which DynamoDB lets be named by its ARN too. */
export const tableArn = (name: string | undefined, place: Place): string =>
  name?.startsWith('arn:') === true ? name : serviceArn('dynamodb', place, 'table/', name);
