/** A client as publisher: the topics that it names, its acknowledgements, and how it is made to wait. */
import type { DisconnectReason } from '../contract.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Congestible, Origin, Publisher } from '../messaging.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';
import type { Journal } from '../session/journal.ts';
import type { ClientState } from '../session/session.ts';
import type { ConnectionIdentity } from './connection-identity.ts';
import { closeForFailure } from './fault.ts';
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
  close(why: DisconnectReason, reason?: number): void;
}

export class ClientPublisher implements Publisher {
  readonly #client: Publishing;
  readonly #slots = new PublishSlots();
  /** Topics by the aliases that the client has given them (MQTT 5). */
  #aliases: Map<number, RoutedTopic> | undefined;
  /** Acknowledgements that wait for the disk: those of later messages wait behind them [MQTT-4.6.0-2]. */
  #acksHeld = 0;

  constructor(client: Publishing) {
    this.#client = client;
  }

  get origin(): Origin {
    return this.#client.identity.origin;
  }

  /** Whether acknowledgements wait for the disk. */
  get acksHeld(): boolean {
    return this.#acksHeld > 0;
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

  /** Sends acknowledgements: at once, or once all that came before is on disk. */
  acknowledge(bytes: Uint8Array, stored: boolean): void {
    const client = this.#client;
    if (!stored && this.#acksHeld === 0) {
      client.output.append(bytes);
      return;
    }
    this.#acksHeld += 1;
    client.broker.journal.after(
      () => {
        this.#acksHeld -= 1;
        if (client.state === 'connected') client.output.append(bytes);
      },
      (error: unknown) => {
        this.#acksHeld -= 1;
        // Nothing is acknowledged that is not stored; a new connection is the client's way to send it again.
        closeForFailure(client, error);
      },
    );
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
