/** The operations of event configurations (API reference, UpdateEventConfigurations and DescribeEventConfigurations). */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { eventConfigurations } from './store.ts';

/** Kinds of events, off by default (developer guide, page iot-events). Lifecycle events are always on and not among them. */
const KINDS = [
  'THING',
  'THING_GROUP',
  'THING_TYPE',
  'THING_GROUP_MEMBERSHIP',
  'THING_GROUP_HIERARCHY',
  'THING_TYPE_ASSOCIATION',
  'JOB',
  'JOB_EXECUTION',
  'POLICY',
  'CERTIFICATE',
  'CA_CERTIFICATE',
] as const;

export interface EventOperationsOptions {
  readonly store: Store;
  readonly clock: Clock;
}

export const eventOperations = ({
  store,
  clock,
}: EventOperationsOptions): Handlers<Pick<IotOperations, 'UpdateEventConfigurations' | 'DescribeEventConfigurations'>> => ({
  async UpdateEventConfigurations({ eventConfigurations: wanted = {} }, { accountId }) {
    await store.write(async (tx) => {
      const before = await tx.get(eventConfigurations, [accountId]);
      const changes = Object.entries(wanted).map(([kind, configuration]) => [kind, configuration?.Enabled === true] as const);
      const now = clock.now();
      await tx.put(eventConfigurations, {
        accountId,
        enabled: { ...before?.enabled, ...Object.fromEntries(changes) },
        createdAt: before?.createdAt ?? now,
        modifiedAt: now,
      });
    });
    return {};
  },

  async DescribeEventConfigurations(_input, { accountId }) {
    const record = await store.read((tx) => tx.get(eventConfigurations, [accountId]));
    return {
      eventConfigurations: Object.fromEntries(KINDS.map((kind) => [kind, { Enabled: record?.enabled[kind] === true }])),
      creationDate: record === undefined ? undefined : new Date(record.createdAt),
      lastModifiedDate: record === undefined ? undefined : new Date(record.modifiedAt),
    };
  },
});
