/** Serial number and whole dates of a signer's certificate, as the Zero Touch kit keeps them in slot 14. */
import { ElementError } from '../elements/contract.ts';
import type { DateDigits } from './compressed-dates.ts';
import type { StoredFields } from './compressed.ts';

const SLOT = 72;
const SERIAL_NUMBER = [4, 20] as const;
/** UTCTime in ASCII, 13 characters. */
const NOT_BEFORE = [22, 35] as const;
const NOT_AFTER = [37, 50] as const;

/** The slot's content, 72 bytes. Throws ElementError `invalid` where the fields are not of its form. */
export function slotOfStoredFields({ serialNumber, dates }: StoredFields): Buffer {
  const [notBefore = '', notAfter = ''] = dates ?? [];
  const isRight = serialNumber.length === SERIAL_NUMBER[1] - SERIAL_NUMBER[0];
  if (!isRight || !notBefore.startsWith('20') || !notAfter.startsWith('20'))
    throw new ElementError('invalid', 'a slot keeps a serial number of 16 bytes and two dates until 2049');
  const content = Buffer.alloc(SLOT);
  serialNumber.copy(content, SERIAL_NUMBER[0]);
  content.write(`${notBefore.slice(2)}Z`, NOT_BEFORE[0], 'latin1');
  content.write(`${notAfter.slice(2)}Z`, NOT_AFTER[0], 'latin1');
  return content;
}

/** What a slot keeps. Throws ElementError `not-found` where there are no dates in it. */
export function storedFieldsOfSlot(content: Buffer): StoredFields {
  const date = ([from, to]: readonly [number, number]): DateDigits => {
    const text = content.toString('latin1', from, to);
    if (!/^\d{12}Z$/.test(text)) throw new ElementError('not-found', 'the slot keeps no dates of a certificate');
    return `20${text.slice(0, 12)}`;
  };
  return { serialNumber: content.subarray(...SERIAL_NUMBER), dates: [date(NOT_BEFORE), date(NOT_AFTER)] };
}
