/** RegisterCertificate and RegisterCertificateWithoutCA: certificates of other authorities. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { readCertificate } from '../authority/read-certificate.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { registerCertificate, registerWithoutCa } from './certificate-registration.ts';
import { certificateArn, statusAtRegistration } from './certificates.ts';
import { required } from './required.ts';
import type { CertificateRecord } from './store.ts';

type Operations = Handlers<Pick<IotOperations, 'RegisterCertificate' | 'RegisterCertificateWithoutCA'>>;

interface RegistrationDeps {
  readonly store: Store;
  readonly clock: Clock;
}

const registered = (caller: Caller, { certificateId }: CertificateRecord) => ({
  certificateArn: certificateArn(caller, certificateId),
  certificateId,
});

export const certificateRegistrationOperations = ({ store, clock }: RegistrationDeps): Operations => ({
  async RegisterCertificate({ certificatePem, caCertificatePem, setAsActive, status: asked }, caller) {
    const pem = required(certificatePem, 'certificatePem');
    const status = statusAtRegistration(asked, setAsActive);
    const certificate = readCertificate(pem);
    const named = caCertificatePem === undefined ? undefined : readCertificate(caCertificatePem);
    const draft = { pem, certificate, status, named };
    return registered(caller, await store.write((tx) => registerCertificate(tx, caller, draft, clock.now())));
  },

  async RegisterCertificateWithoutCA({ certificatePem, status: asked }, caller) {
    const pem = required(certificatePem, 'certificatePem');
    const draft = { pem, certificate: readCertificate(pem), status: statusAtRegistration(asked, undefined) };
    return registered(caller, await store.write((tx) => registerWithoutCa(tx, caller, draft, clock.now())));
  },
});
