/** Limits of AWS on the MQTT 5 properties of messages and other packets. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import { MqttError } from '../../mqtt/mqtt-error.ts';
import type { Properties } from '../../mqtt/properties.ts';

/** Message expiry is 1 to 604,800 seconds here, whatever was asked (developer guide, page mqtt). */
export function clampExpiry(properties: Properties): void {
  if (properties.messageExpiryInterval !== undefined)
    properties.messageExpiryInterval = Math.min(Math.max(properties.messageExpiryInterval, 1), LIMITS.messageExpiryMost);
}

/** Limits of AWS on what a message carries (developer guide, page mqtt). */
export function checkProperties(properties: Properties): void {
  const { topicAlias, subscriptionIdentifier, responseTopic, contentType, correlationData } = properties;
  if (topicAlias !== undefined && (topicAlias === 0 || topicAlias > LIMITS.topicAliases))
    throw new MqttError(REASON.TOPIC_ALIAS_INVALID, `topic alias ${topicAlias}`);
  if (subscriptionIdentifier !== undefined)
    throw new MqttError(REASON.PROTOCOL_ERROR, 'a subscription identifier in a PUBLISH from a client'); // [MQTT-3.3.4-6]
  if (responseTopic !== undefined && topicFault(responseTopic) !== undefined)
    throw new MqttError(REASON.PROTOCOL_ERROR, 'the response topic is no topic'); // [MQTT-3.3.2-14]
  if (contentType !== undefined && Buffer.byteLength(contentType) > LIMITS.contentTypeBytes)
    throw new MqttError(REASON.QUOTA_EXCEEDED, 'a content type over 256 bytes');
  if (correlationData !== undefined && correlationData.length > LIMITS.correlationDataBytes)
    throw new MqttError(REASON.QUOTA_EXCEEDED, 'correlation data over 8 KB');
  checkUserProperties(properties);
}

/** Names and values of all user properties of a packet together, whatever packet it is (developer guide, page mqtt). */
export function checkUserProperties({ userProperty = [] }: Properties): void {
  let size = 0;
  for (const [name, value] of userProperty) size += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (size > LIMITS.userPropertyBytes) throw new MqttError(REASON.QUOTA_EXCEEDED, 'user properties over 8 KB');
}
