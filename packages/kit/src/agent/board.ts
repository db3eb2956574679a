/**
 * The board of the Zero Touch kit: three buttons, three LEDs, and their shadow. Its messages are those of the kit's firmware
 * 2.2.5, byte for byte: the whole state, in this order, after each connection, each press and each delta; QoS 0, and no answer is
 * waited for.
 */
import type { DeviceConnection } from './device-connection.ts';
import { readJsonObject } from './topic-request.ts';

export interface BoardState {
  readonly button1: 'up' | 'down';
  readonly button2: 'up' | 'down';
  readonly button3: 'up' | 'down';
  readonly led1: 'on' | 'off';
  readonly led2: 'on' | 'off';
  readonly led3: 'on' | 'off';
}

const AT_REST: BoardState = { button1: 'up', button2: 'up', button3: 'up', led1: 'off', led2: 'off', led3: 'off' };

/** One line for people. */
export const boardLine = (state: BoardState): string =>
  Object.entries(state)
    .map(([name, value]) => `${name} ${value}`)
    .join('  ');

export class Board {
  readonly #connection: DeviceConnection;
  readonly #topic: string;
  readonly #show: (state: BoardState) => void;
  #state = AT_REST;

  private constructor(connection: DeviceConnection, thingName: string, show: (state: BoardState) => void) {
    this.#connection = connection;
    this.#topic = `$aws/things/${thingName}/shadow/update`;
    this.#show = show;
  }

  /** Reports with each connection and follows deltas. Throws AgentError where the delta may not be subscribed to. */
  static async open(connection: DeviceConnection, thingName: string, show: (state: BoardState) => void): Promise<Board> {
    const board = new Board(connection, thingName, show);
    await connection.subscribe(`${board.#topic}/delta`, (message) => void board.#follow(() => readJsonObject(message).state), 0);
    connection.listen(({ kind }) => {
      if (kind === 'connected') void board.#report();
    });
    if (connection.isConnected) await board.#report();
    return board;
  }

  get state(): BoardState {
    return this.#state;
  }

  /** Reports the whole state. A report that is lost with the connection is sent again after the next one. */
  async #report(): Promise<void> {
    this.#show(this.#state);
    await this.#connection.publish(this.#topic, JSON.stringify({ state: { reported: this.#state } }), 0).catch(() => undefined);
  }

  /** LEDs that the delta names are on where it says `on`, and off otherwise. */
  async #follow(read: () => unknown): Promise<void> {
    let wanted: Readonly<Record<string, unknown>>;
    try {
      wanted = read() as Readonly<Record<string, unknown>>;
    } catch {
      return;
    }
    const led = (name: 'led1' | 'led2' | 'led3'): 'on' | 'off' =>
      Object.hasOwn(wanted ?? {}, name) ? (wanted[name] === 'on' ? 'on' : 'off') : this.#state[name];
    this.#state = { ...this.#state, led1: led('led1'), led2: led('led2'), led3: led('led3') };
    await this.#report();
  }

  /** A press turns a button from up to down, and from down to up. */
  async press(button: 1 | 2 | 3): Promise<void> {
    const name = `button${button}` as const;
    this.#state = { ...this.#state, [name]: this.#state[name] === 'up' ? 'down' : 'up' };
    await this.#report();
  }
}
