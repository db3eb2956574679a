/** A publisher of QoS 1 with a window: what it has sent, what was acknowledged, and after how long. */
import type { Client } from './client.ts';
import { PAYLOAD, stamped } from './packets.ts';

/** Unacknowledged messages that AWS IoT allows a client. */
const WINDOW = 100;

export class Publisher {
  readonly client: Client;
  /** Numbers of the messages that were acknowledged, and milliseconds from when they were due to the PUBACK. */
  readonly acknowledged: number[] = [];
  readonly delays: number[] = [];
  readonly #inFlight = new Map<number, { readonly number: number; readonly due: number }>();
  #nextId = 1;
  #resume: (() => void) | undefined;

  constructor(client: Client) {
    this.client = client;
    client.onAcknowledged = (id) => {
      const sent = this.#inFlight.get(id);
      if (sent === undefined) return;
      this.#inFlight.delete(id);
      this.acknowledged.push(sent.number);
      this.delays.push(performance.now() - sent.due);
      this.#resume?.();
    };
  }

  get hasRoom(): boolean {
    return this.#inFlight.size < WINDOW && !this.client.closed;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  send(topic: string, number: number, due = performance.now(), size = PAYLOAD): void {
    const id = this.#nextId;
    this.#nextId = id === 0xffff ? 1 : id + 1;
    this.#inFlight.set(id, { number, due });
    this.client.publish(topic, stamped(due, number, size), id);
  }

  /** Sends whatever `next` gives whenever there is room, until it gives undefined. */
  sendAll(next: () => { readonly topic: string; readonly number: number } | undefined): void {
    this.#resume = () => {
      while (this.hasRoom) {
        const message = next();
        if (message === undefined) {
          this.#resume = undefined;
          return;
        }
        this.send(message.topic, message.number);
      }
    };
    this.#resume();
  }
}
