/** Retained messages over the API (API reference, iot-data GetRetainedMessage and ListRetainedMessages). */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { topicFault, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import { Cursor } from '../mqtt/cursor.ts';
import { readProperties } from '../mqtt/properties.ts';
import type { Retained } from './routing/retained.ts';
import type { RetainedRecord } from './routing/retained-record.ts';

/** Entries of a page when the caller does not say. */
const PAGE = 200;

export const retainedOperations = (
  retained: Retained,
): Handlers<Pick<IotDataOperations, 'GetRetainedMessage' | 'ListRetainedMessages'>> => ({
  async GetRetainedMessage({ topic = '' }, caller) {
    const fault = topicFault(topic);
    if (fault !== undefined) fail('InvalidRequestException', `The topic is not valid: ${TOPIC_FAULT_TEXT[fault]}`);
    const record = await retained.get(caller, topic);
    if (record === undefined) return fail('ResourceNotFoundException', `There is no retained message on the topic ${topic}`);
    return {
      topic,
      payload: Buffer.from(record.payload, 'base64'),
      qos: record.qos,
      lastModifiedTime: record.lastModifiedAt,
      userProperties: userPropertiesOf(record),
    };
  },

  async ListRetainedMessages({ nextToken, maxResults = PAGE }, caller) {
    const after = nextToken === undefined || nextToken === '' ? {} : { after: nextToken };
    const { items, next } = await retained.list(caller, { limit: maxResults, ...after });
    return {
      retainedTopics: items.map(({ topic, payload, qos, lastModifiedAt }) => ({
        topic,
        payloadSize: Buffer.byteLength(payload, 'base64'),
        qos,
        lastModifiedTime: lastModifiedAt,
      })),
      nextToken: next,
    };
  },
});

/** JSON text `[{"name": "value"}, ...]`; undefined when the message has none. */
function userPropertiesOf({ properties }: RetainedRecord): Buffer | undefined {
  if (properties === undefined) return undefined;
  const bytes = Buffer.from(properties, 'base64');
  const { userProperty } = readProperties(new Cursor(bytes, 0, bytes.length), 'PUBLISH');
  if (userProperty === undefined) return undefined;
  return Buffer.from(JSON.stringify(userProperty.map(([name, value]) => ({ [name]: value }))));
}
