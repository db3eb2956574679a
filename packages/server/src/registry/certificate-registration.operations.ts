/** RegisterCertificate and RegisterCertificateWithoutCA: certificates of other authorities. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isSignedBy, type ReadCertificate, readCertificate } from '../authority/read-certificate.ts';
import type { Clock } from '../runtime/clock.ts';
import { claim } from '../store/claims.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import { subjectHashOf } from './ca-certificates.ts';
import { certificateArn, duplicate, type NewCertificate, newCertificate, statusAtRegistration } from './certificates.ts';
import { required } from './required.ts';
import { type CaCertificateRecord, caCertificates, certificates } from './store.ts';

type Operations = Handlers<Pick<IotOperations, 'RegisterCertificate' | 'RegisterCertificateWithoutCA'>>;

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

/** The registered, active CA certificate that signed `certificate`. */
export async function issuerOf(
  tx: ReadTransaction,
  accountId: string,
  certificate: ReadCertificate,
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
  return active;
}

interface RegistrationDeps {
  readonly store: Store;
  readonly clock: Clock;
}

export function certificateRegistrationOperations({ store, clock }: RegistrationDeps): Operations {
  async function refuseDuplicate(tx: ReadTransaction, caller: Caller, id: string): Promise<void> {
    if ((await tx.get(certificates, [caller.accountId, id])) !== undefined)
      fail('ResourceAlreadyExistsException', 'The certificate is already provisioned or registered', duplicate(caller, id));
  }

  /** The first registration that is ACTIVE is the one that devices get to which name no host. */
  async function keep(tx: WriteTransaction, given: NewCertificate, region: string): Promise<void> {
    const { accountId, certificateId, status } = given;
    const since = clock.now();
    await tx.put(certificates, newCertificate(given, since));
    if (status !== 'ACTIVE') return;
    await claim(tx, { kind: 'certificate', name: certificateId, accountId, region, since, active: true });
  }

  const registered = (caller: Caller, certificateId: string) => ({
    certificateArn: certificateArn(caller, certificateId),
    certificateId,
  });

  const draft = (
    pem: string,
    certificate: ReadCertificate,
    caller: Caller,
    status: NewCertificate['status'],
  ): Omit<NewCertificate, 'mode'> => ({
    accountId: caller.accountId,
    certificateId: certificate.certificateId,
    // As it was sent: Terraform compares it with what it has.
    certificatePem: pem,
    status,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    registeredRevoked: status === 'REVOKED' ? true : undefined,
  });

  return {
    async RegisterCertificate({ certificatePem, caCertificatePem, setAsActive, status }, caller) {
      const pem = required(certificatePem, 'certificatePem');
      const first = statusAtRegistration(status, setAsActive);
      const certificate = readCertificate(pem);
      const named = caCertificatePem === undefined ? undefined : readCertificate(caCertificatePem);
      await store.write(async (tx) => {
        await refuseDuplicate(tx, caller, certificate.certificateId);
        const ca = await issuerOf(tx, caller.accountId, certificate, named);
        const given = { ...draft(pem, certificate, caller, first), caCertificateId: ca.certificateId, mode: ca.mode };
        await keep(tx, given, caller.region);
      });
      return registered(caller, certificate.certificateId);
    },

    async RegisterCertificateWithoutCA({ certificatePem, status }, caller) {
      const pem = required(certificatePem, 'certificatePem');
      const first = statusAtRegistration(status, undefined);
      const certificate = readCertificate(pem);
      await store.write(async (tx) => {
        await refuseDuplicate(tx, caller, certificate.certificateId);
        await keep(tx, { ...draft(pem, certificate, caller, first), mode: 'SNI_ONLY' }, caller.region);
      });
      return registered(caller, certificate.certificateId);
    },
  };
}
