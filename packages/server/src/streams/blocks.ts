/** Blocks of a file: which of them a request wants, and their messages. */
import type { PayloadFormat } from '../payloads/payloads.ts';
import type { BlockRequest } from './requests.ts';

/** The numbers of the wanted blocks that the file has, in order. */
export function blocksOf({ blockSize, offset, count, bitmap }: BlockRequest, size: number): number[] {
  const end = Math.ceil(size / blockSize);
  const found: number[] = [];
  const bits = bitmap === undefined ? count : bitmap.length * 8;
  for (let i = 0; i < bits && offset + i < end && found.length < count; i += 1)
    if (bitmap === undefined || (((bitmap[i >> 3] ?? 0) >> (i & 7)) & 1) === 1) found.push(offset + i);
  return found;
}

export interface Block {
  readonly token: string | undefined;
  readonly fileId: number;
  readonly index: number;
  readonly bytes: Buffer;
}

/** The head of a data item of CBOR (RFC 8949 section 3). */
function head(kind: number, argument: number): Buffer {
  const first = kind << 5;
  if (argument < 24) return Buffer.of(first | argument);
  if (argument < 0x100) return Buffer.of(first | 24, argument);
  if (argument < 0x10000) return Buffer.of(first | 25, argument >> 8, argument & 0xff);
  const wide = Buffer.of(first | 26, 0, 0, 0, 0);
  wide.writeUInt32BE(argument, 1);
  return wide;
}

const text = (value: string): Buffer[] => {
  const bytes = Buffer.from(value);
  return [head(3, bytes.length), bytes];
};

/** Written by hand: a request has up to 512 of these, and an encoder of anything takes long for each. */
function cborBlock({ token, fileId, index, bytes }: Block): Buffer {
  const parts: Buffer[] = [head(5, token === undefined ? 4 : 5)];
  if (token !== undefined) parts.push(...text('c'), ...text(token));
  parts.push(...text('f'), head(0, fileId), ...text('l'), head(0, bytes.length), ...text('i'), head(0, index));
  parts.push(...text('p'), head(2, bytes.length), bytes);
  return Buffer.concat(parts);
}

/** The message of a block. In JSON its bytes are base64, as devices of AWS read them; the guide says hexadecimal. */
export function blockMessage(block: Block, format: PayloadFormat): Buffer {
  if (format === 'cbor') return cborBlock(block);
  const { token: c, fileId: f, index: i, bytes } = block;
  return Buffer.from(JSON.stringify({ c, f, l: bytes.length, i, p: bytes.toString('base64') }));
}
