/**
 * Messages about what was stored, published in the order of the commits of their account: the writes run one after another, their
 * answers need not. What one account has to sign holds back no other's.
 */
import type { UrlDocument } from './document-urls.ts';
import type { JobExecutionRecord } from './store.ts';

export interface UnsignedNotification {
  readonly execution: JobExecutionRecord;
  readonly document: UrlDocument;
  readonly now: number;
}

export interface JobMessage {
  readonly topic: string;
  readonly payload: string;
  /** Set where the payload is a `notify-next` whose document has URLs to be signed. */
  readonly unsigned?: UnsignedNotification | undefined;
}

interface Ticket<T> {
  messages: T | undefined;
  isSettled: boolean;
}

/** What one write has to say, once it is known whether it is stored. */
export interface Turn<T> {
  send(messages: T): void;
  drop(): void;
}

class Outbox<T> {
  readonly #publish: (messages: T) => void;
  readonly #tickets: Ticket<T>[] = [];

  constructor(publish: (messages: T) => void) {
    this.#publish = publish;
  }

  /** Takes the next turn: to be called in the write's function, which runs in the order of the commits. */
  turn(): Turn<T> {
    const ticket: Ticket<T> = { messages: undefined, isSettled: false };
    this.#tickets.push(ticket);
    const settle = (messages: T | undefined): void => {
      ticket.messages = messages;
      ticket.isSettled = true;
      this.#flush();
    };
    return { send: settle, drop: () => settle(undefined) };
  }

  get isEmpty(): boolean {
    return this.#tickets.length === 0;
  }

  #flush(): void {
    for (let first = this.#tickets[0]; first?.isSettled === true; first = this.#tickets[0]) {
      this.#tickets.shift();
      if (first.messages !== undefined) this.#publish(first.messages);
    }
  }
}

/** An outbox for each owner that has something to say. */
export class Outboxes<T> {
  readonly #publish: (messages: T) => void;
  readonly #ofOwners = new Map<string, Outbox<T>>();

  constructor(publish: (messages: T) => void) {
    this.#publish = publish;
  }

  /** Takes the owner's next turn: to be called in the write's function, which runs in the order of the commits. */
  turn(owner: string): Turn<T> {
    const outbox = this.#ofOwners.get(owner) ?? new Outbox(this.#publish);
    this.#ofOwners.set(owner, outbox);
    const { send, drop } = outbox.turn();
    const settle = (act: () => void): void => {
      act();
      if (outbox.isEmpty && this.#ofOwners.get(owner) === outbox) this.#ofOwners.delete(owner);
    };
    return { send: (messages) => settle(() => send(messages)), drop: () => settle(drop) };
  }
}
