/** Reading from one peer: who has paused it, and for how long the peer has been silent. */
import type { Channel } from '../contract.ts';
import type { ClientState } from '../session/session.ts';

/** A client waits for the next tick after as many refusals: a hundred or so in each tick is all that it gets. */
const MAX_REFUSALS = 100;

/** A connection, as the reading of its bytes knows it. */
export interface Read {
  readonly state: ClientState;
  readonly broker: {
    /** Monotonic ms, as of the last tick. */
    readonly now: number;
    pauseUntilNextTick(paused: Reading): void;
  };
}

export class Reading {
  /** Monotonic ms of the connection's begin. */
  readonly since: number;
  readonly #client: Read;
  readonly #channel: Channel;
  /** Monotonic ms of the last bytes that came. */
  #lastHeard: number;
  /** Seconds; 0 before CONNECT. */
  #keepAlive = 0;
  #pauses = 0;
  #refusals = 0;

  constructor(client: Read, channel: Channel, since: number) {
    this.#client = client;
    this.#channel = channel;
    this.since = since;
    this.#lastHeard = since;
  }

  /** Seconds; 0 before CONNECT. */
  get keepAlive(): number {
    return this.#keepAlive;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** Bytes came. */
  heard(): void {
    this.#lastHeard = this.#client.broker.now;
  }

  /** Takes the keep-alive that was agreed on, in seconds. */
  setKeepAlive(seconds: number): void {
    this.#keepAlive = seconds;
  }

  /** Whether nothing has come for longer than the keep-alive allows. A client that is not read from can't be heard. */
  isSilent(now: number): boolean {
    // One and a half times the keep-alive [MQTT-3.1.2-24].
    return (now - this.#lastHeard) / 1000 > this.#keepAlive * 1.5 && !this.isPaused;
  }

  /** Stops until as many calls of `resume` have come. */
  pause(): void {
    this.#pauses += 1;
    if (this.#pauses === 1) this.#channel.pause();
  }

  resume(): void {
    this.#pauses -= 1;
    if (this.#pauses === 0 && this.#client.state !== 'closed') this.#channel.resume();
  }

  /** Something was refused: after many refusals nothing is read until the next tick. */
  refused(): void {
    this.#refusals += 1;
    if (this.#refusals !== MAX_REFUSALS || this.#client.state !== 'connected') return;
    this.pause();
    this.#client.broker.pauseUntilNextTick(this);
  }

  /** Reads on: a tick has passed since too much was refused. */
  resumeAfterRefusals(): void {
    this.#refusals = 0;
    this.resume();
  }
}
