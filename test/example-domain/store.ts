/** Records of custom metrics. */
import { collection } from '../../packages/server/src/store/contract.ts';

declare module '../../packages/server/src/store/change-kinds.ts' {
  interface ChangeKinds {
    'custom-metric': true;
  }
}

export interface CustomMetricRecord {
  readonly accountId: string;
  readonly name: string;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export const customMetrics = collection<CustomMetricRecord>(
  'custom-metrics',
  (m) => [m.accountId, m.name],
  {},
  { changes: 'custom-metric' },
);
