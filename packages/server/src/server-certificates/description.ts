/** Descriptions of an imported certificate in the API: in full and in a list (ACM API, CertificateDetail, CertificateSummary). */
import { X509Certificate } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { type ServerCertificateRecord, serverCertificateArn } from './store.ts';

/** Names of extended key usages by object identifier (RFC 5280, section 4.2.1.12; ACM API, ExtendedKeyUsageName). */
const EXTENDED_KEY_USAGES: ReadonlyMap<string, string> = new Map([
  ['1.3.6.1.5.5.7.3.1', 'TLS_WEB_SERVER_AUTHENTICATION'],
  ['1.3.6.1.5.5.7.3.2', 'TLS_WEB_CLIENT_AUTHENTICATION'],
  ['1.3.6.1.5.5.7.3.3', 'CODE_SIGNING'],
  ['1.3.6.1.5.5.7.3.4', 'EMAIL_PROTECTION'],
  ['1.3.6.1.5.5.7.3.8', 'TIME_STAMPING'],
  ['1.3.6.1.5.5.7.3.9', 'OCSP_SIGNING'],
]);

const seconds = (time: number): number => Math.floor(time / 1000);

export const certificateStatus = ({ notAfter }: ServerCertificateRecord, now: number): 'ISSUED' | 'EXPIRED' =>
  now > notAfter ? 'EXPIRED' : 'ISSUED';

export const extendedKeyUsages = ({ certificatePem }: ServerCertificateRecord): { Name: string; OID: string }[] =>
  (new X509Certificate(certificatePem).keyUsage ?? []).map((OID) => ({ Name: EXTENDED_KEY_USAGES.get(OID) ?? 'CUSTOM', OID }));

/** A serial number in the form of ACM, `aa:bb:...`. */
const serialOf = ({ serialNumber }: X509Certificate): string => (serialNumber.toLowerCase().match(/../g) ?? []).join(':');

/** A name on one line; Node puts each part on a line of its own. */
const oneLine = (name: string): string => name.split('\n').join(',');

export function describedCertificate(
  record: ServerCertificateRecord,
  place: Place,
  now: number,
  inUseBy: readonly string[],
): object {
  const x509 = new X509Certificate(record.certificatePem);
  return {
    CertificateArn: serverCertificateArn(place, record.id),
    DomainName: record.domainName,
    SubjectAlternativeNames: record.hostNames,
    Serial: serialOf(x509),
    Subject: oneLine(x509.subject),
    Issuer: oneLine(x509.issuer),
    CreatedAt: seconds(record.createdAt),
    ImportedAt: seconds(record.importedAt),
    Status: certificateStatus(record, now),
    NotBefore: seconds(record.notBefore),
    NotAfter: seconds(record.notAfter),
    KeyAlgorithm: record.keyAlgorithm,
    InUseBy: inUseBy,
    Type: 'IMPORTED',
    ExtendedKeyUsages: extendedKeyUsages(record),
    RenewalEligibility: 'INELIGIBLE',
    Options: { CertificateTransparencyLoggingPreference: 'DISABLED' },
  };
}

export const listedCertificate = (record: ServerCertificateRecord, place: Place, now: number, inUse: boolean): object => ({
  CertificateArn: serverCertificateArn(place, record.id),
  DomainName: record.domainName,
  SubjectAlternativeNameSummaries: record.hostNames,
  HasAdditionalSubjectAlternativeNames: false,
  Status: certificateStatus(record, now),
  Type: 'IMPORTED',
  KeyAlgorithm: record.keyAlgorithm,
  ExtendedKeyUsages: extendedKeyUsages(record).map(({ Name }) => Name),
  InUse: inUse,
  Exported: false,
  RenewalEligibility: 'INELIGIBLE',
  NotBefore: seconds(record.notBefore),
  NotAfter: seconds(record.notAfter),
  CreatedAt: seconds(record.createdAt),
  ImportedAt: seconds(record.importedAt),
});
