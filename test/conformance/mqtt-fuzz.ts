/**
 * Malformed MQTT over mutual TLS against a running server. Each worker opens a connection, is let in or not, and sends bent
 * packets one after another until the server ends the connection; every input is waited for (an answer to a PINGREQ behind
 * it, the end, or a moment of silence, as after a packet that is cut short).
 */
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { fuzzConnect, type FuzzInput, fuzzInput, type Level } from './mqtt-fuzz-inputs.ts';

export interface MqttFuzzOptions {
  readonly tls: ConnectionOptions;
  readonly seed: number;
  readonly inputs: number;
  readonly concurrency?: number;
}

export interface MqttFuzzStatistics {
  readonly inputs: number;
  readonly connections: number;
  /** Connections that the server ended. */
  readonly ended: number;
  /** Connections that could not be made. */
  readonly failed: number;
  readonly seconds: number;
}

const PINGREQ = Buffer.of(0xc0, 0);
/** Milliseconds of silence after which an input is taken for a packet cut short. */
const SILENCE = 15;
/** Inputs on one connection at most. */
const LONGEST = 40;

class FuzzConnection {
  readonly socket: TLSSocket;
  closed = false;
  #wake: () => void = () => {};

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', () => this.#wake());
    socket.on('error', () => {});
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  static open(tls: ConnectionOptions): Promise<FuzzConnection | undefined> {
    return new Promise((resolve) => {
      const socket = connect(tls);
      const connection = new FuzzConnection(socket);
      socket.setTimeout(10_000, () => socket.destroy());
      socket.once('secureConnect', () => resolve(connection));
      socket.once('close', () => resolve(undefined));
    });
  }

  #end(): void {
    this.closed = true;
    this.#wake();
  }

  /** Sends, and waits for an answer, the end, or silence. */
  async send(bytes: Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, SILENCE);
    this.socket.write(bytes);
    await promise;
    clearTimeout(timer);
  }
}

/** Sends all the inputs of the seed and tells how it went. */
export async function fuzzMqtt({ tls, seed, inputs, concurrency = 24 }: MqttFuzzOptions): Promise<MqttFuzzStatistics> {
  const began = performance.now();
  let [connections, ended, failed, next] = [0, 0, 0, 0];
  const kinds = new Map<string, FuzzInput[]>();
  /** The next input of this kind; those of other kinds on the way to it wait for their turn. */
  const take = (kind: string | undefined): FuzzInput | undefined => {
    const waiting = kind === undefined ? [...kinds.values()].find((list) => list.length > 0) : kinds.get(kind);
    if (waiting !== undefined && waiting.length > 0) return waiting.shift();
    while (next < inputs) {
      const input = fuzzInput(seed, next++);
      const of = `${input.afterConnect} ${input.level}`;
      if (kind === undefined || of === kind) return input;
      kinds.set(of, [...(kinds.get(of) ?? []), input]);
      if ((kinds.get(of) as FuzzInput[]).length > 200) return undefined;
    }
    return undefined;
  };
  const worker = async (number: number): Promise<void> => {
    for (let input = take(undefined); input !== undefined; input = take(undefined)) {
      const connection = await FuzzConnection.open(tls);
      if (connection === undefined) {
        failed += 1;
        continue;
      }
      connections += 1;
      const { afterConnect, level } = input;
      if (afterConnect) await connection.send(fuzzConnect(level as Level, `fuzz-${number}`));
      for (let sent = 0; ; ) {
        // A PINGREQ behind it tells when a packet that is fine after all has been handled.
        await connection.send(afterConnect ? Buffer.concat([input.bytes, PINGREQ]) : input.bytes);
        sent += 1;
        if (connection.closed || !afterConnect || sent >= LONGEST) break;
        const following = take(`true ${level}`);
        if (following === undefined) break;
        input = following;
      }
      if (connection.closed) ended += 1;
      connection.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => worker(number)));
  return { inputs, connections, ended, failed, seconds: (performance.now() - began) / 1000 };
}
