/**
 * TransferCertificate, AcceptCertificateTransfer, RejectCertificateTransfer, CancelCertificateTransfer,
 * ListOutgoingCertificates.
 */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { acceptTransfer, cancelTransfer, rejectTransfer, startTransfer } from './certificate-transfers.ts';
import { certificateArn, certificateIdIn, outgoingCertificate } from './certificates.ts';
import { PAGE } from './paging.ts';
import { required } from './required.ts';
import { certificates } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'TransferCertificate'
    | 'AcceptCertificateTransfer'
    | 'RejectCertificateTransfer'
    | 'CancelCertificateTransfer'
    | 'ListOutgoingCertificates'
  >
>;

export function certificateTransferOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async TransferCertificate({ certificateId: given, targetAwsAccount, transferMessage: message }, caller) {
      const certificateId = certificateIdIn(given);
      const to = required(targetAwsAccount, 'targetAwsAccount');
      await store.write((tx) => startTransfer(tx, caller, { certificateId, to, message }, clock.now()));
      return { transferredCertificateArn: certificateArn({ accountId: to, region: caller.region }, certificateId) };
    },

    async AcceptCertificateTransfer({ certificateId: given, setAsActive = false }, caller) {
      const certificateId = certificateIdIn(given);
      await store.write((tx) => acceptTransfer(tx, caller, { certificateId, setAsActive }, clock.now()));
      return {};
    },

    async RejectCertificateTransfer({ certificateId: given, rejectReason }, caller) {
      const certificateId = certificateIdIn(given);
      await store.write((tx) => rejectTransfer(tx, caller, { certificateId, rejectReason }, clock.now()));
      return {};
    },

    async CancelCertificateTransfer({ certificateId }, caller) {
      await store.write((tx) => cancelTransfer(tx, caller, certificateIdIn(certificateId), clock.now()));
      return {};
    },

    async ListOutgoingCertificates({ pageSize = PAGE, marker, ascendingOrder = false }, caller) {
      const { items, next } = await store.read((tx) =>
        tx.scan(certificates, {
          skipDamaged: true,
          index: 'outgoing',
          prefix: [caller.accountId],
          after: marker,
          limit: pageSize,
          reverse: !ascendingOrder,
        }),
      );
      return { outgoingCertificates: items.map((each) => outgoingCertificate(caller, each)), nextMarker: next };
    },
  };
}
