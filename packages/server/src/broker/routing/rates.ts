/** The rates that an account can have. */
import type { RATES } from '@thingkeep/wire/limits.ts';

/** Per second; 0 where there is no rate. Those of shadows are kept where shadows are. */
export type Rates = { readonly [K in Exclude<keyof typeof RATES, `shadow${string}`>]: number };

export const NO_RATES: Rates = {
  connects: 0,
  connectsPerClientId: 0,
  publishesIn: 0,
  publishesOut: 0,
  publishesPerConnection: 0,
  bytesPerConnection: 0,
  subscriptions: 0,
  retainedPublishes: 0,
  retainedPublishesPerTopic: 0,
  replayedMessages: 0,
  connectionRequests: 0,
  connectionRequestsPerClientId: 0,
  jobReads: 0,
  jobWrites: 0,
};
