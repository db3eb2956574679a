/**
 * Certificates in objects: bare DER (first byte 30), or a TLS identity: `C0`, a length of two bytes, and a certificate list as
 * in a TLS 1.2 Certificate message (RFC 5246 section 7.4.2), lengths of three bytes (Solution Reference Manual, chapter on
 * certificates; `optiga_upload_crt`).
 */
import { DerError, DerReader, TAG } from '@thingkeep/x509/der.ts';
import { ElementError } from '../contract.ts';

const BARE = 0x30;
const TLS_IDENTITY = 0xc0;
const USB_TYPE_C = 0xc2;

const withLength = (content: Buffer): Buffer => {
  const head = Buffer.alloc(3);
  head.writeUIntBE(content.length, 0, 3);
  return Buffer.concat([head, content]);
};

/** The content of an object for certificates, the leaf first. */
export function tlsIdentity(certificates: readonly Buffer[]): Buffer {
  const list = withLength(Buffer.concat(certificates.map(withLength)));
  const head = Buffer.of(TLS_IDENTITY, 0, 0);
  if (list.length > 0xffff) throw new ElementError('invalid', 'the certificates are too long for an object');
  head.writeUInt16BE(list.length, 1);
  return Buffer.concat([head, list]);
}

/** A value with a length of three bytes in front, at the beginning; undefined where it does not fit. */
function takeLong(bytes: Buffer): { content: Buffer; rest: Buffer } | undefined {
  const length = bytes.length < 3 ? Number.POSITIVE_INFINITY : bytes.readUIntBE(0, 3);
  return length > bytes.length - 3 ? undefined : { content: bytes.subarray(3, 3 + length), rest: bytes.subarray(3 + length) };
}

/** The certificates of a list; undefined where it is none. */
function certificatesIn(list: Buffer): Buffer[] | undefined {
  const found: Buffer[] = [];
  for (let rest = list; rest.length > 0; ) {
    const taken = takeLong(rest);
    if (taken === undefined || taken.content[0] !== BARE) return undefined;
    found.push(taken.content);
    rest = taken.rest;
  }
  return found.length === 0 ? undefined : found;
}

/**
 * The certificates in an object's content, DER, the leaf first; what follows them is left over from a longer content. Throws
 * ElementError: `not-found` where there is none, `not-supported` for the form of USB Type-C.
 */
export function certificatesOf(content: Buffer): Buffer[] {
  const none = (cause?: unknown) => new ElementError('not-found', 'the object holds no certificate', { cause });
  if (content[0] === USB_TYPE_C) throw new ElementError('not-supported', 'the object holds a certificate for USB Type-C');
  if (content[0] === BARE) {
    try {
      return [new DerReader(content).value(TAG.sequence).whole];
    } catch (error) {
      if (error instanceof DerError) throw none(error);
      throw error;
    }
  }
  if (content[0] !== TLS_IDENTITY || content.length < 3) throw none();
  const outer = content.subarray(3, 3 + content.readUInt16BE(1));
  const list = takeLong(outer);
  const certificates = list === undefined || list.rest.length > 0 ? undefined : certificatesIn(list.content);
  if (certificates === undefined) throw none();
  return certificates;
}
