/** The sqs action: SendMessage (developer guide, page sqs-rule-action). */
import type { Place } from '@thingkeep/wire/arn.ts';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';

/**
 * `https://sqs.{region}.amazonaws.com/{account}/{name}`; other hosts, and other words before the name, are of what stands in
 * for AWS.
 */
const QUEUE_URL =
  /^https?:\/\/(?:sqs\.([a-z0-9-]{1,32})\.[^/?#\\\s]+|[^/?#\\\s]+)\/(?:[\w-]{1,80}\/){0,3}?(?:(\d{12})\/)?([\w-]{1,80}(?:\.fifo)?)$/;

/** ARN of the queue that a URL names. A URL of another form would be read in another way by the service. */
function queueArn(queueUrl: string, place: Place): string {
  const [found, region = place.region, accountId = place.accountId, name = ''] = QUEUE_URL.exec(queueUrl) ?? [];
  if (found === undefined) throw new ActionError('the queueUrl is no URL of a queue', false);
  return `arn:aws:sqs:${region}:${accountId}:${name}`;
}

export const sqs: ActionType<ParametersOf<'sqs'>> = {
  name: 'SqsAction',
  resource: ({ queueUrl = '' }) => queueUrl,
  permissions: ({ parameters: { queueUrl = '' } }, place) => [{ action: 'sqs:SendMessage', resource: queueArn(queueUrl, place) }],
  run: ([{ parameters, payload }], { aws, place, role, signal }) =>
    asking(async () => {
      const { SendMessageCommand, SQSClient } = await import('@aws-sdk/client-sqs');
      // The queue's URL is a name here, not the place to send to: that is the operator's to say.
      const client = aws.client({ place, role }, 'sqs', (config) => new SQSClient({ ...config, useQueueUrlAsEndpoint: false }));
      const message = payload.toString(parameters.useBase64 ? 'base64' : 'utf8');
      await client.send(new SendMessageCommand({ QueueUrl: parameters.queueUrl, MessageBody: message }), { abortSignal: signal });
    }),
};
