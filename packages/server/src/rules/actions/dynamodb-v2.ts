/** The dynamoDBv2 action: a column for each member of the result (developer guide, page dynamodb-v2-rule-action). */
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { attributes, tableArn } from './dynamodb-values.ts';
import { objectOf } from './json-payload.ts';

export const dynamoDBv2: ActionType<ParametersOf<'dynamoDBv2'>> = {
  name: 'DynamoDBv2Action',
  resource: ({ putItem }) => putItem?.tableName ?? '',
  permissions: ({ parameters: { putItem } }, place) => [
    { action: 'dynamodb:PutItem', resource: tableArn(putItem?.tableName, place) },
  ],
  run: ([order], { aws, place, role, signal }) =>
    asking(async () => {
      const { DynamoDBClient, PutItemCommand } = await import('@aws-sdk/client-dynamodb');
      const client = aws.client({ place, role }, 'dynamodb', (config) => new DynamoDBClient(config));
      const item = { TableName: order.parameters.putItem?.tableName, Item: attributes(objectOf(order, true)) };
      await client.send(new PutItemCommand(item), { abortSignal: signal });
    }),
};
