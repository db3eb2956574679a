/** Interceptors see messages beside the subscribers: the rules of an account. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Origin } from './origin.ts';
import type { Publisher } from './publisher.ts';
import type { PublishBatch } from './publish-batch.ts';

/** Rules that see the messages of one topic. */
export interface TopicInterceptor {
  /** Work that one message means, in visits of receivers (see {@link LoopBudget}). */
  readonly weight: number;
  /**
   * Sees the messages of a batch, whose bytes are the caller's again when it returns. Says whether some of it has to reach
   * the disk before the messages are acknowledged. `waiter` is made to wait when receivers of what it publishes can't take more.
   */
  take(batch: PublishBatch, origin: Origin | undefined, waiter: Publisher | undefined): boolean;
}

export interface MessageInterceptor {
  /** The interceptor of a topic; undefined for most. Asked for once per topic, until the account's interceptors change. */
  on(place: Place, topic: string): TopicInterceptor | undefined;
}

/** Several interceptors of one topic as one: each sees every message. */
export function combineInterceptors(all: readonly TopicInterceptor[]): TopicInterceptor | undefined {
  if (all.length < 2) return all[0];
  return {
    weight: all.reduce((sum, { weight }) => sum + weight, 0),
    take: (batch, origin, waiter) => {
      let stored = false;
      for (const each of all) if (each.take(batch, origin, waiter)) stored = true;
      return stored;
    },
  };
}
