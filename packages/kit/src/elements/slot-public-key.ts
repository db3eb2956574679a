/** A P-256 public key as an ATECC keeps it in a data slot: 72 bytes, four zero bytes before each coordinate (cryptoauthlib). */
import { ElementError } from './contract.ts';
import { pointOfSpki, spkiOfPoint } from './p256.ts';

const PADDING = Buffer.alloc(4);
const COORDINATE = 32;
/** Bytes of the form. */
export const SLOT_PUBLIC_KEY = 72;

/** The slot's content for a SubjectPublicKeyInfo. Throws ElementError `invalid` where that is no P-256 key. */
export function slotFormOfSpki(spki: Buffer): Buffer {
  const point = pointOfSpki(spki);
  return Buffer.concat([PADDING, point.subarray(0, COORDINATE), PADDING, point.subarray(COORDINATE)]);
}

/** The SubjectPublicKeyInfo that a slot's content is. Throws ElementError `not-found` where the slot holds none. */
export function spkiOfSlotForm(content: Buffer): Buffer {
  const [before, x, between, y] = [
    content.subarray(0, 4),
    content.subarray(4, 36),
    content.subarray(36, 40),
    content.subarray(40),
  ];
  if (content.length !== SLOT_PUBLIC_KEY || !before.equals(PADDING) || !between.equals(PADDING))
    throw new ElementError('not-found', 'the slot holds no public key');
  try {
    return spkiOfPoint(Buffer.concat([x, y]));
  } catch (cause) {
    throw new ElementError('not-found', 'the slot holds no public key of P-256', { cause });
  }
}
