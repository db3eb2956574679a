/** Values in commands: a tag of one byte and a length of two; and numbers and points in them, which are in DER. */
import { bitString, DerError, DerReader, integer, TAG } from '@thingkeep/x509/der.ts';
import { positiveBytes } from '@thingkeep/x509/public-key.ts';
import { spkiOfPoint } from '../p256.ts';
import { LinkError } from './frame.ts';

export function tlv(tag: number, content: Buffer): Buffer {
  const head = Buffer.of(tag, 0, 0);
  head.writeUInt16BE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** The content of the one value that an answer must be. Throws LinkError. */
export function onlyValue(answer: Buffer, tag: number): Buffer {
  if (answer.length < 3 || answer[0] !== tag || answer.readUInt16BE(1) !== answer.length - 3)
    throw new LinkError('the answer is not the value that was asked for');
  return answer.subarray(3);
}

const UNCOMPRESSED = 0x04;

/** BIT STRING of a point's X and Y. */
export const pointValue = (point: Buffer): Buffer => bitString(Buffer.concat([Buffer.of(UNCOMPRESSED), point]));

/** Calls what reads DER of a chip; what it can't read is a fault of the link. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DerError) throw new LinkError(`the answer is damaged: ${cause.message}`, { cause });
    throw cause;
  }
}

/** SubjectPublicKeyInfo of the BIT STRING of a point. Throws LinkError, and ElementError where it is no point of P-256. */
export const spkiOfValue = (value: Buffer): Buffer =>
  reading(() => {
    const reader = new DerReader(value);
    const bits = reader.bits();
    reader.end();
    if (bits[0] !== UNCOMPRESSED) throw new DerError('the point is compressed');
    return spkiOfPoint(bits.subarray(1));
  });

const NUMBER = 32;

const padded = (bytes: Buffer): Buffer => {
  const number = positiveBytes(bytes);
  if (number.length > NUMBER) throw new DerError('number too long');
  return Buffer.concat([Buffer.alloc(NUMBER - number.length), number]);
};

/** r and s of 32 bytes each, from two INTEGERs one behind the other, without a SEQUENCE around. Throws LinkError. */
export const signatureOfValue = (value: Buffer): Buffer =>
  reading(() => {
    const reader = new DerReader(value);
    const numbers = [padded(reader.value(TAG.integer).content), padded(reader.value(TAG.integer).content)];
    reader.end();
    return Buffer.concat(numbers);
  });

/** The two INTEGERs of a signature of 64 bytes. */
export const signatureValue = (signature: Buffer): Buffer =>
  Buffer.concat([integer(signature.subarray(0, NUMBER)), integer(signature.subarray(NUMBER))]);
