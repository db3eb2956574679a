/** Requests of devices for streams: their members and bounds (developer guide, page mqtt-based-file-delivery-in-devices). */
import { type Members, PayloadFault, type PayloadFormat, readMembers } from '../payloads/payloads.ts';
import { reject, type StreamRejectionCode } from './rejections.ts';

/** General Reference, quotas of MQTT-based file delivery. */
export const MAX_BLOCK = 131_072;
const MIN_BLOCK = 256;
const MAX_BLOCKS = 98_304;
const MAX_BITMAP = 12_288;
const MAX_FILE_ID = 255;
const MAX_TOKEN = 64;
/** Bytes of a request: the longest bitmap is twice as many digits. */
const MAX_REQUEST = 32 * 1024;

/** Wanted blocks of a file. */
export interface BlockRequest {
  /** Checked where it is given. */
  readonly version: number | undefined;
  readonly fileId: number;
  readonly blockSize: number;
  readonly offset: number;
  /** Blocks at most. */
  readonly count: number;
  /** Bit i of it, the least significant of each byte first, is the block at `offset + i`; all blocks from there where absent. */
  readonly bitmap: Uint8Array | undefined;
}

/** The members of a request; none of them is known to be right. */
export function readStreamRequest(payload: Buffer, format: PayloadFormat): Members {
  if (payload.length > MAX_REQUEST) reject('InvalidRequest', `The request is larger than ${MAX_REQUEST} bytes`);
  try {
    return readMembers(payload, format);
  } catch (error) {
    if (!(error instanceof PayloadFault)) throw error;
    return reject(format === 'json' ? 'InvalidJson' : 'InvalidCbor', `The request is invalid: ${error.message}`);
  }
}

/** The client token; undefined where there is none. */
export function tokenOf({ c }: Members): string | undefined {
  if (c === undefined) return undefined;
  if (typeof c !== 'string') return reject('InvalidRequest', 'The client token is not a text');
  if (Buffer.byteLength(c) > MAX_TOKEN) reject('InvalidRequest', `The client token is longer than ${MAX_TOKEN} bytes`);
  return c;
}

/** A whole number of the request within bounds; undefined where there is none. */
function numberOf(value: unknown, name: string, [min, max]: readonly [number, number], code: StreamRejectionCode) {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) return reject('InvalidRequest', `The ${name} is not an integer`);
  return value >= min && value <= max ? value : reject(code, `The ${name} is out of bounds`);
}

const HEX = /^(?:0x)?((?:[0-9a-f]{2})+)$/i;

function bitmapOf(value: unknown): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length > 2 * MAX_BITMAP + 2) return tooLong();
  const [, digits] = typeof value === 'string' ? (HEX.exec(value) ?? []) : [];
  const bitmap = value instanceof Uint8Array ? value : digits === undefined ? undefined : Buffer.from(digits, 'hex');
  if (bitmap === undefined || bitmap.length === 0) return reject('InvalidRequest', 'The block bitmap is malformed');
  return bitmap.length > MAX_BITMAP ? tooLong() : bitmap;
}

const tooLong = (): never => reject('BlockBitmapLimitExceeded', 'The block bitmap is out of bounds');

export function blockRequest(members: Members): BlockRequest {
  const version = numberOf(members.s, 'stream version', [0, 65_535], 'VersionMismatch');
  const fileId = numberOf(members.f, 'file ID', [0, MAX_FILE_ID], 'InvalidRequest');
  if (fileId === undefined) return reject('InvalidRequest', 'The file ID is missing');
  const blockSize = numberOf(members.l, 'block size', [MIN_BLOCK, MAX_BLOCK], 'BlockSizeOutOfBounds');
  if (blockSize === undefined) return reject('InvalidRequest', 'The block size is missing');
  const offset = numberOf(members.o, 'offset', [0, MAX_BLOCKS], 'OffsetOutOfBounds') ?? 0;
  const given = numberOf(members.n, 'number of blocks', [0, MAX_BLOCKS], 'BlockCountLimitExceeded');
  // More than fits into one request is cut: the device asks for the rest.
  const max = Math.floor(MAX_BLOCK / blockSize);
  return { version, fileId, blockSize, offset, count: Math.min(given ?? max, max), bitmap: bitmapOf(members.b) };
}
