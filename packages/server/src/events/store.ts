/** Records of event configurations: which kinds of registry and job events an account wants published. */
import { collection } from '../store/contract.ts';

declare module '../store/change-kinds.ts' {
  interface ChangeKinds {
    'event-configuration': true;
  }
}

export interface EventConfigurationRecord {
  readonly accountId: string;
  /** Whether a kind of event is published; a kind that is absent is not. */
  readonly enabled: Readonly<Record<string, boolean>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export const eventConfigurations = collection<EventConfigurationRecord>(
  'event-configurations',
  (e) => [e.accountId],
  {},
  { changes: 'event-configuration' },
);
