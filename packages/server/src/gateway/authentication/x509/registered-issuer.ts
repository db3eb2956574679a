/**
 * The registered CA that has signed a certificate which is not registered itself: looked for only to say why the certificate is
 * refused. Each look is bounded, as any client can show a certificate.
 */
import { X509Certificate } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { isIssuedBy } from '@thingkeep/x509/proof.ts';
import { findIssuers } from '../../../registry/admission.ts';
import type { CaCertificateRecord } from '../../../registry/store.ts';
import type { Store } from '../../../store/contract.ts';

export interface Places {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
}

/** Regions that are looked at, and CAs of one name in each. */
const MAX_REGIONS = 32;
const MAX_ISSUERS = 4;

export interface RegisteredIssuer {
  readonly ca: Pick<CaCertificateRecord, 'certificateId' | 'status' | 'autoRegistration'>;
  /** Undefined where several accounts or regions have registered the CA. */
  readonly place: Place | undefined;
}

/** Name of the issuer as DER; undefined of what can't be read. */
function issuerOf(der: Buffer): Buffer | undefined {
  try {
    return parseCertificate(der).issuer;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

export async function registeredIssuer({ regions, inRegion }: Places, der: Buffer): Promise<RegisteredIssuer | undefined> {
  const name = issuerOf(der);
  if (name === undefined) return undefined;
  const certificate = new X509Certificate(der);
  const found: { ca: CaCertificateRecord; place: Place }[] = [];
  for (const region of (await regions()).slice(0, MAX_REGIONS)) {
    for (const ca of await inRegion(region).read((tx) => findIssuers(tx, name, MAX_ISSUERS)))
      if (isIssuedBy(certificate, new X509Certificate(ca.certificatePem)))
        found.push({ ca, place: { accountId: ca.accountId, region } });
    if (found.length > 1) break;
  }
  const [first, ...others] = found;
  return first === undefined ? undefined : { ca: first.ca, place: others.length === 0 ? first.place : undefined };
}
