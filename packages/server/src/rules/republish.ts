/**
 * The republish action: what a rule made of a message becomes a message of its own (developer guide, page
 * republish-rule-action).
 */
import { TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import type { RepublishAction } from '@aws-sdk/client-iot';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { holdsControl } from '@thingkeep/wire/mqtt/characters.ts';
import type { Properties } from '../mqtt/properties.ts';
import type { RolePermissions } from './contract.ts';
import type { RepublishBuffer } from './republish-buffer.ts';

/** Reserved topics are written with two dollar signs, since one begins a template. */
export const republishTopic = (topic: string): string => (topic.startsWith('$$') ? topic.slice(1) : topic);

/** Puts the message into the outbox. Gives the reason when it can't be published, undefined when it can. */
export function republish(
  { topic: written = '', qos = 0, headers, roleArn = '' }: RepublishAction,
  payload: Buffer,
  outbox: RepublishBuffer,
  permissions: RolePermissions | undefined,
): string | undefined {
  const name = republishTopic(written);
  const topic = outbox.topic(name);
  if (topic.fault !== undefined) return `the topic is not valid: ${TOPIC_FAULT_TEXT[topic.fault]}`;
  if (!topic.clientMayPublish || /^\$aws\/things\/[^/]*\/jobs\//.test(name)) return `rules may not publish on ${name}`;
  if (payload.length > LIMITS.payload) return 'the payload is over 128 KB';
  if (permissions !== undefined && !permissions.may('iot:Publish', topic.arn))
    return permissions.fault ?? `the role ${roleArn} does not allow iot:Publish on ${topic.arn}`;
  if (outbox.loops) return 'the message has come through too many rules: it goes in a circle';
  if (headers === undefined) {
    outbox.put(topic, qos, payload);
    return undefined;
  }
  const properties = propertiesOf(headers);
  if (typeof properties === 'string') return properties;
  outbox.put(topic, qos, payload, properties);
  return undefined;
}

/** MQTT 5 properties; a text says what is wrong with a header. An empty header is none: its template found nothing. */
function propertiesOf(headers: NonNullable<RepublishAction['headers']>): Properties | string {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, messageExpiry, userProperties } = headers;
  const properties: Properties = {};
  if (payloadFormatIndicator) {
    const at = ['UNSPECIFIED_BYTES', 'UTF8_DATA'].indexOf(payloadFormatIndicator);
    if (at < 0) return 'payloadFormatIndicator is neither UNSPECIFIED_BYTES nor UTF8_DATA';
    properties.payloadFormatIndicator = at;
  }
  if (contentType) {
    if (Buffer.byteLength(contentType) > LIMITS.contentTypeBytes) return 'contentType is over 256 bytes';
    properties.contentType = contentType;
  }
  if (responseTopic) {
    const topic = republishTopic(responseTopic);
    if (/[+#]/.test(topic) || holdsControl(topic)) return 'responseTopic is no topic';
    properties.responseTopic = topic;
  }
  if (correlationData) {
    const bytes = Buffer.from(correlationData, 'base64');
    if (bytes.length > LIMITS.correlationDataBytes) return 'correlationData is over 8 KB';
    properties.correlationData = bytes;
  }
  if (messageExpiry) {
    const seconds = Number(messageExpiry);
    if (!Number.isInteger(seconds) || seconds < 0) return 'messageExpiry is no number of seconds';
    properties.messageExpiryInterval = Math.min(Math.max(seconds, 1), LIMITS.messageExpiryMost);
  }
  const pairs = (userProperties ?? []).map(({ key = '', value = '' }): [string, string] => [key, value]);
  if (pairs.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0) > LIMITS.userPropertyBytes)
    return 'userProperties are over 8 KB';
  if (pairs.length > 0) properties.userProperty = pairs;
  return properties;
}
