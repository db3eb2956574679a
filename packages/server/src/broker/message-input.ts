/** What a message over HTTP brings beside its payload, checked and as MQTT 5 properties (API reference, iot-data Publish). */
import { parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import type { Properties } from '../mqtt/properties.ts';

export interface MessageInput {
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  /** Seconds; 0 for none. */
  readonly messageExpiry?: number | undefined;
  readonly payloadFormatIndicator?: string | undefined;
  /** JSON text `[{"name": "value"}, ...]`. */
  readonly userProperties?: string | undefined;
  /** Base64. */
  readonly correlationData?: string | undefined;
}

const bad = (message: string): never => fail('InvalidRequestException', message);

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

export function propertiesOf(input: MessageInput): Properties {
  const { contentType, responseTopic, messageExpiry, payloadFormatIndicator } = input;
  if (responseTopic !== undefined && responseTopic !== '' && topicFault(responseTopic) !== undefined)
    bad('The response topic is not a valid topic');
  if (contentType !== undefined && Buffer.byteLength(contentType) > LIMITS.contentTypeBytes)
    bad('The content type is over 256 bytes');
  const pairs = userProperties(input.userProperties);
  const size = (pairs ?? []).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size > LIMITS.userPropertyBytes) bad('The user properties are over 8 KB');
  // What JSON and URLs can carry, a string of MQTT can not [MQTT-1.5.4-2].
  if ([contentType, ...(pairs ?? []).flat()].some((text) => text?.includes('\0'))) bad('A property holds the character U+0000');
  return {
    payloadFormatIndicator: payloadFormatIndicator === undefined ? undefined : payloadFormatIndicator === 'UTF8_DATA' ? 1 : 0,
    contentType: contentType ? contentType : undefined,
    responseTopic: responseTopic ? responseTopic : undefined,
    messageExpiryInterval:
      messageExpiry === undefined || messageExpiry === 0
        ? undefined
        : Math.min(Math.max(messageExpiry, 1), LIMITS.messageExpiryMost),
    userProperty: pairs,
    correlationData: input.correlationData === undefined ? undefined : correlation(input.correlationData),
  };
}
