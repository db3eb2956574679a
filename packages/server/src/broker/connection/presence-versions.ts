/**
 * Version numbers of presence events: they count a client id's connections, so that a reader can order what reaches it
 * out of order, and begin again at 0 when the client has been away for an hour (developer guide, page life-cycle-events).
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../../runtime/clock.ts';

export const VERSION_LIFETIME = 3_600_000;

/** The name under which the versions of a client id are kept. */
export const presenceName = ({ region, accountId }: Place, clientId: string): string => `${region}/${accountId}/${clientId}`;

interface Left {
  readonly version: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export class PresenceVersions {
  readonly #clock: Clock;
  readonly #connected = new Map<string, number>();
  /** Clients that left longest ago come first. */
  readonly #left = new Map<string, Left>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of a new connection. */
  connect(name: string): number {
    const left = this.#left.get(name);
    this.#left.delete(name);
    const before = this.#connected.get(name) ?? (left !== undefined && !this.#isOver(left) ? left.version : -1);
    this.#connected.set(name, before + 1);
    return before + 1;
  }

  /** The connection of this number has ended. Does nothing where a later one has come. */
  disconnect(name: string, version: number): void {
    if (this.#connected.get(name) === version) this.restore(name, version, 0);
  }

  /** A client that left so many milliseconds ago, with the number of its last connection. */
  restore(name: string, version: number, ago: number): void {
    this.#connected.delete(name);
    this.#left.delete(name);
    this.#left.set(name, { version, at: this.#clock.monotonic() - ago });
  }

  /** Forgets clients that have been away for an hour, `max` of them at a time, and names them. */
  forget(max: number): string[] {
    const names: string[] = [];
    for (const [name, left] of this.#left) {
      if (names.length === max || !this.#isOver(left)) break;
      this.#left.delete(name);
      names.push(name);
    }
    return names;
  }

  #isOver({ at }: Left): boolean {
    return this.#clock.monotonic() - at > VERSION_LIFETIME;
  }
}
