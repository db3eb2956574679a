/** Messages about what was stored, published in the order of the commits: the writes run one after another, their answers need not. */
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

export class Outbox<T> {
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

  #flush(): void {
    for (let first = this.#tickets[0]; first?.isSettled === true; first = this.#tickets[0]) {
      this.#tickets.shift();
      if (first.messages !== undefined) this.#publish(first.messages);
    }
  }
}
