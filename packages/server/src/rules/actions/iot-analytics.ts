/** The iotAnalytics action: BatchPutMessage (developer guide, page iotanalytics-rule-action). */
import { fail } from '@thingkeep/wire/errors.ts';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';
import { recordsOf } from './json-payload.ts';

/** Messages of one request. */
const MOST = 100;

const channelOf = ({ channelName, channelArn }: ParametersOf<'iotAnalytics'>): string =>
  channelName ?? channelArn?.split('/').at(-1) ?? '';

export const iotAnalytics: ActionType<ParametersOf<'iotAnalytics'>> = {
  name: 'IotAnalyticsAction',
  resource: channelOf,
  permissions: ({ parameters }, place) => [
    {
      action: 'iotanalytics:BatchPutMessage',
      resource: serviceArn('iotanalytics', place, 'channel/', channelOf(parameters)),
    },
  ],
  check(parameters) {
    if (channelOf(parameters) === '') fail('InvalidRequestException', 'An iotAnalytics action needs a channelName');
  },
  run: ([order], { aws, place, role, signal }) =>
    asking(async () => {
      const { BatchPutMessageCommand, IoTAnalyticsClient } = await import('@aws-sdk/client-iotanalytics');
      const client = aws.client({ place, role }, 'iotanalytics', (config) => new IoTAnalyticsClient(config));
      const messages = recordsOf(order, order.parameters.batchMode ?? false, MOST).map((payload, i) => ({
        payload,
        messageId: `${order.id}-${i}`,
      }));
      const request = { channelName: channelOf(order.parameters), messages };
      const answer = await client.send(new BatchPutMessageCommand(request), { abortSignal: signal });
      const [fault] = answer.batchPutMessageErrorEntries ?? [];
      if (fault !== undefined) throw new ActionError(`${fault.errorCode}: ${fault.errorMessage}`, false);
    }),
};
