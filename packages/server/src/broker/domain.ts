/** The broker's data plane, as core takes it. */
import type { Domain } from '../domain.ts';
import type { Broker } from './broker.ts';
import { dataPlaneOperations, publisher } from './messages.operations.ts';

export const brokerDomain = (broker: Broker): Domain => ({
  name: 'broker',
  operations: () => ({ 'iot-data': dataPlaneOperations(broker, publisher(broker)) }),
  timers: [
    { every: 100, failure: 'the broker failed at its timer', run: () => broker.tick() },
    { every: 1000, failure: 'ended sessions could not be removed', run: () => broker.sweep() },
  ],
});
