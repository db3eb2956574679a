/** The small packets: PUBACK, PINGRESP, DISCONNECT [MQTT5 3.4, 3.13, 3.14]. */
import { PACKET, type ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { Cursor } from './cursor.ts';
import { MqttError } from './mqtt-error.ts';
import { encodeProperties, type Properties, readProperties } from './properties.ts';
import { encodeVarint } from './varint.ts';

export const PINGRESP = Buffer.of(PACKET.PINGRESP << 4, 0);

/** Reason codes of a client's PUBACK and DISCONNECT [MQTT5 3.4.2.1, 3.14.2.1]; of DISCONNECT, those of a client alone. */
const PUBACK_REASONS: ReadonlySet<number> = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
const DISCONNECT_REASONS: ReadonlySet<number> = new Set([
  ...[0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90],
  ...[0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99],
]);

/** [MQTT-3.4.2-1, MQTT-3.14.2-1] */
function checkReason(packet: string, reason: number, known: ReadonlySet<number>): void {
  if (!known.has(reason))
    throw new MqttError(
      REASON.PROTOCOL_ERROR,
      `a ${packet} with reason code 0x${reason.toString(16).padStart(2, '0')}, which a client may not send`,
    );
}

export interface Puback {
  readonly packetId: number;
  readonly reason: number;
}

export function parsePuback(level: ProtocolLevel, bytes: Buffer, start: number, end: number): Puback {
  const cursor = new Cursor(bytes, start, end);
  const packetId = cursor.uint16();
  if (packetId === 0) throw new MqttError(REASON.MALFORMED_PACKET, 'packet identifier 0');
  if (level === 4 || cursor.left === 0) {
    cursor.done();
    return { packetId, reason: REASON.SUCCESS };
  }
  const reason = cursor.byte();
  checkReason('PUBACK', reason, PUBACK_REASONS);
  if (cursor.left > 0) readProperties(cursor, 'PUBACK');
  cursor.done();
  return { packetId, reason };
}

export const encodePuback = (level: ProtocolLevel, packetId: number, reason: number): Buffer =>
  level === 4 || reason === REASON.SUCCESS
    ? Buffer.of(PACKET.PUBACK << 4, 2, packetId >> 8, packetId & 0xff)
    : Buffer.of(PACKET.PUBACK << 4, 3, packetId >> 8, packetId & 0xff, reason);

export interface Disconnect {
  readonly reason: number;
  readonly properties: Properties;
}

export function parseDisconnect(level: ProtocolLevel, bytes: Buffer, start: number, end: number): Disconnect {
  const cursor = new Cursor(bytes, start, end);
  if (level === 4 || cursor.left === 0) {
    cursor.done();
    return { reason: REASON.NORMAL_DISCONNECTION, properties: {} };
  }
  const reason = cursor.byte();
  checkReason('DISCONNECT', reason, DISCONNECT_REASONS);
  const properties = cursor.left > 0 ? readProperties(cursor, 'DISCONNECT') : {};
  cursor.done();
  return { reason, properties };
}

/** A server's DISCONNECT: MQTT 5 only, MQTT 3.1.1 servers just close. */
export function encodeDisconnect(reason: number, reasonString?: string): Buffer {
  if (reasonString === undefined) return Buffer.of(PACKET.DISCONNECT << 4, 1, reason);
  const body = Buffer.concat([Buffer.of(reason), encodeProperties({ reasonString })]);
  return Buffer.concat([Buffer.of(PACKET.DISCONNECT << 4), encodeVarint(body.length), body]);
}
