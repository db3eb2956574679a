/** Message expiry: seconds that are left, in the packet that is sent (MQTT 5, 3.3.2.3.3). */
import { Cursor } from '../../mqtt/cursor.ts';
import { encodeProperties, encodeVarint, readProperties } from '../../mqtt/properties.ts';
import { headerEnd, type Segment } from './run.ts';

/** The one message of a segment (MQTT 5, QoS 1) with this expiry interval. */
export function withRemaining(segment: Segment, seconds: number): Segment {
  const start = segment.at[0] as number;
  const end = segment.at[1] as number;
  const idAt = segment.idAt[0] as number;
  const cursor = new Cursor(segment.bytes, idAt + 2, end);
  const properties = readProperties(cursor, 'PUBLISH');
  const head = segment.bytes.subarray(headerEnd(segment.bytes, start), idAt + 2);
  const rest = [
    head,
    encodeProperties({ ...properties, messageExpiryInterval: seconds }),
    segment.bytes.subarray(cursor.at, end),
  ];
  const length = encodeVarint(rest.reduce((sum, piece) => sum + piece.length, 0));
  const bytes = Buffer.concat([Buffer.of(segment.bytes[start] as number), length, ...rest]);
  return {
    bytes,
    count: 1,
    at: Int32Array.of(0, bytes.length),
    idAt: Int32Array.of(1 + length.length + head.length - 2),
    largest: bytes.length,
  };
}
