/**
 * What the certificates of a factory look like: root, signer, device, and the proof that a signer's key is held. Two forms:
 * `zero-touch` is that of Microchip's Zero Touch kit to the order of the extensions, since its firmware rebuilds certificates
 * from a definition of fixed offsets; `standard` is what RFC 5280 asks of an authority.
 */
import {
  authorityKeyIdentifier,
  certificateAuthority,
  END_ENTITY,
  MAY_SIGN,
  MAY_SIGN_ALL,
  MAY_SIGN_CERTIFICATES,
  subjectKeyIdentifier,
} from '@thingkeep/x509/extensions.ts';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { type CertificateContent, randomSerialNumber } from '@thingkeep/x509/write-certificate.ts';
import { derivedSerialNumber } from '../certificates/compressed.ts';
import { digitsOfTime } from '../certificates/compressed-dates.ts';
import { ZERO_TOUCH_DEVICE } from '../certificates/definitions.ts';

export const TEMPLATES = ['standard', 'zero-touch'] as const;
export type TemplateName = (typeof TEMPLATES)[number];

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Bytes of a serial number in the Zero Touch kit. */
const SERIAL_LENGTH = 16;
/** The end of certificates that do not end (RFC 5280 section 4.1.2.5). */
const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59);
/** The end of the Zero Touch kit's device certificates. */
const ZERO_TOUCH_END = Date.UTC(3000, 11, 31, 23, 59, 59);

const wholeSecond = (now: number): number => Math.floor(now / 1000) * 1000;

/** The same day and hour, so many years later; 29 February becomes 1 March. */
function yearsLater(time: number, years: number): number {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime();
}

export interface AuthorityWish {
  readonly template: TemplateName;
  /** Whole DER name. */
  readonly subject: Buffer;
  readonly years: number;
  readonly now: number;
}

/** A root, signed by its own key. */
export function rootContent({ template, subject, years, now }: AuthorityWish, publicKey: Buffer): CertificateContent {
  const notBefore = wholeSecond(now);
  const isZeroTouch = template === 'zero-touch';
  return {
    serialNumber: randomSerialNumber(SERIAL_LENGTH),
    issuer: subject,
    subject,
    notBefore,
    notAfter: isZeroTouch ? notBefore + years * 365 * DAY : yearsLater(notBefore, years),
    publicKey,
    extensions: [
      subjectKeyIdentifier(publicKey),
      certificateAuthority(),
      ...(isZeroTouch ? [] : [MAY_SIGN_CERTIFICATES, authorityKeyIdentifier(publicKey)]),
    ],
  };
}

/** What a signer asks for in its request: the same in both forms, and the kit's firmware sees none of it. */
export const signerRequestExtensions = (publicKey: Buffer): Buffer[] => [
  certificateAuthority(0),
  MAY_SIGN_ALL,
  subjectKeyIdentifier(publicKey),
  authorityKeyIdentifier(publicKey),
];

/** A signer under a root. Hours are whole in the Zero Touch form where `now` is: the chip keeps no minutes. */
export function signerContent(
  { subject, years, now }: AuthorityWish,
  publicKey: Buffer,
  root: { readonly subject: Buffer; readonly publicKey: Buffer },
): CertificateContent {
  const notBefore = wholeSecond(now);
  return {
    serialNumber: randomSerialNumber(SERIAL_LENGTH),
    issuer: root.subject,
    subject,
    notBefore,
    notAfter: yearsLater(notBefore, years),
    publicKey,
    extensions: [certificateAuthority(0), MAY_SIGN_ALL, subjectKeyIdentifier(publicKey), authorityKeyIdentifier(root.publicKey)],
  };
}

export interface Authority {
  /** Whole DER name. */
  readonly subject: Buffer;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
}

/**
 * The verification certificate of a CA, which proves that its registrant has the CA's key: signed by that key, for that key, with
 * the registration code as its common name, valid for a day (developer guide, page register-CA-cert).
 */
export const verificationContent = (code: string, signer: Authority, now: number): CertificateContent => ({
  serialNumber: randomSerialNumber(SERIAL_LENGTH),
  issuer: signer.subject,
  subject: commonNameOnly(code),
  notBefore: wholeSecond(now),
  notAfter: wholeSecond(now) + DAY,
  publicKey: signer.publicKey,
  extensions: [],
});

export interface DeviceWish {
  readonly template: TemplateName;
  /** Whole DER name. */
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly now: number;
  /** Years to its end; absent where it has none. The Zero Touch form has none. */
  readonly years?: number;
}

/** A device under a signer. */
export function deviceContent({ template, subject, publicKey, now, years }: DeviceWish, signer: Authority): CertificateContent {
  const identifiers = [subjectKeyIdentifier(publicKey), authorityKeyIdentifier(signer.publicKey)];
  if (template === 'zero-touch') {
    const notBefore = Math.floor(now / HOUR) * HOUR;
    return {
      serialNumber: derivedSerialNumber(ZERO_TOUCH_DEVICE, publicKey, [digitsOfTime(notBefore), digitsOfTime(ZERO_TOUCH_END)]),
      issuer: signer.subject,
      subject,
      notBefore,
      notAfter: ZERO_TOUCH_END,
      publicKey,
      extensions: identifiers,
    };
  }
  const notBefore = wholeSecond(now);
  return {
    serialNumber: randomSerialNumber(SERIAL_LENGTH),
    issuer: signer.subject,
    subject,
    notBefore,
    notAfter: years === undefined ? NEVER : yearsLater(notBefore, years),
    publicKey,
    extensions: [...identifiers, END_ENTITY, MAY_SIGN],
  };
}
