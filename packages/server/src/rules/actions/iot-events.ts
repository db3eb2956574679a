/** The iotEvents action: BatchPutMessage (developer guide, page iotevents-rule-action). */
import { fail } from '@thingkeep/wire/errors.ts';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';
import { recordsOf } from './json-payload.ts';

/** Messages of one request. */
const MOST = 10;

export const iotEvents: ActionType<ParametersOf<'iotEvents'>> = {
  name: 'IotEventsAction',
  resource: ({ inputName = '' }) => inputName,
  permissions: ({ parameters }, place) => [
    { action: 'iotevents:BatchPutMessage', resource: serviceArn('iotevents', place, 'input/', parameters.inputName) },
  ],
  check({ batchMode = false, messageId }) {
    if (batchMode && messageId !== undefined) fail('InvalidRequestException', 'In batchMode there can be no messageId');
  },
  run: ([order], { aws, place, role, signal }) =>
    asking(async () => {
      const { BatchPutMessageCommand, IoTEventsDataClient } = await import('@aws-sdk/client-iot-events-data');
      const client = aws.client({ place, role }, 'iotevents', (config) => new IoTEventsDataClient(config));
      const { inputName, messageId, batchMode = false } = order.parameters;
      const messages = recordsOf(order, batchMode, MOST).map((payload, i) => ({
        inputName,
        payload,
        messageId: messageId && !batchMode ? messageId : `${order.id}-${i}`,
      }));
      const answer = await client.send(new BatchPutMessageCommand({ messages }), { abortSignal: signal });
      const [fault] = answer.BatchPutMessageErrorEntries ?? [];
      if (fault !== undefined)
        throw new ActionError(
          `${fault.errorCode}: ${fault.errorMessage}`,
          /Throttl|Internal|Unavailable/.test(fault.errorCode ?? ''),
        );
    }),
};
