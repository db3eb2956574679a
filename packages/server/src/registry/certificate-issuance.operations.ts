/** CreateKeysAndCertificate and CreateCertificateFromCsr: the authority issues, the registry keeps. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { DeviceIssuer, IssuedCertificate } from '../authority/authority.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { keepIssuedCertificate } from './certificate-records.ts';
import { certificateArn } from './certificates.ts';
import { required } from './required.ts';

type Operations = Handlers<Pick<IotOperations, 'CreateKeysAndCertificate' | 'CreateCertificateFromCsr'>>;

export function certificateIssuanceOperations({
  store,
  clock,
  issuer,
}: {
  store: Store;
  clock: Clock;
  issuer: DeviceIssuer;
}): Operations {
  const keep = async (issued: IssuedCertificate, setAsActive: boolean | undefined, caller: Caller) => {
    const { certificateId, certificatePem } = issued;
    await store.write((tx) => keepIssuedCertificate(tx, caller, issued, setAsActive ? 'ACTIVE' : 'INACTIVE', clock.now()));
    return { certificateArn: certificateArn(caller, certificateId), certificateId, certificatePem };
  };

  return {
    async CreateKeysAndCertificate({ setAsActive }, caller) {
      const issued = await issuer.issueWithNewKey();
      // The private key goes into the answer and nowhere else.
      return {
        ...(await keep(issued, setAsActive, caller)),
        keyPair: { PublicKey: issued.publicKeyPem, PrivateKey: issued.privateKeyPem },
      };
    },

    async CreateCertificateFromCsr({ certificateSigningRequest, setAsActive }, caller) {
      const prepared = issuer.prepareFromCsr(required(certificateSigningRequest, 'certificateSigningRequest'));
      return keep(await issuer.issue(prepared), setAsActive, caller);
    },
  };
}
