/** MQTT packets of the fleet, 3.1.1 and 5, and how they are found in what comes. Apart from the server's codec on purpose. */

export interface Hello {
  readonly clientId: string;
  /** 4 is MQTT 3.1.1. */
  readonly level?: 4 | 5;
  /** Clean Session or Clean Start; true unless said otherwise. */
  readonly clean?: boolean;
  /** Session Expiry Interval of MQTT 5, seconds. */
  readonly expiry?: number;
}

/** Seconds; the longest that AWS IoT keeps: an idle fleet has nothing to say. */
const KEEP_ALIVE = 1200;
const NOTHING = Buffer.alloc(0);

const short = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const text = (value: string): Buffer => Buffer.concat([short(Buffer.byteLength(value)), Buffer.from(value)]);
/** No properties (MQTT 5), or no field for them (3.1.1). */
const noProperties = (level: 4 | 5): Buffer => (level === 5 ? Buffer.of(0) : NOTHING);

export function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.of(first, ...length), body]);
}

export function connectPacket({ clientId, level = 4, clean = true, expiry = 0 }: Hello): Buffer {
  const lasts = Buffer.alloc(6);
  lasts[0] = 5;
  lasts[1] = 0x11;
  lasts.writeUInt32BE(expiry, 2);
  const properties = level === 5 ? lasts : NOTHING;
  return packet(0x10, text('MQTT'), Buffer.of(level, clean ? 2 : 0), short(KEEP_ALIVE), properties, text(clientId));
}

export const subscribePacket = (filters: readonly string[], qos: number, level: 4 | 5): Buffer =>
  packet(0x82, short(1), noProperties(level), ...filters.map((filter) => Buffer.concat([text(filter), Buffer.of(qos)])));

/** `id` is the packet identifier of QoS 1; absent, the message is of QoS 0. */
export const publishPacket = (topic: string, payload: Buffer, level: 4 | 5, id?: number): Buffer =>
  packet(id === undefined ? 0x30 : 0x32, text(topic), id === undefined ? NOTHING : short(id), noProperties(level), payload);

export const disconnectPacket = Buffer.of(0xe0, 0);

/** Bytes of a message's payload, where nothing else is said: when it was sent, its number, filler. */
export const PAYLOAD = 64;

/** A payload whose last 64 bytes say when (ms, a clock of the sender's choice) it was sent, and which message it is. */
export function stamped(at: number, number: number, size = PAYLOAD): Buffer {
  const payload = Buffer.alloc(size, 0x61);
  payload.writeDoubleLE(at, size - PAYLOAD);
  payload.writeUInt32LE(number, size - PAYLOAD + 8);
  return payload;
}

export const stampOf = (bytes: Buffer, end: number): number => bytes.readDoubleLE(end - PAYLOAD);
export const numberOf = (bytes: Buffer, end: number): number => bytes.readUInt32LE(end - PAYLOAD + 8);

/** Called for each whole packet: its first byte, where its body begins, where it ends. */
export type OnPacket = (first: number, bytes: Buffer, from: number, to: number) => void;

/** Gives a function that takes bytes as they come and finds the packets in them. */
export function packetReader(onPacket: OnPacket): (chunk: Buffer) => void {
  let rest: Buffer = NOTHING;
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 2) {
      let length = 0;
      let from = at + 1;
      let shift = 0;
      let more = true;
      while (more && from < bytes.length) {
        const byte = bytes[from++] as number;
        length |= (byte & 0x7f) << shift;
        shift += 7;
        more = byte > 0x7f;
      }
      if (more || from + length > bytes.length) break;
      onPacket(bytes[at] as number, bytes, from, from + length);
      at = from + length;
    }
    rest = at === bytes.length ? NOTHING : bytes.subarray(at);
  };
}
