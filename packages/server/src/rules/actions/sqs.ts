/** The sqs action: SendMessage (developer guide, page sqs-rule-action). */
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';

export const sqs: ActionType<ParametersOf<'sqs'>> = {
  name: 'SqsAction',
  resource: ({ queueUrl = '' }) => queueUrl,
  run: ([{ parameters, payload }], { aws, place, signal }) =>
    asking(async () => {
      const { SendMessageCommand, SQSClient } = await import('@aws-sdk/client-sqs');
      // The queue's URL is a name here, not the place to send to: that is the operator's to say.
      const client = aws.client(place, 'sqs', (config) => new SQSClient({ ...config, useQueueUrlAsEndpoint: false }));
      const message = payload.toString(parameters.useBase64 ? 'base64' : 'utf8');
      await client.send(new SendMessageCommand({ QueueUrl: parameters.queueUrl, MessageBody: message }), { abortSignal: signal });
    }),
};
