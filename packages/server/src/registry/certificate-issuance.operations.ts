/** CreateKeysAndCertificate and CreateCertificateFromCsr: the authority issues, the registry keeps. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { DeviceIssuer, IssuedCertificate } from '../authority/authority.ts';
import type { Clock } from '../runtime/clock.ts';
import { claim } from '../store/claims.ts';
import type { Store } from '../store/contract.ts';
import { certificateArn, newCertificate } from './certificates.ts';
import { required } from './required.ts';
import { certificates } from './store.ts';

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
    const { certificateId, certificatePem, notBefore, notAfter } = issued;
    const { accountId, region } = caller;
    const since = clock.now();
    const status = setAsActive ? 'ACTIVE' : 'INACTIVE';
    const given = {
      accountId,
      certificateId,
      certificatePem,
      status,
      mode: 'DEFAULT',
      notBefore,
      notAfter,
    } as const;
    await store.write(async (tx) => {
      await tx.put(certificates, newCertificate(given, since));
      // Its holder has it now, ACTIVE or not, and no other account had it before.
      const active = status === 'ACTIVE';
      await claim(tx, { kind: 'certificate', name: certificateId, accountId, region, since, active });
    });
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
