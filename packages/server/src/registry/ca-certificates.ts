/** CA certificates that an account registers: the record, what proves that the account owns it, how the API shows one. */
import { defined } from '@thingkeep/wire/defined.ts';
import { createHash, randomUUID } from 'node:crypto';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { authorityFault, PATH_FAULT_TEXT, pathFault } from '@thingkeep/x509/path.ts';
import { isSignedBy, pathRules, type ReadCertificate, readCertificate } from '../authority/read-certificate.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type CaCertificateRecord, caCertificates } from './store.ts';

export const caCertificateArn = (place: Place, certificateId: string): string => iotArn(place, 'cacert', certificateId);

export const subjectHashOf = (subject: Buffer): string => createHash('sha256').update(subject).digest('hex');

export async function getCaCertificate(
  tx: ReadTransaction,
  accountId: string,
  certificateId: string,
): Promise<CaCertificateRecord> {
  const found = await tx.get(caCertificates, [accountId, certificateId]);
  return found ?? fail('ResourceNotFoundException', `CA certificate ${certificateId} does not exist`);
}

const refuse = (why: string): never => fail('CertificateValidationException', why);

/** Reads a certificate that is to be registered as a CA. An intermediate is as good as a root. */
export function readCaCertificate(pem: string, now: number): ReadCertificate {
  const certificate = readCertificate(pem);
  const fault = authorityFault(certificate.der, pathRules(now));
  return fault === undefined ? certificate : refuse(`CA certificate is not valid: ${PATH_FAULT_TEXT[fault]}.`);
}

/**
 * Whether the account holds the CA's key: it has signed a certificate that is made out to the account's registration
 * code (developer guide, page register-CA-cert). Nothing is asked of that certificate's own key.
 */
export function proveOwnership(ca: ReadCertificate, verificationPem: string, code: string, now: number): void {
  const proof = readCertificate(verificationPem);
  if (proof.commonNames.length !== 1 || proof.commonNames[0]?.toLowerCase() !== code)
    fail(
      'RegistrationCodeValidationException',
      "The verification certificate's common name is not the registration code of this account.",
    );
  if (!isSignedBy(proof, ca)) refuse('The verification certificate is not signed by the CA certificate.');
  const found = pathFault([proof.der, ca.der], pathRules(now));
  if (found !== undefined) refuse(`The verification certificate is not valid: ${PATH_FAULT_TEXT[found.fault]}.`);
}

export type RegistrationConfig = NonNullable<CaCertificateRecord['registrationConfig']>;

/** A provisioning template by name, or in place with its role; one or the other (API reference RegistrationConfig). */
export function registrationConfig(
  given: { templateBody?: string | undefined; roleArn?: string | undefined; templateName?: string | undefined } | undefined,
): RegistrationConfig | undefined {
  if (given === undefined) return undefined;
  const { templateBody, roleArn, templateName } = given;
  if (templateName !== undefined && templateBody !== undefined)
    fail('InvalidRequestException', 'Only one of templateName and templateBody may be given.');
  const config = { templateBody, roleArn };
  return { ...config, ...defined({ templateName }) };
}

export type NewCaCertificate = Pick<
  CaCertificateRecord,
  'accountId' | 'certificatePem' | 'status' | 'mode' | 'autoRegistration' | 'registrationConfig'
>;

export const newCaCertificate = (given: NewCaCertificate, certificate: ReadCertificate, now: number): CaCertificateRecord => ({
  ...given,
  certificateId: certificate.certificateId,
  subjectHash: subjectHashOf(certificate.subject),
  createdAt: now,
  lastModifiedAt: now,
  version: 1,
  generationId: randomUUID(),
  notBefore: certificate.notBefore,
  notAfter: certificate.notAfter,
});

export const listedCa = (place: Place, record: CaCertificateRecord) => ({
  certificateArn: caCertificateArn(place, record.certificateId),
  certificateId: record.certificateId,
  status: record.status,
  creationDate: new Date(record.createdAt),
});

export const describedCa = (place: Place, record: CaCertificateRecord) => ({
  ...listedCa(place, record),
  certificatePem: record.certificatePem,
  ownedBy: record.accountId,
  autoRegistrationStatus: record.autoRegistration ? ('ENABLE' as const) : ('DISABLE' as const),
  lastModifiedDate: new Date(record.lastModifiedAt),
  customerVersion: record.version,
  generationId: record.generationId,
  validity: { notBefore: new Date(record.notBefore), notAfter: new Date(record.notAfter) },
  certificateMode: record.mode,
});
