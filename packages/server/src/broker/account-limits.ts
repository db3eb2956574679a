/** Limits of one account. By default AWS's (General Reference, "AWS IoT Core endpoints and quotas"). */
import { LIMITS } from '@thingkeep/wire/limits.ts';

export interface AccountLimits {
  /** Seconds that a persistent session lives after its client has left: all of MQTT 3.1.1, and the most of MQTT 5. */
  readonly sessionExpiry: number;
  /** QoS 1 messages, and bytes of them, that wait for one session or shared subscription; later ones are dropped. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly subscriptionsPerConnection: number;
  readonly filtersPerSubscribe: number;
  /** Groups of shared subscriptions, and members of one. */
  readonly shares: number;
  readonly shareMembers: number;
  /** Unacknowledged QoS 1 messages, each way: 100 at most. */
  readonly inFlight: number;
  /** Clients connected at a time; Infinity for any number. */
  readonly connections: number;
}

export const DEFAULT_LIMITS: AccountLimits = {
  sessionExpiry: LIMITS.sessionExpiry,
  queuedMessages: LIMITS.queuedMessages,
  queuedBytes: LIMITS.queuedBytes,
  subscriptionsPerConnection: LIMITS.subscriptionsPerConnection,
  filtersPerSubscribe: LIMITS.filtersPerSubscribe,
  shares: LIMITS.shares,
  shareMembers: LIMITS.shareMembers,
  inFlight: LIMITS.inFlight,
  connections: Number.POSITIVE_INFINITY,
};
