/** What the broker asks of whoever sees messages beside the subscribers: the rules of an account. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Client } from './client.ts';
import type { Run } from './run.ts';

/** Where a message came from, as far as it is known. */
export interface Origin {
  /** Absent unless it came over MQTT. */
  readonly clientId?: string;
  /** As rules name it: a certificate's id, or what another identity has. */
  readonly principal?: string;
  readonly sourceIp?: string;
  /** Set for a will: what rules do with it is on disk with the end of its connection, whatever its QoS. */
  readonly isWill?: boolean;
  /** Set when a rule sent it: how many rules are behind it, and how many messages they may still make of the first one. */
  readonly chain?: { readonly depth: number; readonly budget: { left: number } };
}

/** Rules that see the messages of one topic. */
export interface Tapped {
  /** Work that one message means, in visits of receivers (see {@link Turn}). */
  readonly weight: number;
  /**
   * Sees the messages of a run, whose bytes are the caller's again when it returns. Says whether some of it has to reach
   * the disk before the messages are acknowledged. `waiter` is made to wait when receivers of what it publishes can't take more.
   */
  take(run: Run, origin: Origin | undefined, waiter: Client | undefined): boolean;
}

export interface Tap {
  /** Who sees the messages of a topic; nobody, mostly. Asked once for each topic, until the account's taps change. */
  on(place: Place, topic: string): Tapped | undefined;
}
