/** What actions ask of topic rule destinations: URLs whose owners have confirmed them, networks that Kafka is in. */
import type { Place } from '@thingkeep/wire/arn.ts';

export interface Destinations {
  /**
   * Whether messages may go to `url` because a destination that covers it is ENABLED. `confirmationUrl` is what the action
   * names; without one the URL itself is meant.
   */
  isConfirmed(place: Place, url: URL, confirmationUrl: string | undefined): boolean;
  /** Why they may not: the status of the destination that covers `url`, with its reason. */
  whyUnconfirmed(place: Place, url: URL, confirmationUrl: string | undefined): string;
  /** Whether the operator vouches for a URL. */
  isTrusted(url: URL): boolean;
  /** Whether a destination of this ARN is there and ENABLED. */
  isEnabled(place: Place, arn: string): boolean;
}
