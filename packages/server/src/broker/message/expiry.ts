/** Message expiry: seconds that are left, in the packet that is sent (MQTT 5, 3.3.2.3.3). */
import { Cursor } from '../../mqtt/cursor.ts';
import { encodeProperties, readProperties } from '../../mqtt/properties.ts';
import { encodeVarint } from '../../mqtt/varint.ts';
import { headerEnd, type EncodedBatch } from './publish-batch.ts';

/** The one message of an encoded batch (MQTT 5, QoS 1) with this expiry interval. */
export function withRemaining(encoded: EncodedBatch, seconds: number): EncodedBatch {
  const start = encoded.at[0] as number;
  const end = encoded.at[1] as number;
  const idAt = encoded.idAt[0] as number;
  const cursor = new Cursor(encoded.bytes, idAt + 2, end);
  const properties = readProperties(cursor, 'PUBLISH');
  const head = encoded.bytes.subarray(headerEnd(encoded.bytes, start), idAt + 2);
  const rest = [
    head,
    encodeProperties({ ...properties, messageExpiryInterval: seconds }),
    encoded.bytes.subarray(cursor.at, end),
  ];
  const length = encodeVarint(rest.reduce((sum, piece) => sum + piece.length, 0));
  const bytes = Buffer.concat([Buffer.of(encoded.bytes[start] as number), length, ...rest]);
  return {
    bytes,
    count: 1,
    at: Int32Array.of(0, bytes.length),
    idAt: Int32Array.of(1 + length.length + head.length - 2),
    largest: bytes.length,
  };
}
