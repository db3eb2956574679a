/** CONNECT and CONNACK, MQTT 3.1.1 and 5 [MQTT311 3.1, 3.2; MQTT5 3.1, 3.2]. */
import { PACKET, type ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { Cursor } from './cursor.ts';
import { MqttError } from './mqtt-error.ts';
import { encodeProperties, type Properties, readProperties } from './properties.ts';
import { encodeVarint } from './varint.ts';

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  /** As asked; 2 is not served. */
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface Connect {
  readonly level: ProtocolLevel;
  /** Clean Session of MQTT 3.1.1, Clean Start of MQTT 5. */
  readonly clean: boolean;
  /** Seconds, as the client asked. */
  readonly keepAlive: number;
  readonly clientId: string;
  readonly will?: Will;
  readonly userName?: string;
  readonly password?: Buffer;
  readonly properties: Properties;
}

/** A CONNECT of a protocol or version that is not spoken here; the level tells how to say so. */
export class UnsupportedProtocol extends MqttError {
  readonly level: number;

  constructor(level: number) {
    super(
      REASON.UNSUPPORTED_PROTOCOL_VERSION,
      `protocol level ${level} is not supported: use MQTT 3.1.1 (level 4) or MQTT 5 (level 5)`,
    );
    this.level = level;
  }
}

const FLAG = { RESERVED: 0x01, CLEAN: 0x02, WILL: 0x04, WILL_RETAIN: 0x20, PASSWORD: 0x40, USER_NAME: 0x80 } as const;

function readLevel(cursor: Cursor): ProtocolLevel {
  const name = cursor.text();
  if (name !== 'MQTT' && name !== 'MQIsdp') throw new MqttError(REASON.MALFORMED_PACKET, 'the protocol name is not MQTT');
  const level = cursor.byte();
  if (name !== 'MQTT' || (level !== 4 && level !== 5)) throw new UnsupportedProtocol(level);
  return level;
}

function readWill(cursor: Cursor, level: ProtocolLevel, flags: number): Will {
  const qos = (flags >> 3) & 3;
  if (qos === 3) throw new MqttError(REASON.MALFORMED_PACKET, 'the will QoS is 3');
  const properties = level === 5 ? readProperties(cursor, 'WILL') : {};
  const topic = cursor.text();
  const payload = cursor.binary();
  return { topic, payload, qos: qos as 0 | 1 | 2, retain: (flags & FLAG.WILL_RETAIN) !== 0, properties };
}

function checkFlags(flags: number, level: ProtocolLevel): void {
  if ((flags & FLAG.RESERVED) !== 0) throw new MqttError(REASON.MALFORMED_PACKET, 'the reserved CONNECT flag is set'); // [MQTT-3.1.2-3]
  if ((flags & FLAG.WILL) === 0 && (flags & (FLAG.WILL_RETAIN | 0x18)) !== 0)
    throw new MqttError(REASON.MALFORMED_PACKET, 'will QoS or retain without a will'); // [MQTT-3.1.2-11, 3.1.2-13, 3.1.2-15]
  if (level === 4 && (flags & FLAG.PASSWORD) !== 0 && (flags & FLAG.USER_NAME) === 0)
    throw new MqttError(REASON.MALFORMED_PACKET, 'a password without a user name'); // [MQTT-3.1.2-22]
}

/** Parses the body of a CONNECT: the bytes from `start` to `end`. */
export function parseConnect(bytes: Buffer, start: number, end: number): Connect {
  const cursor = new Cursor(bytes, start, end);
  const level = readLevel(cursor);
  const flags = cursor.byte();
  checkFlags(flags, level);
  const keepAlive = cursor.uint16();
  const properties = level === 5 ? readProperties(cursor, 'CONNECT') : {};
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined)
    throw new MqttError(REASON.PROTOCOL_ERROR, 'authentication data without a method');
  const clientId = cursor.text();
  const will = (flags & FLAG.WILL) !== 0 ? readWill(cursor, level, flags) : undefined;
  const userName = (flags & FLAG.USER_NAME) !== 0 ? cursor.text() : undefined;
  const password = (flags & FLAG.PASSWORD) !== 0 ? cursor.binary() : undefined;
  cursor.done();
  return { level, clean: (flags & FLAG.CLEAN) !== 0, keepAlive, clientId, will, userName, password, properties };
}

export function encodeConnack(level: ProtocolLevel, code: number, sessionPresent: boolean, properties: Properties = {}): Buffer {
  const flags = sessionPresent ? 1 : 0;
  if (level === 4) return Buffer.of(PACKET.CONNACK << 4, 2, flags, code);
  const body = Buffer.concat([Buffer.of(flags, code), encodeProperties(properties)]);
  return Buffer.concat([Buffer.of(PACKET.CONNACK << 4), encodeVarint(body.length), body]);
}
