/** DescribeCACertificate, ListCACertificates, UpdateCACertificate, DeleteCACertificate. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { caCertificateArn, describedCa, getCaCertificate, listedCa, registrationConfig } from './ca-certificates.ts';
import { certificateIdIn } from './certificates.ts';
import { filteredPage, PAGE } from './paging.ts';
import { caCertificates } from './store.ts';
import { dropTags } from './tags.ts';

type Operations = Handlers<
  Pick<IotOperations, 'DescribeCACertificate' | 'ListCACertificates' | 'UpdateCACertificate' | 'DeleteCACertificate'>
>;

export function caCertificateOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async DescribeCACertificate({ certificateId }, caller) {
      const record = await store.read((tx) => getCaCertificate(tx, caller.accountId, certificateIdIn(certificateId)));
      return { certificateDescription: describedCa(caller, record), registrationConfig: record.registrationConfig };
    },

    async ListCACertificates({ pageSize = PAGE, marker, ascendingOrder = false, templateName }, caller) {
      const scan = { index: 'byCreation', prefix: [caller.accountId], after: marker, limit: pageSize, reverse: !ascendingOrder };
      const { items, next } = await store.read((tx) =>
        filteredPage(
          tx,
          caCertificates,
          scan,
          (each) => templateName === undefined || each.registrationConfig?.templateName === templateName,
        ),
      );
      return { certificates: items.map((each) => listedCa(caller, each)), nextMarker: next };
    },

    async UpdateCACertificate({ certificateId, newStatus, newAutoRegistrationStatus, removeAutoRegistration, ...input }, caller) {
      const config = registrationConfig(input.registrationConfig);
      if (removeAutoRegistration && (config !== undefined || newAutoRegistrationStatus === 'ENABLE'))
        fail('InvalidRequestException', 'removeAutoRegistration contradicts the other members of the request.');
      await store.write(async (tx) => {
        const record = await getCaCertificate(tx, caller.accountId, certificateIdIn(certificateId));
        const kept = removeAutoRegistration ? undefined : (config ?? record.registrationConfig);
        const automatic =
          newAutoRegistrationStatus === undefined ? record.autoRegistration : newAutoRegistrationStatus === 'ENABLE';
        await tx.put(caCertificates, {
          ...record,
          status: newStatus ?? record.status,
          autoRegistration: removeAutoRegistration ? false : automatic,
          registrationConfig: kept,
          lastModifiedAt: clock.now(),
          version: record.version + 1,
        });
      });
      return {};
    },

    async DeleteCACertificate({ certificateId }, caller) {
      const id = certificateIdIn(certificateId);
      await store.write(async (tx) => {
        const record = await getCaCertificate(tx, caller.accountId, id);
        if (record.status === 'ACTIVE')
          fail('CertificateStateException', `CA certificate must be deactivated (not ACTIVE) before deletion. Id: ${id}`);
        await tx.delete(caCertificates, [caller.accountId, id]);
        await dropTags(tx, caller.accountId, caCertificateArn(caller, id));
      });
      return {};
    },
  };
}
