/** What rules publish while they see the messages of one batch, as long as they make no loop. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Messaging, Origin, OutgoingMessages, PendingStorage, Publisher, TopicFacts } from '../broker/messaging.ts';
import type { Properties } from '../mqtt/properties.ts';

/** Rules behind one another at most: a longer chain is a loop (AWS leaves loops to their owner; here they end). */
export const DEEPEST_CHAIN = 10;
/** Messages that all rules together may make of one. */
const MAX_OF_ONE = 1000;

export class RepublishBuffer {
  readonly #messages: OutgoingMessages;
  readonly #chain: NonNullable<Origin['chain']>;
  readonly #last: boolean;

  /** For messages, so many, that came from `origin`. `last`: for what an error action says of a chain that was cut. */
  constructor(messaging: Pick<Messaging, 'outgoing'>, place: Place, origin: Origin | undefined, messages: number, last = false) {
    this.#messages = messaging.outgoing(place);
    this.#last = last;
    const { depth, budget } = origin?.chain ?? { depth: 0, budget: { left: MAX_OF_ONE * messages } };
    this.#chain = { depth: depth + 1, budget };
  }

  /** Whether rules have made so much of so little that it must be a loop. */
  get loops(): boolean {
    const { depth, budget } = this.#chain;
    return this.#last ? depth > DEEPEST_CHAIN + 1 : depth > DEEPEST_CHAIN || budget.left <= 0;
  }

  topic(name: string): TopicFacts {
    return this.#messages.topic(name);
  }

  put(topic: TopicFacts, qos: number, payload: Buffer, properties?: Properties): void {
    this.#chain.budget.left -= 1;
    this.#messages.put(topic, qos, payload, properties);
  }

  /** Publishes all of it. Gives what has to be stored before what caused it is acknowledged. */
  send(waiter: Publisher | undefined): PendingStorage {
    return this.#messages.send({ chain: this.#chain }, waiter);
  }
}
