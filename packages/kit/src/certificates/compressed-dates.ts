/** Dates of compressed certificates: 24 bits, and two times two more with format version 1 (cryptoauthlib, atcacert_date). */
import { der, parseTime, TAG } from '@thingkeep/x509/der.ts';
import { ElementError } from '../elements/contract.ts';
import type { CertificateDefinition } from './definitions.ts';

/** Year, month, day, hour, minute, second in 14 digits. */
export type DateDigits = string;

const FIRST_YEAR = 2000;
const DIGITS = /^\d{14}$/;

/** DER of a date in one of both forms. Throws ElementError `invalid` where there is no such date. */
export function writeDate(digits: DateDigits, form: 'utc' | 'generalized'): Buffer {
  if (!DIGITS.test(digits)) throw new ElementError('invalid', `${digits} is no date`);
  const year = Number(digits.slice(0, 4));
  if (form === 'utc' && (year < 1950 || year > 2049)) throw new ElementError('invalid', `the year ${year} has no UTCTime`);
  const text = `${form === 'utc' ? digits.slice(2) : digits}Z`;
  const written = { tag: form === 'utc' ? TAG.utcTime : TAG.generalizedTime, content: Buffer.from(text, 'latin1') };
  const whole = der(written.tag, written.content);
  try {
    parseTime({ ...written, whole });
  } catch (cause) {
    throw new ElementError('invalid', `there is no date ${digits}`, { cause });
  }
  return whole;
}

/** Digits of a date that was read. */
export function digitsOfTime(milliseconds: number): DateDigits {
  return new Date(milliseconds).toISOString().slice(0, 19).replace(/[-T:]/g, '');
}

const neverOf = ({ notAfter: { form, never } }: CertificateDefinition): DateDigits =>
  never ?? (form === 'utc' ? '20491231235959' : '99991231235959');

/** Bits 0 to 4 of a number, and the two above. */
const low = (value: number): number => value & 0x1f;
const high = (value: number): number => value >> 5;

export interface EncodedDates {
  /** Bytes 64 to 66. */
  readonly bits: Buffer;
  /** Byte 71. */
  readonly extension: number;
}

/** Compresses both dates. Throws ElementError `invalid` where the form does not have them. */
export function encodeDates(definition: CertificateDefinition, notBefore: DateDigits, notAfter: DateDigits): EncodedDates {
  const [year, month, day, hour] = [[0, 4] as const, [4, 6] as const, [6, 8] as const, [8, 10] as const].map(([from, to]) =>
    Number(notBefore.slice(from, to)),
  ) as [number, number, number, number];
  const since = year - FIRST_YEAR;
  const isNever = notAfter === neverOf(definition);
  const years = isNever ? 0 : Number(notAfter.slice(0, 4)) - year;
  const most = definition.formatVersion === 0 ? 31 : 127;
  const isWhole =
    definition.hasStoredDates || (notBefore.endsWith('0000') && (isNever || notAfter.slice(4) === notBefore.slice(4)));
  if (since < 0 || since > most || years < 0 || years > most || (years === 0 && !isNever) || !isWhole)
    throw new ElementError('invalid', `the dates ${notBefore} and ${notAfter} have no compressed form`, {
      hint: `issued on the hour, from ${FIRST_YEAR} to ${FIRST_YEAR + most}, for 1 to ${most} years, or without an end`,
    });
  const bits = Buffer.alloc(3);
  bits.writeUIntBE((low(since) << 19) | (month << 15) | (day << 10) | (hour << 5) | low(years), 0, 3);
  return { bits, extension: (high(since) << 6) | (high(years) << 4) };
}

/** Both dates of a compressed certificate (72 bytes). Throws ElementError `invalid` where there are no such dates. */
export function decodeDates(
  definition: CertificateDefinition,
  compressed: Buffer,
): [notBefore: DateDigits, notAfter: DateDigits] {
  const bits = compressed.readUIntBE(64, 3);
  const extension = compressed[71] ?? 0;
  if ((definition.formatVersion === 0 && extension !== 0) || (extension & 0x0f) !== 0)
    throw new ElementError('invalid', 'the last byte of the compressed certificate is none of its format');
  const year = FIRST_YEAR + ((extension >> 6) << 5) + (bits >> 19);
  const years = (((extension >> 4) & 3) << 5) + (bits & 0x1f);
  const two = (value: number): string => String(value).padStart(2, '0');
  const rest = `${two((bits >> 15) & 0x0f)}${two((bits >> 10) & 0x1f)}${two((bits >> 5) & 0x1f)}0000`;
  return [`${year}${rest}`, years === 0 ? neverOf(definition) : `${year + years}${rest}`];
}
