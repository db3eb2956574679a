/**
 * Orders as rows on disk: the length of a head (32 bits), the head as JSON, what the rule made of the message, and the
 * message's own payload where that is something else.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ActionKey, OriginalMessage, Order } from './actions/contract.ts';

/** The key of an order that is no action yet: a message that rules still have to look at. */
export const EVALUATE = 'evaluate';

/** Stored as the index of an order of the error action, and of one that is no action yet. */
export const ERROR_ACTION = -1;
export const NO_ACTION = -2;

/** An order, and whose it is: all that is needed to do it, should the rule have changed meanwhile. */
export interface KeptOrder extends Order<unknown> {
  readonly place: Place;
  readonly key: ActionKey | typeof EVALUATE;
  /** Place of the action in its rule, or {@link ERROR_ACTION} or {@link NO_ACTION}. */
  readonly index: number;
}

interface OrderHead extends Omit<KeptOrder, 'payload' | 'message'> {
  readonly message: Omit<OriginalMessage, 'payload' | 'properties'>;
  /** Base64. */
  readonly properties?: string;
  readonly payloadBytes: number;
  /** The rule passed the payload on as it is. */
  readonly same: boolean;
}

export function encodeOrder(order: KeptOrder): Buffer {
  const { payload, message, ...rest } = order;
  const { payload: original, properties, ...known } = message;
  const same = payload.equals(original);
  const head: OrderHead = {
    ...rest,
    message: known,
    payloadBytes: payload.length,
    same,
    properties: properties === undefined ? undefined : properties.toString('base64'),
  };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat(same ? [length, text, payload] : [length, text, payload, original]);
}

/** Undefined when the bytes are no order. */
export function decodeOrder(bytes: Uint8Array): KeptOrder | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < 4) return undefined;
  const begin = 4 + buffer.readUInt32BE(0);
  if (begin > buffer.length) return undefined;
  try {
    const { payloadBytes, same, message, properties, ...rest } = JSON.parse(buffer.toString('utf8', 4, begin)) as OrderHead;
    const payload = buffer.subarray(begin, begin + payloadBytes);
    const original = same ? payload : buffer.subarray(begin + payloadBytes);
    const known = properties === undefined ? {} : { properties: Buffer.from(properties, 'base64') };
    return { ...rest, payload, message: { ...message, payload: original, ...known } };
  } catch {
    return undefined;
  }
}
