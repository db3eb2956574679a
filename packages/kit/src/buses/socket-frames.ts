/**
 * Transfers of an I2C bus over a stream, so that a driver in another process, in any language, can work with a virtual chip.
 *
 * Request: `W` or `R` (one byte), 7-bit address (one byte), length (two bytes, big endian), and for `W` that many bytes.
 * Answer: status (00 done, 01 not acknowledged), length (two bytes, big endian), and for a read that was done that many bytes.
 * One answer to each request, in order.
 */

export interface TransferRequest {
  readonly kind: 'write' | 'read';
  readonly address: number;
  readonly length: number;
  /** Empty for a read. */
  readonly bytes: Buffer;
}

export interface TransferAnswer {
  readonly isAcknowledged: boolean;
  readonly bytes: Buffer;
}

const KINDS = { write: 0x57, read: 0x52 } as const;
const HEAD = 4;
const ANSWER_HEAD = 3;
/** Longest transfer. */
export const MAX_TRANSFER = 4096;

export function encodeRequest({ kind, address, length, bytes }: TransferRequest): Buffer {
  const head = Buffer.alloc(HEAD);
  head[0] = KINDS[kind];
  head[1] = address;
  head.writeUInt16BE(length, 2);
  return Buffer.concat([head, bytes]);
}

export function encodeAnswer({ isAcknowledged, bytes }: TransferAnswer): Buffer {
  const head = Buffer.alloc(ANSWER_HEAD);
  head[0] = isAcknowledged ? 0 : 1;
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** A frame that was read whole, and what follows it. */
export interface Taken<Frame> {
  readonly frame: Frame;
  readonly rest: Buffer;
}

/** The first request of `received`: undefined while it is not whole, `damaged` where it is none. */
export function takeRequest(received: Buffer): Taken<TransferRequest> | 'damaged' | undefined {
  if (received.length < HEAD) return undefined;
  const kind = received[0] === KINDS.write ? 'write' : received[0] === KINDS.read ? 'read' : undefined;
  const length = received.readUInt16BE(2);
  const address = received[1] ?? 0;
  if (kind === undefined || length > MAX_TRANSFER || address > 0x7f) return 'damaged';
  const end = HEAD + (kind === 'write' ? length : 0);
  if (received.length < end) return undefined;
  return { frame: { kind, address, length, bytes: received.subarray(HEAD, end) }, rest: received.subarray(end) };
}

/** The first answer of `received`, likewise. */
export function takeAnswer(received: Buffer): Taken<TransferAnswer> | 'damaged' | undefined {
  if (received.length < ANSWER_HEAD) return undefined;
  const length = received.readUInt16BE(1);
  const status = received[0] ?? 0;
  if (status > 1 || length > MAX_TRANSFER) return 'damaged';
  const end = ANSWER_HEAD + length;
  if (received.length < end) return undefined;
  return { frame: { isAcknowledged: status === 0, bytes: received.subarray(ANSWER_HEAD, end) }, rest: received.subarray(end) };
}
