/** The fleet index, as core takes it. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import type { DomainEntry } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { ConnectivityFollower } from './connectivity-follower.ts';
import type { ShadowSource } from './documents/sources.ts';
import { dynamicThingGroupOperations } from './dynamic-thing-groups.operations.ts';
import { fleetMetricEmission } from './fleet-metric-emission.ts';
import { fleetMetricOperations } from './fleet-metrics.operations.ts';
import { FleetIndex } from './fleet-index.ts';
import { indexOperations } from './indexes.operations.ts';
import { searchOperations } from './searches.operations.ts';
import { connectivity, fleetMetricPoints, fleetMetrics, indexingConfigurations } from './store.ts';

export interface FleetIndexDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly changes: Changes;
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly messaging: Pick<Messaging, 'onConnections'>;
  /** Where shadows come from, and who tells of their changes. */
  readonly shadows: ShadowSource & { onChange(listener: (place: Place, thingName: string) => void): void };
  /** The index file. */
  readonly indexFile: string;
}

export const fleetIndexDomain: DomainEntry<FleetIndexDeps> = {
  collections: [connectivity, fleetMetricPoints, fleetMetrics, indexingConfigurations],
  open: ({ clock, log, changes, inRegion, regions, messaging, shadows, indexFile }) => {
    const fleetIndex = new FleetIndex({ path: indexFile, clock, changes, inRegion, regions, shadows, log });
    shadows.onChange((place, thingName) => fleetIndex.markThing(place, thingName));
    const follower = new ConnectivityFollower({
      ...{ clock, inRegion, log },
      wantsConnectivity: (place) => fleetIndex.wantsConnectivity(place),
    });
    messaging.onConnections(follower);
    let end = (): void => undefined;
    return {
      name: 'fleet-index',
      taggable: {
        fleetmetric: async (tx, accountId, name) => (await tx.get(fleetMetrics, [accountId, name])) !== undefined,
      },
      tasks: [fleetMetricEmission({ clock, fleetIndex, inRegion, regions, log })],
      operations: ({ store }) => ({
        iot: {
          ...indexOperations({ store, fleetIndex }),
          ...searchOperations({ fleetIndex }),
          ...fleetMetricOperations({ store, clock, fleetIndex }),
          ...dynamicThingGroupOperations({ store, clock, fleetIndex }),
        },
      }),
      async load() {
        await follower.load(await regions());
        await fleetIndex.load();
        end = follower.follow(changes);
      },
      async close() {
        end();
        await follower.close();
        await fleetIndex[Symbol.asyncDispose]();
      },
    };
  },
};
