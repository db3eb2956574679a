/**
 * Message enrichment: user properties that come with whatever a device publishes, for the thing that it is (developer guide,
 * page thing-types-propagating-attributes). They are encoded once for each connection, and put behind a message's own.
 */
import { Cursor } from '../../mqtt/cursor.ts';
import { encodeProperties } from '../../mqtt/properties.ts';
import { encodeVarint } from '../../mqtt/varint.ts';
import type { Admission } from '../contract.ts';

/** The properties as they stand in a packet, without the length before them; undefined when there are none. */
export function encodeEnrichment(pairs: Admission['userProperties']): Buffer | undefined {
  if (pairs === undefined || pairs.length === 0) return undefined;
  const bytes = encodeProperties({ userProperty: pairs.map(([name, value]) => [name, value]) });
  const cursor = new Cursor(bytes, 0, bytes.length);
  cursor.varint();
  return bytes.subarray(cursor.at);
}

/** Encoded properties with their length, and more behind them; without any, MQTT 3's messages get these alone. */
export function withEnrichment(properties: Buffer | undefined, more: Buffer): Buffer {
  if (properties === undefined) return Buffer.concat([encodeVarint(more.length), more]);
  const cursor = new Cursor(properties, 0, properties.length);
  const length = cursor.varint();
  return Buffer.concat([encodeVarint(length + more.length), properties.subarray(cursor.at), more]);
}
