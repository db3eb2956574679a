/** Device metrics: the domain that docs/add-a-domain.md shows. It is served by a test alone. */
import type { DomainEntry } from '../../packages/server/src/domain.ts';
import type { Clock } from '../../packages/server/src/runtime/clock.ts';
import type { Changes } from '../../packages/server/src/store/changes.ts';
import type { Store } from '../../packages/server/src/store/contract.ts';
import { customMetricOperations } from './custom-metrics.operations.ts';
import { KnownMetrics } from './known-metrics.ts';
import { metricReports } from './metric-reports.topics.ts';
import { customMetrics } from './store.ts';

export interface MetricDeps {
  readonly clock: Clock;
  readonly changes: Changes;
  readonly inRegion: (region: string) => Store;
}

/** Told of each opened cache, for the test. */
export const metricsDomain = (opened: (known: KnownMetrics) => void): DomainEntry<MetricDeps> => ({
  collections: [customMetrics],
  open: ({ clock, changes, inRegion }) => {
    const known = new KnownMetrics(inRegion, changes);
    opened(known);
    return {
      name: 'device-metrics',
      operations: ({ store }) => ({ iot: customMetricOperations({ store, clock }) }),
      topics: metricReports(known, clock),
      close: known.unfollow,
    };
  },
});
