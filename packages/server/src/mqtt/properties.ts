/** Reading and writing MQTT 5 properties by the table in wire/mqtt/properties.ts. */
import { PROPERTIES, type PropertyPlace, type PropertyRow } from '@thingkeep/wire/mqtt/properties.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Cursor } from './cursor.ts';
import { MqttError } from './mqtt-error.ts';
import { encodeVarint } from './varint.ts';

export interface Properties {
  payloadFormatIndicator?: number;
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  subscriptionIdentifier?: number;
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Buffer;
  requestProblemInformation?: number;
  willDelayInterval?: number;
  requestResponseInformation?: number;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQoS?: number;
  retainAvailable?: number;
  userProperty?: [string, string][];
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: number;
  subscriptionIdentifierAvailable?: number;
  sharedSubscriptionAvailable?: number;
}

type PropertyValue = number | string | Buffer | [string, string][];

const BY_ID: readonly (PropertyRow | undefined)[] = Array.from({ length: 128 }, (_, id) =>
  PROPERTIES.find((row) => row.id === id),
);

/** Properties whose byte is a truth value: 0 or 1, anything else is a protocol error. */
const TRUTH = new Set(['payloadFormatIndicator', 'requestProblemInformation', 'requestResponseInformation']);
/** Properties that must not be 0 [MQTT5 3.1.2.11.3, 3.1.2.11.4, 3.3.2.3.8]. */
const NOT_ZERO = new Set(['receiveMaximum', 'maximumPacketSize', 'subscriptionIdentifier']);

function readValue(cursor: Cursor, row: PropertyRow): PropertyValue {
  switch (row.form) {
    case 'byte':
      return cursor.byte();
    case 'two-byte':
      return cursor.uint16();
    case 'four-byte':
      return cursor.uint32();
    case 'varint':
      return cursor.varint();
    case 'string':
      return cursor.text();
    case 'binary':
      return cursor.binary();
    case 'string-pair':
      return [[cursor.text(), cursor.text()]];
  }
}

/** Reads a property length and that many bytes of properties. */
export function readProperties(cursor: Cursor, place: PropertyPlace): Properties {
  const length = cursor.varint();
  const end = cursor.at + length;
  if (end > cursor.end) throw new MqttError(REASON.MALFORMED_PACKET, 'the properties are longer than the packet');
  const found: Record<string, PropertyValue> = {};
  while (cursor.at < end) {
    const row = BY_ID[cursor.byte()];
    if (row === undefined || !row.places.includes(place))
      throw new MqttError(REASON.MALFORMED_PACKET, `a property does not belong in ${place}`);
    const value = readValue(cursor, row);
    if (cursor.at > end) throw new MqttError(REASON.MALFORMED_PACKET, 'a property is cut short');
    if (row.name === 'userProperty') {
      const pairs = (found[row.name] as [string, string][] | undefined) ?? [];
      pairs.push(...(value as [string, string][]));
      found[row.name] = pairs;
      continue;
    }
    if (Object.hasOwn(found, row.name)) throw new MqttError(REASON.PROTOCOL_ERROR, `property ${row.name} comes twice`);
    if ((TRUTH.has(row.name) && (value as number) > 1) || (NOT_ZERO.has(row.name) && value === 0))
      throw new MqttError(REASON.PROTOCOL_ERROR, `property ${row.name} has a value that it can't have`);
    found[row.name] = value;
  }
  return found as Properties;
}

export const encodeText = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  const out = Buffer.alloc(2 + bytes.length);
  out.writeUInt16BE(bytes.length);
  bytes.copy(out, 2);
  return out;
};

const encodeBinary = (value: Buffer): Buffer => {
  const out = Buffer.alloc(2 + value.length);
  out.writeUInt16BE(value.length);
  value.copy(out, 2);
  return out;
};

function encodeValue(row: PropertyRow, value: PropertyValue): Buffer {
  switch (row.form) {
    case 'byte':
      return Buffer.of(row.id, value as number);
    case 'two-byte': {
      const out = Buffer.of(row.id, 0, 0);
      out.writeUInt16BE(value as number, 1);
      return out;
    }
    case 'four-byte': {
      const out = Buffer.of(row.id, 0, 0, 0, 0);
      out.writeUInt32BE(value as number, 1);
      return out;
    }
    case 'varint':
      return Buffer.concat([Buffer.of(row.id), encodeVarint(value as number)]);
    case 'string':
      return Buffer.concat([Buffer.of(row.id), encodeText(value as string)]);
    case 'binary':
      return Buffer.concat([Buffer.of(row.id), encodeBinary(value as Buffer)]);
    case 'string-pair':
      return Buffer.concat((value as [string, string][]).flatMap(([k, v]) => [Buffer.of(row.id), encodeText(k), encodeText(v)]));
  }
}

/** Property length and properties, in the table's order. */
export function encodeProperties(properties: Properties): Buffer {
  const parts: Buffer[] = [];
  for (const row of PROPERTIES) {
    const value = (properties as Record<string, PropertyValue | undefined>)[row.name];
    if (value !== undefined) parts.push(encodeValue(row, value));
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([encodeVarint(body.length), body]);
}
