/** SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK [MQTT311 3.8 to 3.11; MQTT5 3.8 to 3.11]. */
import { PACKET, type ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { Cursor } from './cursor.ts';
import { MqttError } from './mqtt-error.ts';
import { type Properties, readProperties } from './properties.ts';
import { encodeVarint } from './varint.ts';

export interface SubscribeEntry {
  readonly filter: string;
  /** As asked: 0, 1 or 2. */
  readonly qos: number;
  /** MQTT 5: don't send me my own messages. */
  readonly noLocal: boolean;
  /** MQTT 5: keep the RETAIN flag as published. */
  readonly retainAsPublished: boolean;
  /** MQTT 5: 0 send retained messages, 1 only for a new subscription, 2 never. */
  readonly retainHandling: number;
}

export interface Subscribe {
  readonly packetId: number;
  readonly entries: readonly SubscribeEntry[];
  readonly properties: Properties;
}

export interface Unsubscribe {
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

const readPacketId = (cursor: Cursor): number => {
  const id = cursor.uint16();
  if (id === 0) throw new MqttError(REASON.MALFORMED_PACKET, 'packet identifier 0'); // [MQTT-2.3.1-1]
  return id;
};

function readOptions(cursor: Cursor, level: ProtocolLevel): Omit<SubscribeEntry, 'filter'> {
  const options = cursor.byte();
  const qos = options & 3;
  const reserved = level === 4 ? 0xfc : 0xc0;
  if (qos === 3 || (options & reserved) !== 0)
    throw new MqttError(REASON.MALFORMED_PACKET, 'reserved bits of the subscription options are set'); // [MQTT-3.8.3-4]
  const retainHandling = (options >> 4) & 3;
  if (retainHandling === 3) throw new MqttError(REASON.PROTOCOL_ERROR, 'retain handling 3');
  return { qos, noLocal: (options & 4) !== 0, retainAsPublished: (options & 8) !== 0, retainHandling };
}

export function parseSubscribe(level: ProtocolLevel, bytes: Buffer, start: number, end: number): Subscribe {
  const cursor = new Cursor(bytes, start, end);
  const packetId = readPacketId(cursor);
  const properties = level === 5 ? readProperties(cursor, 'SUBSCRIBE') : {};
  const entries: SubscribeEntry[] = [];
  while (cursor.left > 0) {
    const filter = cursor.text();
    entries.push({ filter, ...readOptions(cursor, level) });
  }
  if (entries.length === 0) throw new MqttError(REASON.PROTOCOL_ERROR, 'a SUBSCRIBE without filters'); // [MQTT-3.8.3-3]
  return { packetId, entries, properties };
}

export function parseUnsubscribe(level: ProtocolLevel, bytes: Buffer, start: number, end: number): Unsubscribe {
  const cursor = new Cursor(bytes, start, end);
  const packetId = readPacketId(cursor);
  const properties = level === 5 ? readProperties(cursor, 'UNSUBSCRIBE') : {};
  const filters: string[] = [];
  while (cursor.left > 0) filters.push(cursor.text());
  if (filters.length === 0) throw new MqttError(REASON.PROTOCOL_ERROR, 'an UNSUBSCRIBE without filters'); // [MQTT-3.10.3-2]
  return { packetId, filters, properties };
}

const encodeAcknowledgement = (type: number, level: ProtocolLevel, packetId: number, codes: readonly number[]): Buffer => {
  const head = level === 5 ? Buffer.of(packetId >> 8, packetId & 0xff, 0) : Buffer.of(packetId >> 8, packetId & 0xff);
  const body = Buffer.concat([head, Buffer.from(codes)]);
  return Buffer.concat([Buffer.of(type << 4), encodeVarint(body.length), body]);
};

export const encodeSuback = (level: ProtocolLevel, packetId: number, codes: readonly number[]): Buffer =>
  encodeAcknowledgement(PACKET.SUBACK, level, packetId, codes);

/** An UNSUBACK; MQTT 3.1.1 has no codes in it. */
export const encodeUnsuback = (level: ProtocolLevel, packetId: number, codes: readonly number[]): Buffer =>
  encodeAcknowledgement(PACKET.UNSUBACK, level, packetId, level === 5 ? codes : []);
