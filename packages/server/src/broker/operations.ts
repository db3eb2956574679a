/** The broker's part of the data plane API: publishing over HTTP (API reference, iot-data Publish). */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { parseJson } from '@thingkeep/wire/api/parse-json.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import { encodeProperties, type Properties } from '../mqtt/properties.ts';
import type { Broker } from './broker.ts';

export type PublishInput = IotDataOperations['Publish']['input'];

/** Publishes for a caller who has been authorized. Resolves once what must be stored is stored. */
export type PublishMessage = (place: Place, input: PublishInput) => Promise<void>;

const bad = (message: string): never => fail('InvalidRequestException', message);

/** The JSON text `[{"name": "value"}, ...]` (API reference, Publish, userProperties). */
function userProperties(text: string | undefined): [string, string][] | undefined {
  if (text === undefined) return undefined;
  const list = parseJson(text);
  if (!Array.isArray(list)) return bad('The MQTT 5 user properties are not a JSON array');
  const pairs: [string, string][] = [];
  for (const entry of list) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return bad('A user property is not an object');
    for (const [name, value] of Object.entries(entry)) {
      if (typeof value !== 'string') return bad('The value of a user property is not a string');
      pairs.push([name, value]);
    }
  }
  return pairs;
}

function correlation(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length <= LIMITS.correlationDataBytes ? bytes : bad('The correlation data is over 8 KB');
}

function propertiesOf(input: PublishInput): Properties {
  const { contentType, responseTopic, messageExpiry, payloadFormatIndicator } = input;
  if (responseTopic !== undefined && responseTopic !== '' && topicFault(responseTopic) !== undefined)
    bad('The response topic is not a valid topic');
  if (contentType !== undefined && Buffer.byteLength(contentType) > LIMITS.contentTypeBytes)
    bad('The content type is over 256 bytes');
  const pairs = userProperties(input.userProperties as string | undefined);
  const size = (pairs ?? []).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size > LIMITS.userPropertyBytes) bad('The user properties are over 8 KB');
  // What JSON and URLs can carry, a string of MQTT can not [MQTT-1.5.4-2].
  if ([contentType, ...(pairs ?? []).flat()].some((text) => text?.includes('\0'))) bad('A property holds the character U+0000');
  return {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator: payloadFormatIndicator === 'UTF8_DATA' ? 1 : 0 }),
    ...(contentType ? { contentType } : {}),
    ...(responseTopic ? { responseTopic } : {}),
    ...(messageExpiry === undefined || messageExpiry === 0
      ? {}
      : { messageExpiryInterval: Math.min(Math.max(messageExpiry, 1), LIMITS.messageExpiryMost) }),
    ...(pairs === undefined ? {} : { userProperty: pairs }),
    ...(input.correlationData === undefined ? {} : { correlationData: correlation(input.correlationData) }),
  };
}

export const publisher =
  (broker: Broker): PublishMessage =>
  async ({ accountId, region }, input) => {
    const { topic: name = '', qos = 0, retain = false, payload } = input;
    const fault = topicFault(name);
    if (fault !== undefined) bad(`The topic is not valid: ${fault}`);
    const bytes = payload === undefined ? Buffer.alloc(0) : Buffer.from(payload);
    if (bytes.length > LIMITS.payload) bad('The payload exceeds the maximum size of 128 KB');
    if (retain && name.startsWith('$')) bad('A message on a reserved topic can not be retained');
    const account = broker.account(accountId, region);
    const topic = account.topic(name);
    if (!topic.open) bad(`Clients may not publish on ${name}`);
    const properties = propertiesOf(input);
    const { messageExpiryInterval: expiry } = properties;
    await broker.publishMessage(account, {
      topic,
      payload: bytes,
      qos,
      retain,
      properties: encodeProperties(properties),
      ...(expiry === undefined ? {} : { expiry }),
    });
  };

export const dataPlaneOperations = (publish: PublishMessage): Handlers<Pick<IotDataOperations, 'Publish'>> => ({
  async Publish(input, caller) {
    await publish(caller, input);
    return {};
  },
});
