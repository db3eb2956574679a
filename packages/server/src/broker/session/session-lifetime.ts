/**
 * The time that a session has: the seconds that it outlives its connection, and since when and why its client is away. Wall
 * time is what is stored; the monotonic clock, which no change of the wall clock moves, decides when the session is over.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { DisconnectReason } from '../contract.ts';

export class SessionLifetime {
  #expiry = 0;
  #leftAt: number | undefined;
  #leftWhy: DisconnectReason | undefined;
  /** Monotonic milliseconds. */
  #endsAt: number | undefined;

  /** Seconds that the session lives after its client has left. */
  get expiry(): number {
    return this.#expiry;
  }

  /** When its client left: milliseconds since the epoch; undefined while it is there. */
  get leftAt(): number | undefined {
    return this.#leftAt;
  }

  get leftWhy(): DisconnectReason | undefined {
    return this.#leftWhy;
  }

  /** Takes over what was stored. A session without `leftAt` had its client when the process died. */
  restore(expiry: number, leftAt: number | undefined, leftWhy: DisconnectReason, clock: Clock): void {
    this.#expiry = expiry;
    this.#leftAt = leftAt;
    this.#leftWhy = leftWhy;
    // A wall clock that was set back does not make it live longer than it was to.
    const away = leftAt === undefined ? 0 : Math.max(0, clock.now() - leftAt);
    this.#endsAt = clock.monotonic() + expiry * 1000 - away;
  }

  /** Stops: a client is there, which wants so many seconds. */
  stop(expiry: number): void {
    this.#expiry = expiry;
    this.#leftAt = undefined;
    this.#endsAt = undefined;
  }

  /** Records why the client has left; the time begins to run with {@link start}. */
  clientLeft(why: DisconnectReason): void {
    this.#leftWhy = why;
  }

  start(clock: Clock): void {
    this.#leftAt = clock.now();
    this.#endsAt = clock.monotonic() + this.#expiry * 1000;
  }

  /** Whether the time has passed, in monotonic milliseconds. */
  isOver(now: number): boolean {
    return this.#endsAt !== undefined && this.#endsAt <= now;
  }

  /** Changes the seconds that the session lives after its client has left. */
  expireAfter(seconds: number): void {
    this.#expiry = seconds;
  }
}
