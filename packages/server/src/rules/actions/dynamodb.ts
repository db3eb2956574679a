/** The dynamoDB action: the whole result in one column of an item (developer guide, page dynamodb-rule-action). */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { fail } from '@thingkeep/wire/errors.ts';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, Order, ParametersOf } from './contract.ts';
import { attributeValue, tableArn } from './dynamodb-values.ts';
import { jsonOf } from './json-payload.ts';

type DynamoDbParameters = ParametersOf<'dynamoDB'>;

const OPERATIONS = ['INSERT', 'UPDATE', 'DELETE'];
const RIGHTS: Readonly<Record<string, string>> = { UPDATE: 'dynamodb:UpdateItem', DELETE: 'dynamodb:DeleteItem' };

function keyValue(text: string | undefined, type: string | undefined): AttributeValue {
  if (type !== 'NUMBER') return { S: text ?? '' };
  if (text === undefined || text.trim() === '' || !Number.isFinite(Number(text)))
    throw new ActionError('the value of a key of type NUMBER is no number', false);
  return { N: text };
}

function keyOf(parameters: DynamoDbParameters): Record<string, AttributeValue> {
  const { hashKeyField = '', hashKeyValue, hashKeyType, rangeKeyField, rangeKeyValue, rangeKeyType } = parameters;
  const key = { [hashKeyField]: keyValue(hashKeyValue, hashKeyType) };
  return rangeKeyField ? { ...key, [rangeKeyField]: keyValue(rangeKeyValue, rangeKeyType) } : key;
}

/** A map where the result is JSON, its text or bytes otherwise. */
function column(order: Order<unknown>): AttributeValue {
  const value = jsonOf(order, true);
  if (value !== undefined) return attributeValue(value);
  return order.isJson ? { S: order.payload.toString('utf8') } : { B: order.payload };
}

export const dynamoDB: ActionType<DynamoDbParameters> = {
  name: 'DynamoAction',
  resource: ({ tableName = '' }) => tableName,
  permissions: ({ parameters: { operation = 'INSERT', tableName } }, place) => [
    { action: RIGHTS[operation] ?? 'dynamodb:PutItem', resource: tableArn(tableName, place) },
  ],
  check({ operation = 'INSERT' }) {
    if (!operation.includes('${') && !OPERATIONS.includes(operation))
      fail('InvalidRequestException', `The operation ${operation} is none of ${OPERATIONS.join(', ')}`);
  },
  run: ([order], { aws, place, role, signal }) =>
    asking(async () => {
      const { DeleteItemCommand, DynamoDBClient, PutItemCommand, UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
      const client = aws.client({ place, role }, 'dynamodb', (config) => new DynamoDBClient(config));
      const { tableName, operation = 'INSERT', payloadField = 'payload' } = order.parameters;
      const key = keyOf(order.parameters);
      const options = { abortSignal: signal };
      if (operation === 'DELETE') await client.send(new DeleteItemCommand({ TableName: tableName, Key: key }), options);
      else if (operation === 'UPDATE')
        await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: key,
            UpdateExpression: 'SET #payload = :payload',
            ExpressionAttributeNames: { '#payload': payloadField },
            ExpressionAttributeValues: { ':payload': column(order) },
          }),
          options,
        );
      else if (operation === 'INSERT')
        await client.send(new PutItemCommand({ TableName: tableName, Item: { ...key, [payloadField]: column(order) } }), options);
      else throw new ActionError(`the operation ${operation} is none of ${OPERATIONS.join(', ')}`, false);
    }),
};
