/** DescribeCertificate, ListCertificates, ListCertificatesByCA, UpdateCertificate, DeleteCertificate. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { policyAttachments } from '../policies/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { claim, noteStatus, release } from '../store/claims.ts';
import type { Store } from '../store/contract.ts';
import {
  certificateArn,
  certificateIdIn,
  describeCertificate,
  getCertificate,
  certificateSummary,
  withStatus,
} from './certificates.ts';
import { PAGE } from './paging.ts';
import { required } from './required.ts';
import { certificates, thingPrincipals } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    'DescribeCertificate' | 'ListCertificates' | 'ListCertificatesByCA' | 'UpdateCertificate' | 'DeleteCertificate'
  >
>;

export function certificateOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async DescribeCertificate({ certificateId }, caller) {
      const record = await store.read((tx) => getCertificate(tx, caller.accountId, certificateIdIn(certificateId)));
      return { certificateDescription: describeCertificate(caller, record) };
    },

    async ListCertificates({ pageSize = PAGE, marker, ascendingOrder = false }, caller) {
      const { items, next } = await store.read((tx) =>
        tx.scan(certificates, {
          skipDamaged: true,
          index: 'byCreation',
          prefix: [caller.accountId],
          after: marker,
          limit: pageSize,
          reverse: !ascendingOrder,
        }),
      );
      return { certificates: items.map((each) => certificateSummary(caller, each)), nextMarker: next };
    },

    async ListCertificatesByCA({ caCertificateId, pageSize = PAGE, marker, ascendingOrder = false }, caller) {
      const prefix = [caller.accountId, certificateIdIn(caCertificateId)];
      const { items, next } = await store.read((tx) =>
        tx.scan(certificates, {
          skipDamaged: true,
          index: 'byCa',
          prefix,
          after: marker,
          limit: pageSize,
          reverse: !ascendingOrder,
        }),
      );
      return { certificates: items.map((each) => certificateSummary(caller, each)), nextMarker: next };
    },

    async UpdateCertificate({ certificateId, newStatus }, caller) {
      const id = certificateIdIn(certificateId);
      await store.write(async (tx) => {
        const record = await getCertificate(tx, caller.accountId, id);
        const since = clock.now();
        const after = withStatus(record, required(newStatus, 'newStatus'), since);
        const { accountId, region } = caller;
        const active = after.status === 'ACTIVE';
        const mine = { kind: 'certificate', name: id, accountId, region, since, active } as const;
        // Where the first registration was deleted, the next one counts once its owner says that it shall.
        if (active) await claim(tx, mine);
        else await noteStatus(tx, mine);
        if (after !== record) await tx.put(certificates, after);
      });
      return {};
    },

    async DeleteCertificate({ certificateId, forceDelete = false }, caller) {
      const id = certificateIdIn(certificateId);
      const arn = certificateArn(caller, id);
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await getCertificate(tx, accountId, id);
        if (record.status === 'ACTIVE')
          fail('CertificateStateException', `Certificate must be deactivated (not ACTIVE) before deletion. Id: ${id}`);
        if (record.status === 'PENDING_TRANSFER')
          fail('CertificateStateException', `Certificate is being transferred; cancel the transfer before deletion. Id: ${id}`);
        const attachedThings = await tx.scan(thingPrincipals, { index: 'byPrincipal', prefix: [accountId, arn], limit: 1 });
        if (attachedThings.items.length > 0)
          fail('DeleteConflictException', `Things must be detached before deletion (arn: ${arn})`);
        const attached = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, arn] });
        // API reference DeleteCertificate: forceDelete asks only that it is inactive and on no thing.
        if (attached.items.length > 0 && !forceDelete)
          fail('DeleteConflictException', `Certificate policies must be detached before deletion (arn: ${arn})`);
        for (const { policyName, target } of attached.items) await tx.delete(policyAttachments, [accountId, policyName, target]);
        await tx.delete(certificates, [accountId, id]);
        await release(tx, { kind: 'certificate', name: id, accountId, region: caller.region });
      });
      return {};
    },
  };
}
