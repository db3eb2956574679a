/** A thing's shadow, classic or named, typed: what is wanted (desired) comes as deltas, and what is so (reported) is published. */
import { AgentError } from './agent-error.ts';
import type { DeviceConnection } from './device-connection.ts';
import { type JsonObject, readJsonObject, requestOnTopic } from './topic-request.ts';

export interface ShadowDocument<State> {
  readonly desired?: Partial<State>;
  readonly reported?: Partial<State>;
  readonly delta?: Partial<State>;
  readonly version: number;
}

export interface ShadowOptions<State> {
  readonly thingName: string;
  /** Of a named shadow; the classic one without. */
  readonly shadowName?: string;
  /**
   * Takes a delta: members of the desired state that differ from the reported one. What it returns is reported; undefined reports
   * nothing. The service does not check types, so that members may have any.
   */
  readonly onDelta: (delta: Partial<State>, version: number) => Partial<State> | undefined | Promise<Partial<State> | undefined>;
  /** What could not be done with a delta; the agent goes on. */
  readonly onError?: (error: unknown) => void;
}

export class DeviceShadow<State extends object> {
  readonly #connection: DeviceConnection;
  readonly #topic: string;
  readonly #options: ShadowOptions<State>;

  private constructor(connection: DeviceConnection, options: ShadowOptions<State>) {
    const { thingName, shadowName } = options;
    this.#connection = connection;
    this.#options = options;
    this.#topic = `$aws/things/${thingName}/shadow${shadowName === undefined ? '' : `/name/${shadowName}`}`;
  }

  /** Hears deltas from now on, and after each connection asks for what has changed meanwhile. Throws AgentError. */
  static async open<State extends object>(
    connection: DeviceConnection,
    options: ShadowOptions<State>,
  ): Promise<DeviceShadow<State>> {
    const shadow = new DeviceShadow(connection, options);
    const failed = options.onError ?? (() => undefined);
    await connection.subscribe(`${shadow.#topic}/update/delta`, (message) => {
      void shadow.#take(() => readJsonObject(message)).catch(failed);
    });
    connection.listen(({ kind }) => {
      if (kind === 'connected') void shadow.#catchUp().catch(failed);
    });
    if (connection.isConnected) await shadow.#catchUp();
    return shadow;
  }

  /** Reads the shadow for a delta that came while there was no connection. */
  async #catchUp(): Promise<void> {
    const { delta, version } = await this.get();
    if (delta !== undefined) await this.#take(() => ({ state: delta, version }));
  }

  async #take(read: () => JsonObject): Promise<void> {
    const { state, version } = read();
    if (typeof state !== 'object' || state === null) throw new AgentError('content', 'a delta has no state');
    const reported = await this.#options.onDelta(state as Partial<State>, Number(version));
    if (reported !== undefined) await this.report(reported);
  }

  /** Reports members of the state; others stay as they are. Throws AgentError. */
  async report(reported: Partial<State>): Promise<void> {
    await requestOnTopic(this.#connection, `${this.#topic}/update`, { state: { reported } });
  }

  /** The shadow; version 0 and nothing in it where there is none. Throws AgentError. */
  async get(): Promise<ShadowDocument<State>> {
    let answer: JsonObject;
    try {
      answer = await requestOnTopic(this.#connection, `${this.#topic}/get`, {});
    } catch (error) {
      if (error instanceof AgentError && error.reason === 'refused' && error.message.includes('404')) return { version: 0 };
      throw error;
    }
    return { ...(answer.state as object), version: Number(answer.version) };
  }
}
