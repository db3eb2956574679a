/** The firehose action: PutRecordBatch (developer guide, page kinesis-firehose-rule-action). */
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';
import { recordsOf } from './json-payload.ts';

/** Records of one request. */
const MOST = 500;

export const firehose: ActionType<ParametersOf<'firehose'>> = {
  name: 'FirehoseAction',
  resource: ({ deliveryStreamName = '' }) => deliveryStreamName,
  permissions: ({ parameters: { deliveryStreamName, batchMode = false } }, place) => [
    {
      action: batchMode ? 'firehose:PutRecordBatch' : 'firehose:PutRecord',
      resource: serviceArn('firehose', place, 'deliverystream/', deliveryStreamName),
    },
  ],
  literal: ['separator'],
  run: ([order], { aws, place, role, signal }) =>
    asking(async () => {
      const { FirehoseClient, PutRecordBatchCommand } = await import('@aws-sdk/client-firehose');
      const client = aws.client({ place, role }, 'firehose', (config) => new FirehoseClient(config));
      const { deliveryStreamName, separator = '', batchMode = false } = order.parameters;
      const end = Buffer.from(separator);
      const records = recordsOf(order, batchMode, MOST).map((data) => ({ Data: Buffer.concat([data, end]) }));
      const answer = await client.send(new PutRecordBatchCommand({ DeliveryStreamName: deliveryStreamName, Records: records }), {
        abortSignal: signal,
      });
      // Those that were taken will be sent again with those that were not: each is delivered at least once.
      if ((answer.FailedPutCount ?? 0) > 0)
        throw new ActionError(`${answer.FailedPutCount} of ${records.length} records were not taken`, true);
    }),
};
