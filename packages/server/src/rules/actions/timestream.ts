/**
 * The timestream action: WriteRecords, a measure for each member of the result (developer guide, page timestream-rule-action).
 */
import { fail } from '@thingkeep/wire/errors.ts';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';
import { objectOf, WrittenNumber } from './json-payload.ts';

type Timestream = ParametersOf<'timestream'>;
type Measure = { readonly MeasureValueType: 'BIGINT' | 'BOOLEAN' | 'DOUBLE' | 'VARCHAR'; readonly MeasureValue: string };

const UNITS = ['SECONDS', 'MILLISECONDS', 'MICROSECONDS', 'NANOSECONDS'];

function measureOf(value: unknown): Measure {
  if (typeof value === 'number')
    return { MeasureValueType: Number.isSafeInteger(value) ? 'BIGINT' : 'DOUBLE', MeasureValue: String(value) };
  if (value instanceof WrittenNumber) {
    const isInteger = /^-?\d{1,19}$/.test(value.text) && BigInt.asIntN(64, BigInt(value.text)) === BigInt(value.text);
    return { MeasureValueType: isInteger ? 'BIGINT' : 'DOUBLE', MeasureValue: value.text };
  }
  if (typeof value === 'boolean') return { MeasureValueType: 'BOOLEAN', MeasureValue: String(value) };
  return { MeasureValueType: 'VARCHAR', MeasureValue: typeof value === 'string' ? value : JSON.stringify(value) };
}

export const timestream: ActionType<Timestream> = {
  name: 'TimestreamAction',
  resource: ({ databaseName = '', tableName = '' }) => `${databaseName}/${tableName}`,
  permissions: ({ parameters: { databaseName = '', tableName = '' } }, place) => [
    {
      action: 'timestream:WriteRecords',
      resource: serviceArn('timestream', place, `database/${databaseName}/table/`, tableName),
    },
  ],
  check({ timestamp }) {
    const { unit = 'MILLISECONDS' } = timestamp ?? {};
    if (!unit.includes('${') && !UNITS.includes(unit))
      fail('InvalidRequestException', `The unit ${unit} is none of ${UNITS.join(', ')}`);
  },
  run: ([order], { aws, place, role, signal }) =>
    asking(async () => {
      const { TimestreamWriteClient, WriteRecordsCommand } = await import('@aws-sdk/client-timestream-write');
      const { databaseName, tableName, dimensions = [], timestamp } = order.parameters;
      const members = Object.entries(objectOf(order, true)).filter(([, value]) => value !== null);
      if (members.length === 0) throw new ActionError('the result of the SQL has no member to be a measure', false);
      const records = members.map(([MeasureName, value]) => ({ MeasureName, ...measureOf(value) }));
      const common = {
        Dimensions: dimensions.map(({ name, value }) => ({ Name: name, Value: value })),
        Time: timestamp?.value ?? String(order.message.receivedAt),
        TimeUnit: (timestamp?.unit ?? 'MILLISECONDS') as 'MILLISECONDS',
      };
      const client = aws.client({ place, role }, 'timestream', (config) => new TimestreamWriteClient(config));
      const request = { DatabaseName: databaseName, TableName: tableName, CommonAttributes: common, Records: records };
      await client.send(new WriteRecordsCommand(request), { abortSignal: signal });
    }),
};
