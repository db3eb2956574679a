/** The registered CA with auto-registration that has signed a certificate: found by the issuer's name, proven by the signature. */
import { X509Certificate } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { parseCertificate, type CertificateFields } from '@thingkeep/x509/certificate.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { isIssuedBy } from '@thingkeep/x509/proof.ts';
import { findIssuers } from '../registry/admission.ts';
import type { CaCertificateRecord } from '../registry/store.ts';
import type { Store } from '../store/contract.ts';

/** Regions that are searched, and CAs of one name that are tried: any client can show a certificate. */
const MAX_REGIONS = 32;
const MAX_CAS = 10;

export interface AutoRegisteringCa extends Pick<CertificateFields, 'notBefore' | 'notAfter'> {
  readonly ca: CaCertificateRecord;
  readonly place: Place;
}

export interface SearchedPlaces {
  /** Regions that hold data. */
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  /** Account and region that the server's own host names are for. */
  readonly home: Place;
}

function fieldsOf(certificate: Buffer): CertificateFields | undefined {
  try {
    return parseCertificate(certificate);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

const isAt = (place: Place, { accountId, region }: Place): boolean => place.accountId === accountId && place.region === region;

/**
 * Whether a CA at `place` counts for the client. A host name of a domain configuration says account and region. Without one a
 * CA counts whose owner has proven to have its key; any account could register another one's as SNI_ONLY, so that such a CA
 * counts for the server's own host names in the home account and region alone.
 */
const counts = (ca: CaCertificateRecord, place: Place, named: Place | undefined, home: Place): boolean =>
  ca.status === 'ACTIVE' &&
  ca.autoRegistration &&
  (named === undefined ? ca.mode === 'DEFAULT' || isAt(place, home) : isAt(place, named));

export async function findAutoRegisteringCa(
  { regions, inRegion, home }: SearchedPlaces,
  { certificate, named }: { readonly certificate: Buffer; readonly named?: Place | undefined },
): Promise<AutoRegisteringCa | undefined> {
  const fields = fieldsOf(certificate);
  if (fields === undefined) return undefined;
  const where = named === undefined ? (await regions()).slice(0, MAX_REGIONS) : [named.region];
  const opened = new X509Certificate(certificate);
  for (const region of where) {
    const cas = await inRegion(region).read((tx) => findIssuers(tx, fields.issuer, MAX_CAS));
    for (const ca of cas) {
      const place = { accountId: ca.accountId, region };
      if (counts(ca, place, named, home) && isIssuedBy(opened, new X509Certificate(ca.certificatePem)))
        return { ca, place, notBefore: fields.notBefore, notAfter: fields.notAfter };
    }
  }
  return undefined;
}
