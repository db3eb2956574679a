/** DescribeCertificate, ListCertificates, ListCertificatesByCA, UpdateCertificate, DeleteCertificate. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { deleteCertificate, setCertificateStatus } from './certificate-records.ts';
import { certificateIdIn, certificateSummary, describeCertificate, getOwnOrOffered } from './certificates.ts';
import { PAGE } from './paging.ts';
import { required } from './required.ts';
import { certificates } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    'DescribeCertificate' | 'ListCertificates' | 'ListCertificatesByCA' | 'UpdateCertificate' | 'DeleteCertificate'
  >
>;

export function certificateOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async DescribeCertificate({ certificateId }, caller) {
      const record = await store.read((tx) => getOwnOrOffered(tx, caller.accountId, certificateIdIn(certificateId)));
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
      await store.write((tx) => setCertificateStatus(tx, caller, id, required(newStatus, 'newStatus'), clock.now()));
      return {};
    },

    async DeleteCertificate({ certificateId, forceDelete = false }, caller) {
      await store.write((tx) => deleteCertificate(tx, caller, certificateIdIn(certificateId), forceDelete));
      return {};
    },
  };
}
