/** Limits and features of a CONNECT that need no identity. */
import { randomUUID } from 'node:crypto';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { holdsControl } from '@thingkeep/wire/mqtt/characters.ts';
import { REASON, RETURN_CODE } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { topicFault, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import { type Connect, encodeConnack } from '../../../mqtt/connect.ts';
import { checkProperties, checkUserProperties } from '../../message/message-properties.ts';
import type { Client } from '../client.ts';
import type { ValidConnect } from './connect-attempt.ts';
import { refuseConnect } from './refuse-connect.ts';

/** Gives a CONNECT without a client id one. Refuses, and gives nothing, when a limit is broken. */
export function validateConnect(client: Client, sent: Connect): ValidConnect | undefined {
  const { clientId, level, will } = sent;
  const fault = connectViolation(sent);
  if (fault !== undefined) {
    // By way of bytes: a slice of a string keeps the whole of it in memory, for as long as the refusal is remembered.
    client.identity.setClientId(Buffer.from(clientId.slice(0, LIMITS.clientId)).toString());
    // [MQTT-3.1.3-8; MQTT311 3.2.2.3]
    if (level === 4 && fault.code !== undefined) client.output.append(encodeConnack(4, fault.code, false));
    refuseConnect(client, fault.reason, { check: fault.check, reason: fault.text });
    return undefined;
  }
  checkUserProperties(sent.properties);
  if (level === 5 && will !== undefined) checkProperties(will.properties);
  const isAssigned = clientId === '';
  return { client, connect: isAssigned ? { ...sent, clientId: randomUUID() } : sent, isAssigned };
}

interface ConnectViolation {
  readonly check: 'client-id' | 'limit' | 'topic' | 'protocol';
  readonly reason: number;
  /** Return code of the CONNACK of MQTT 3.1.1; without one the connection is closed without a CONNACK. */
  readonly code?: number;
  readonly text: string;
}

const clientIdViolation = (text: string): ConnectViolation => ({
  check: 'client-id',
  reason: REASON.CLIENT_IDENTIFIER_NOT_VALID,
  code: RETURN_CODE.IDENTIFIER_REJECTED,
  text,
});

function connectViolation({ clientId, level, clean, properties, will, userName }: Connect): ConnectViolation | undefined {
  if (Buffer.byteLength(clientId) > LIMITS.clientId)
    return clientIdViolation(`a client identifier over ${LIMITS.clientId} bytes`);
  if (clientId.startsWith('$')) return clientIdViolation('a client identifier that begins with $');
  if (holdsControl(clientId)) return clientIdViolation('a client identifier with a control character');
  if (clientId === '' && level === 4 && !clean) return clientIdViolation('no client identifier, and no clean session');
  if (userName !== undefined && holdsControl(userName))
    return {
      check: 'protocol',
      reason: REASON.BAD_USER_NAME_OR_PASSWORD,
      code: RETURN_CODE.BAD_USER_NAME_OR_PASSWORD,
      text: 'a user name with a control character',
    };
  const { maximumPacketSize } = properties;
  if (maximumPacketSize !== undefined && maximumPacketSize < LIMITS.smallestMaximumPacketSize)
    return {
      check: 'limit',
      reason: REASON.QUOTA_EXCEEDED,
      text: `a Maximum Packet Size under ${LIMITS.smallestMaximumPacketSize} bytes`,
    };
  if (will?.qos === 2)
    return { check: 'protocol', reason: REASON.QOS_NOT_SUPPORTED, text: 'the will QoS is 2: use QoS 0 or 1, as on AWS' }; // [MQTT-3.2.2-12]
  if (properties.authenticationMethod !== undefined)
    return { check: 'protocol', reason: REASON.UNSPECIFIED, text: 'enhanced authentication is not supported' };
  const fault = will === undefined ? undefined : topicFault(will.topic);
  if (fault === undefined) return undefined;
  const text = `a will topic that is not valid: ${TOPIC_FAULT_TEXT[fault]}`;
  return { check: 'topic', reason: REASON.TOPIC_NAME_INVALID, text };
}
