/** The broker's data plane, as core takes it. */
import type { DomainEntry } from '../domain.ts';
import type { Broker } from './broker.ts';
import { dataPlaneOperations, publisher } from './messages.operations.ts';
import { connectionRecords, willRecords } from './connection/connection-record.ts';
import { retainedMessages } from './routing/retained-record.ts';
import { usage } from './routing/retained-usage.ts';
import { sessionRecords } from './session/session.ts';
import { sharedGroupRecords } from './session/shared-group.ts';

export const brokerDomain: DomainEntry<{ readonly broker: Broker }> = {
  collections: [connectionRecords, retainedMessages, sessionRecords, sharedGroupRecords, usage, willRecords],
  open: ({ broker }) => ({
    name: 'broker',
    operations: () => ({ 'iot-data': dataPlaneOperations(broker, publisher(broker)) }),
    timers: [
      { every: 100, failure: 'the broker failed at its timer', run: () => broker.tick() },
      { every: 1000, failure: 'ended sessions could not be removed', run: () => broker.sweep() },
    ],
  }),
};
