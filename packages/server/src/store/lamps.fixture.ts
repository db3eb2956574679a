/** A collection that tells its changes, for tests. */
import type { ChangeFeed } from './change-feed.ts';
import type { Change, ChangeSubscriber, DurableSubscription } from './changes.ts';
import { collection } from './contract.ts';

export interface Lamp {
  readonly accountId: string;
  readonly name: string;
  readonly watts: number;
}

export const lamps = collection<Lamp>('lamps', (l) => [l.accountId, l.name], {}, { changes: 'thing' });

/** A durable subscriber of lamps that takes one change after another. */
export const subscriberOf = (name: string, take: (change: Change<object>) => void): ChangeSubscriber & DurableSubscription => ({
  name,
  of: [lamps as never],
  take: async (changes) => {
    for (const change of changes) take(change);
  },
});

/** Subscribes from now on. */
export async function subscribe(
  feed: ChangeFeed,
  subscribers: readonly (ChangeSubscriber & DurableSubscription)[],
): Promise<void> {
  await feed.load(subscribers);
  feed.begin(subscribers);
}
