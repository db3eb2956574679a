/** MQTT 5 properties: identifier, form on the wire, packets that may carry each [MQTT5 2.2.2.2]. */

export type PropertyForm = 'byte' | 'two-byte' | 'four-byte' | 'varint' | 'string' | 'string-pair' | 'binary';

/** Places that carry properties; WILL is the will part of a CONNECT. */
export type PropertyPlace =
  | 'CONNECT'
  | 'CONNACK'
  | 'WILL'
  | 'PUBLISH'
  | 'PUBACK'
  | 'SUBSCRIBE'
  | 'SUBACK'
  | 'UNSUBSCRIBE'
  | 'UNSUBACK'
  | 'DISCONNECT'
  | 'AUTH';

export interface PropertyRow {
  readonly id: number;
  readonly name: string;
  readonly form: PropertyForm;
  readonly places: readonly PropertyPlace[];
}

const row = (id: number, name: string, form: PropertyForm, ...places: PropertyPlace[]): PropertyRow => ({
  id,
  name,
  form,
  places,
});

export const PROPERTIES = [
  row(0x01, 'payloadFormatIndicator', 'byte', 'PUBLISH', 'WILL'),
  row(0x02, 'messageExpiryInterval', 'four-byte', 'PUBLISH', 'WILL'),
  row(0x03, 'contentType', 'string', 'PUBLISH', 'WILL'),
  row(0x08, 'responseTopic', 'string', 'PUBLISH', 'WILL'),
  row(0x09, 'correlationData', 'binary', 'PUBLISH', 'WILL'),
  row(0x0b, 'subscriptionIdentifier', 'varint', 'PUBLISH', 'SUBSCRIBE'),
  row(0x11, 'sessionExpiryInterval', 'four-byte', 'CONNECT', 'CONNACK', 'DISCONNECT'),
  row(0x12, 'assignedClientIdentifier', 'string', 'CONNACK'),
  row(0x13, 'serverKeepAlive', 'two-byte', 'CONNACK'),
  row(0x15, 'authenticationMethod', 'string', 'CONNECT', 'CONNACK', 'AUTH'),
  row(0x16, 'authenticationData', 'binary', 'CONNECT', 'CONNACK', 'AUTH'),
  row(0x17, 'requestProblemInformation', 'byte', 'CONNECT'),
  row(0x18, 'willDelayInterval', 'four-byte', 'WILL'),
  row(0x19, 'requestResponseInformation', 'byte', 'CONNECT'),
  row(0x1a, 'responseInformation', 'string', 'CONNACK'),
  row(0x1c, 'serverReference', 'string', 'CONNACK', 'DISCONNECT'),
  row(0x1f, 'reasonString', 'string', 'CONNACK', 'PUBACK', 'SUBACK', 'UNSUBACK', 'DISCONNECT', 'AUTH'),
  row(0x21, 'receiveMaximum', 'two-byte', 'CONNECT', 'CONNACK'),
  row(0x22, 'topicAliasMaximum', 'two-byte', 'CONNECT', 'CONNACK'),
  row(0x23, 'topicAlias', 'two-byte', 'PUBLISH'),
  row(0x24, 'maximumQoS', 'byte', 'CONNACK'),
  row(0x25, 'retainAvailable', 'byte', 'CONNACK'),
  row(
    0x26,
    'userProperty',
    'string-pair',
    'CONNECT',
    'CONNACK',
    'WILL',
    'PUBLISH',
    'PUBACK',
    'SUBSCRIBE',
    'SUBACK',
    'UNSUBSCRIBE',
    'UNSUBACK',
    'DISCONNECT',
    'AUTH',
  ),
  row(0x27, 'maximumPacketSize', 'four-byte', 'CONNECT', 'CONNACK'),
  row(0x28, 'wildcardSubscriptionAvailable', 'byte', 'CONNACK'),
  row(0x29, 'subscriptionIdentifierAvailable', 'byte', 'CONNACK'),
  row(0x2a, 'sharedSubscriptionAvailable', 'byte', 'CONNACK'),
] as const satisfies readonly PropertyRow[];
