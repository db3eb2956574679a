/** Registering certificates of other authorities in a transaction: who has signed them, and the record of one. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { PATH_FAULT_TEXT, pathFault } from '@thingkeep/x509/path.ts';
import { isSignedBy, pathRules, type ReadCertificate, readCertificate } from '../authority/read-certificate.ts';
import { claim } from '../store/claims.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { subjectHashOf } from './ca-certificates.ts';
import { duplicate, type NewCertificate, newCertificate, type statusAtRegistration } from './certificates.ts';
import { type CaCertificateRecord, type CertificateRecord, caCertificates, certificates } from './store.ts';

/** The account's CA certificates that could have signed: the one named, or all whose subject is the issuer. */
async function candidates(
  tx: ReadTransaction,
  accountId: string,
  certificate: ReadCertificate,
  named: ReadCertificate | undefined,
): Promise<CaCertificateRecord[]> {
  if (named !== undefined) {
    const found = await tx.get(caCertificates, [accountId, named.certificateId]);
    return found === undefined ? [] : [found];
  }
  const prefix = [subjectHashOf(certificate.issuer), accountId];
  return (await tx.scan(caCertificates, { index: 'bySubject', prefix })).items;
}

/** Refuses a certificate that its CA may not have signed. Its own dates are looked at when it connects. */
function refuseForPath(certificate: ReadCertificate, ca: CaCertificateRecord, now: number): void {
  const found = pathFault([certificate.der, readCertificate(ca.certificatePem).der], pathRules(now, true));
  if (found === undefined) return;
  const which = found.at === 0 ? 'The certificate' : 'The CA certificate that signed the certificate';
  fail('CertificateValidationException', `${which} is not valid: ${PATH_FAULT_TEXT[found.fault]}.`);
}

/** The registered, active CA certificate that signed `certificate`. */
export async function issuerOf(
  tx: ReadTransaction,
  accountId: string,
  certificate: ReadCertificate,
  now: number,
  named?: ReadCertificate,
): Promise<CaCertificateRecord> {
  const signers = (await candidates(tx, accountId, certificate, named)).filter((each) =>
    isSignedBy(certificate, readCertificate(each.certificatePem)),
  );
  if (signers.length === 0)
    return fail(
      'CertificateValidationException',
      'The certificate is not signed by a CA certificate that is registered in this account.',
    );
  const [active, ...more] = signers.filter((each) => each.status === 'ACTIVE');
  if (active === undefined)
    return fail('CertificateStateException', 'The CA certificate that signed the certificate is not ACTIVE.');
  // API reference RegisterCertificate: several CA certificates of one subject and key need caCertificatePem.
  if (more.length > 0)
    return fail(
      'CertificateConflictException',
      'Several registered CA certificates could have signed the certificate; name one in caCertificatePem.',
    );
  refuseForPath(certificate, active, now);
  return active;
}

/** A certificate that is to be registered. */
export interface RegistrationDraft {
  /** As it was sent: Terraform compares it with what it has. */
  readonly pem: string;
  readonly certificate: ReadCertificate;
  readonly status: ReturnType<typeof statusAtRegistration>;
}

async function register(
  tx: WriteTransaction,
  place: Place,
  { pem, certificate, status }: RegistrationDraft,
  by: Pick<NewCertificate, 'caCertificateId' | 'mode'>,
  now: number,
): Promise<CertificateRecord> {
  const { accountId, region } = place;
  const { certificateId, notBefore, notAfter } = certificate;
  const record = newCertificate(
    {
      ...{ accountId, certificateId, certificatePem: pem, status, notBefore, notAfter },
      registeredRevoked: status === 'REVOKED' ? true : undefined,
      ...by,
    },
    now,
  );
  await tx.put(certificates, record);
  // The first registration that is ACTIVE is the one that devices get to which name no host.
  if (status === 'ACTIVE')
    await claim(tx, { kind: 'certificate', name: certificateId, accountId, region, since: now, active: true });
  return record;
}

async function refuseDuplicate(tx: ReadTransaction, place: Place, { certificateId }: ReadCertificate): Promise<void> {
  if ((await tx.get(certificates, [place.accountId, certificateId])) !== undefined)
    fail(
      'ResourceAlreadyExistsException',
      'The certificate is already provisioned or registered',
      duplicate(place, certificateId),
    );
}

/** Registers a certificate that a registered CA has signed; `named` says which, where several could have. */
export async function registerCertificate(
  tx: WriteTransaction,
  place: Place,
  draft: RegistrationDraft & { readonly named?: ReadCertificate | undefined },
  now: number,
): Promise<CertificateRecord> {
  await refuseDuplicate(tx, place, draft.certificate);
  const ca = await issuerOf(tx, place.accountId, draft.certificate, now, draft.named);
  return register(tx, place, draft, { caCertificateId: ca.certificateId, mode: ca.mode }, now);
}

/** Registers a certificate whoever has signed it. */
export async function registerWithoutCa(
  tx: WriteTransaction,
  place: Place,
  draft: RegistrationDraft,
  now: number,
): Promise<CertificateRecord> {
  await refuseDuplicate(tx, place, draft.certificate);
  return register(tx, place, draft, { mode: 'SNI_ONLY' }, now);
}
