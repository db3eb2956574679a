/** Flags of `thingkit cert compress` and `cert rebuild`, and what they name. */
import { X509Certificate } from 'node:crypto';
import { CERTIFICATE_LABELS } from '@thingkeep/x509/certificate.ts';
import { type CertificateDefinition, DEFINITION_NAMES, definitionOf } from '../certificates/definitions.ts';
import { type Flag, type Given, KitError } from './command.ts';
import { hexBytes, pemOrDer } from './input-bytes.ts';

export const DEFINITION_FLAG: Flag = {
  name: 'definition',
  value: 'NAME',
  what: 'what certificates of this kind have in common',
  oneOf: DEFINITION_NAMES,
  isRequired: true,
};
export const DEVICE_SERIAL_FLAG: Flag = {
  name: 'device-serial',
  value: 'HEX',
  what: "the chip's serial number, 9 bytes, where the certificate's is made of it",
};

export function definitionIn(given: Given): CertificateDefinition {
  const definition = definitionOf(given.needed('definition'));
  if (definition === undefined) throw new KitError('usage', `there is no definition ${given.needed('definition')}`);
  return definition;
}

export function deviceSerialIn(given: Given): Buffer | undefined {
  const text = given.text('device-serial');
  return text === undefined ? undefined : hexBytes(text, '--device-serial');
}

/** SubjectPublicKeyInfo from a file with a public key or a certificate, in PEM or DER. */
export function publicKeyFile(path: string): Buffer {
  const bytes = pemOrDer(path, [...CERTIFICATE_LABELS, 'PUBLIC KEY']);
  try {
    return new X509Certificate(bytes).publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    // It is a public key then, and checked as one where it is used.
    return bytes;
  }
}
