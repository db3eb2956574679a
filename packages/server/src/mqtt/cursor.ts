/** Reads the fields of one packet in place. Never reads beyond the packet: what is cut short is a malformed packet. */
import { isUtf8 } from 'node:buffer';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { MqttError } from './mqtt-error.ts';

const malformed = (what: string): never => {
  throw new MqttError(REASON.MALFORMED_PACKET, what);
};

/** Text of a UTF-8 Encoded String; ill-formed UTF-8 and U+0000 are malformed [MQTT-1.5.4-1, MQTT-1.5.4-2]. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const part = bytes.subarray(start, end);
  if (part.includes(0) || !isUtf8(part)) malformed('a string is not well-formed UTF-8 or holds U+0000');
  return part.toString('utf8');
}

/**
 * A copy for keeping. A small buffer of Node's own making is a slice of a pool of 64 KB, and keeps all of it alive: what stays
 * for long has memory of its own.
 */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

export class Cursor {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Moves past `count` bytes and gives where they began. */
  take(count: number): number {
    const start = this.at;
    if (start + count > this.end) malformed('the packet ends inside a field');
    this.at = start + count;
    return start;
  }

  byte(): number {
    return this.bytes[this.take(1)] as number;
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.take(2));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }

  /** A Variable Byte Integer in its shortest form [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) malformed('a variable byte integer is longer than it needs to be');
        return value;
      }
    }
    return malformed('a variable byte integer has more than four bytes');
  }

  text(): string {
    const length = this.uint16();
    const start = this.take(length);
    return decodeText(this.bytes, start, start + length);
  }

  /** A copy of Binary Data: what is read here outlives the read buffer. */
  binary(): Buffer {
    const length = this.uint16();
    const start = this.take(length);
    return ownCopy(this.bytes.subarray(start, start + length));
  }

  done(): void {
    if (this.at !== this.end) malformed('the packet holds more than its fields');
  }
}
