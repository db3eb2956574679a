/**
 * The registered CA that has signed a certificate which is not registered itself: looked for only to say why the certificate is
 * refused. Each look is bounded, as any client can show a certificate.
 */
import { X509Certificate } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { isIssuedBy } from '@thingkeep/x509/proof.ts';
import type { CaCertificateRecord } from '../../../registry/store.ts';

/** CAs of one name that are tried: each is a check of a signature. */
export const MAX_ISSUERS = 8;

export interface CandidateCa {
  readonly ca: CaCertificateRecord;
  readonly place: Place;
}

/** A CA with its one registration. */
export interface RegisteredIssuer {
  readonly ca: Pick<CaCertificateRecord, 'certificateId' | 'status' | 'autoRegistration' | 'mode'>;
  readonly place: Place;
}

/** Name of the issuer as DER; undefined of what can't be read. */
export function issuerNameOf({ raw }: X509Certificate): Buffer | undefined {
  try {
    return parseCertificate(raw).issuer;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** The one that has signed the certificate; `ambiguous` where several accounts or regions have registered it. */
export function issuerAmong(
  candidates: readonly CandidateCa[],
  certificate: X509Certificate,
): RegisteredIssuer | 'ambiguous' | undefined {
  let found: CandidateCa | undefined;
  for (const candidate of candidates) {
    if (!isIssuedBy(certificate, new X509Certificate(candidate.ca.certificatePem))) continue;
    if (found !== undefined) return 'ambiguous';
    found = candidate;
  }
  return found;
}
