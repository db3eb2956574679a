/** The kinesis action: PutRecord (developer guide, page kinesis-rule-action). */
import { defined } from '@thingkeep/wire/defined.ts';
import { asking, type ClientConfig } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';

export const kinesis: ActionType<ParametersOf<'kinesis'>> = {
  name: 'KinesisAction',
  resource: ({ streamName = '' }) => streamName,
  permissions: ({ parameters }, place) => [
    { action: 'kinesis:PutRecord', resource: serviceArn('kinesis', place, 'stream/', parameters.streamName) },
  ],
  run: ([{ id, parameters, payload }], { aws, place, role, signal }) =>
    asking(async () => {
      const { KinesisClient, PutRecordCommand } = await import('@aws-sdk/client-kinesis');
      const { NodeHttpHandler } = await import('@smithy/node-http-handler');
      // AWS takes HTTP/2, which the SDK uses for this service; what stands in its place seldom does.
      const make = (config: ClientConfig): InstanceType<typeof KinesisClient> =>
        new KinesisClient({
          ...config,
          ...defined({ requestHandler: config.endpoint === undefined ? undefined : new NodeHttpHandler() }),
        });
      const client = aws.client({ place, role }, 'kinesis', make);
      const { streamName, partitionKey } = parameters;
      // Without a key, records spread over all shards.
      const record = { StreamName: streamName, PartitionKey: partitionKey || id, Data: payload };
      await client.send(new PutRecordCommand(record), { abortSignal: signal });
    }),
};
