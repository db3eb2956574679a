/** Limits of one account. By default AWS's (General Reference, "AWS IoT Core endpoints and quotas"). */
import { LIMITS } from '@thingkeep/wire/limits.ts';

export interface AccountLimits {
  /** Seconds that a persistent session lives after its client has left: all of MQTT 3.1.1, and the most of MQTT 5. */
  readonly sessionExpiry: number;
  /** QoS 1 messages, and bytes of them, that wait for one session or shared subscription; later ones are dropped. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** The same, of all sessions and shared subscriptions of the account together. */
  readonly accountQueuedMessages: number;
  readonly accountQueuedBytes: number;
  /** Persistent sessions; a CONNECT that would make one more is refused. */
  readonly persistentSessions: number;
  /** Retained messages, and bytes of their topics and payloads. */
  readonly retainedMessages: number;
  readonly retainedBytes: number;
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
  accountQueuedMessages: LIMITS.accountQueuedMessages,
  accountQueuedBytes: LIMITS.accountQueuedBytes,
  persistentSessions: LIMITS.persistentSessions,
  retainedMessages: LIMITS.retainedMessages,
  retainedBytes: LIMITS.retainedBytes,
  subscriptionsPerConnection: LIMITS.subscriptionsPerConnection,
  filtersPerSubscribe: LIMITS.filtersPerSubscribe,
  shares: LIMITS.shares,
  shareMembers: LIMITS.shareMembers,
  inFlight: LIMITS.inFlight,
  connections: Number.POSITIVE_INFINITY,
};
