/** What an OPTIGA says went wrong: codes of the object 0xF1C2 (Solution Reference Manual 3.70, table of error codes). */
import { ElementError, type ElementErrorCode } from '../contract.ts';

interface Meaning {
  readonly code: ElementErrorCode;
  readonly text: string;
  readonly hint?: string;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: { code: 'not-found', text: 'there is no such object', hint: 'an object may be missing in chips of an older version' },
  3: { code: 'not-supported', text: 'the command has no such parameter', hint: 'chips of an older version know less' },
  4: { code: 'element-fault', text: 'a length in the command is wrong' },
  5: { code: 'invalid', text: 'the chip does not take what it was given' },
  6: { code: 'element-fault', text: 'internal error' },
  7: {
    code: 'not-permitted',
    text: 'an access condition is not met',
    hint: "the object's metadata says what it asks for: it may be locked, hold no key, or need a shielded connection",
  },
  8: { code: 'invalid', text: 'the bounds of the object are exceeded' },
  9: { code: 'invalid', text: 'the metadata is cut off' },
  10: { code: 'not-supported', text: 'the chip has no such command' },
  11: { code: 'not-ready', text: 'the command is out of sequence', hint: 'another program may use the chip' },
  12: { code: 'not-ready', text: 'the application is closed, or the command is not available' },
  13: { code: 'element-fault', text: 'the chip has no memory left' },
  14: { code: 'not-permitted', text: 'a counter has reached its limit' },
  15: { code: 'invalid', text: 'the manifest is wrong' },
  16: { code: 'invalid', text: 'the version of the protected update is too old' },
  17: { code: 'invalid', text: 'the metadata is wrong', hint: 'the life cycle only rises, and sizes are fixed' },
  36: { code: 'not-supported', text: 'an extension of a certificate is unknown' },
  37: { code: 'not-supported', text: 'the parameters are not supported' },
  41: { code: 'invalid', text: 'the form of a certificate is wrong' },
  42: { code: 'not-supported', text: 'a certificate of this kind is not supported' },
  44: { code: 'verification', text: 'the signature does not verify' },
  45: { code: 'verification', text: 'the integrity check has failed' },
  46: { code: 'verification', text: 'the decryption has failed' },
  47: { code: 'not-permitted', text: 'the authorization has failed' },
};

/** Codes that say that the application has to be opened again. */
export const isLinkLost = (code: number): boolean => code === 0x0b || code === 0x0c;

export function optigaError(doing: string, code: number): ElementError {
  const { code: kind, text, hint } = MEANINGS[code] ?? { code: 'element-fault', text: 'unknown error' };
  return new ElementError(kind, `${doing}: ${text} (error ${code.toString(16).padStart(2, '0')})`, { hint });
}
