/** A client as publisher: the topics that it names, its acknowledgements, and how it is made to wait. */
import type { Refusal } from '../../refusals/refusals.ts';
import type { DisconnectReason } from '../contract.ts';
import type { Logger } from '../../runtime/log.ts';
import { type Congestible, NOTHING_PENDING, type Origin, type PendingStorage, type Publisher } from '../messaging.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';
import type { Journal } from '../../store/journal.ts';
import type { ClientState } from '../session/session.ts';
import { AcknowledgementQueue } from './acknowledgement-queue.ts';
import type { ConnectionIdentity } from './connection-identity.ts';
import { closeUnacknowledged } from './fault.ts';
import type { Output } from './output.ts';
import { type PublishSlot, PublishSlots } from './publish-slots.ts';
import type { Reading } from './reading.ts';

/** A connection, as its messages know it. */
export interface Publishing {
  readonly identity: ConnectionIdentity;
  readonly reading: Reading;
  readonly output: Output;
  readonly state: ClientState;
  readonly account: AccountSpace | undefined;
  readonly clientId: string;
  readonly broker: {
    readonly log: Logger;
    readonly journal: Journal;
    readonly now: number;
    watch(receiver: Congestible): void;
  };
  refuse(refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void;
  close(why: DisconnectReason, reason?: number): void;
}

export class ClientPublisher implements Publisher {
  readonly #client: Publishing;
  readonly #slots = new PublishSlots();
  /** Topics by the aliases that the client has given them (MQTT 5). */
  #aliases: Map<number, RoutedTopic> | undefined;
  /** Made by the first acknowledgement that waits. */
  #acknowledgements: AcknowledgementQueue | undefined;

  constructor(client: Publishing) {
    this.#client = client;
  }

  get origin(): Origin {
    return this.#client.identity.origin;
  }

  /** Whether acknowledgements wait for something to be stored. */
  get acksHeld(): boolean {
    return this.#acknowledgements?.isEmpty === false;
  }

  /** The remembered answer for the topic whose name these bytes are. */
  slot(bytes: Buffer, start: number, end: number): PublishSlot {
    return this.#slots.find(bytes, start, end, this.#client.account as AccountSpace);
  }

  /** The topic that the client has given this alias. */
  aliased(alias: number): RoutedTopic | undefined {
    return this.#aliases?.get(alias);
  }

  setAlias(alias: number, topic: RoutedTopic): void {
    this.#aliases ??= new Map();
    this.#aliases.set(alias, topic);
  }

  /** Sends acknowledgements: at once, or once what is pending is stored and all before them are sent. */
  acknowledge(bytes: Uint8Array, pending: PendingStorage = NOTHING_PENDING): void {
    const client = this.#client;
    if (pending === NOTHING_PENDING && !this.acksHeld) {
      client.output.append(bytes);
      return;
    }
    this.#acknowledgements ??= new AcknowledgementQueue({
      journal: client.broker.journal,
      send: (held) => {
        if (client.state === 'connected') client.output.append(held);
      },
      // Nothing is acknowledged that is not stored; a new connection is the client's way to send it again.
      failed: (error) => closeUnacknowledged(client, error),
      pause: () => this.pauseReading(),
      resume: () => this.resumeReading(),
    });
    this.#acknowledgements.add(bytes, pending);
  }

  waitFor(receiver: Congestible): void {
    const { broker } = this.#client;
    this.pauseReading();
    broker.watch(receiver);
    receiver.wait(this, broker.now);
  }

  waitForDisk(): void {
    this.pauseReading();
    const release = (): void => this.resumeReading();
    this.#client.broker.journal.after(release, release);
  }

  pauseReading(): void {
    this.#client.reading.pause();
  }

  resumeReading(): void {
    this.#client.reading.resume();
  }
}
