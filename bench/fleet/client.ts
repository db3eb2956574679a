/** One device of the fleet: a mutual TLS connection that speaks MQTT, acknowledges what it gets, and can vanish. */
import type { Socket } from 'node:net';
import { type Endpoint, open } from '../lib/connection.ts';
import { within } from './pace.ts';
import { connectPacket, disconnectPacket, type Hello, packetReader, publishPacket, subscribePacket } from './packets.ts';

export interface ClientOptions extends Hello {
  /** Called for each message with the packet's buffer and its end, where the payload ends too. */
  readonly onMessage?: (bytes: Buffer, end: number) => void;
}

/** Milliseconds for a handshake with CONNACK, and for a SUBACK. */
const PATIENCE = 60_000;

export class Client {
  readonly socket: Socket;
  readonly clientId: string;
  sessionPresent = false;
  closed = false;
  /** Reason code of the server's DISCONNECT (MQTT 5). */
  goodbye: number | undefined;
  onAcknowledged: (id: number) => void = () => {};
  readonly #level: 4 | 5;
  readonly #onMessage: NonNullable<ClientOptions['onMessage']>;
  #outbox: Buffer[] = [];
  #waiting: ((body: Buffer) => void) | undefined;

  constructor(socket: Socket, { clientId, level = 4, onMessage = () => {} }: ClientOptions) {
    this.socket = socket;
    this.clientId = clientId;
    this.#level = level;
    this.#onMessage = onMessage;
    const read = packetReader((first, bytes, from, to) => this.#take(first, bytes, from, to));
    socket.on('data', read);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Connects with the certificate of device `n`; fails when the CONNACK is no yes. */
  static async connect(endpoint: Endpoint, n: number, options: ClientOptions): Promise<Client> {
    const socket = await within(open(endpoint, n), PATIENCE, `${options.clientId}: TLS`);
    const client = new Client(socket, options);
    const answer = await client.#ask(connectPacket(options), 'CONNACK');
    if (answer[1] !== 0) throw new Error(`${options.clientId}: CONNACK ${answer.toString('hex')}`);
    client.sessionPresent = answer[0] === 1;
    return client;
  }

  async subscribe(filters: readonly string[], qos: 0 | 1): Promise<void> {
    const answer = await this.#ask(subscribePacket(filters, qos, this.#level), 'SUBACK');
    const codes = answer.subarray(this.#level === 5 ? 3 : 2);
    if (codes.some((code) => code > 1)) throw new Error(`${this.clientId}: SUBACK ${answer.toString('hex')}`);
  }

  publish(topic: string, payload: Buffer, id?: number): void {
    this.write(publishPacket(topic, payload, this.#level, id));
  }

  /** Gathers what one turn of the event loop sends. */
  write(bytes: Buffer): void {
    this.#outbox.push(bytes);
    if (this.#outbox.length === 1) setImmediate(() => this.#flush());
  }

  /** Is heard, as whoever has nothing to say must be within its keep-alive [MQTT-3.1.2-24]. */
  ping(): void {
    this.write(Buffer.of(0xc0, 0));
  }

  /** Says goodbye. */
  leave(): void {
    this.#flush();
    this.socket.end(disconnectPacket);
  }

  /** Is gone without a word. */
  drop(): void {
    this.#outbox = [];
    this.socket.destroy();
  }

  #flush(): void {
    const [first] = this.#outbox;
    if (first === undefined) return;
    const all = this.#outbox.length === 1 ? first : Buffer.concat(this.#outbox);
    this.#outbox = [];
    if (!this.socket.destroyed) this.socket.write(all);
  }

  #ask(bytes: Buffer, what: string): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const gone = (): void => reject(new Error(`${this.clientId}: closed before ${what}`));
    this.socket.once('close', gone);
    this.#waiting = (body) => {
      this.socket.off('close', gone);
      resolve(body);
    };
    this.socket.write(bytes);
    return within(promise, PATIENCE, `${this.clientId}: ${what}`);
  }

  #take(first: number, bytes: Buffer, from: number, to: number): void {
    switch (first >> 4) {
      case 3:
        if ((first & 0x06) !== 0) this.#acknowledge(bytes, from);
        this.#onMessage(bytes, to);
        return;
      case 4:
        this.onAcknowledged(bytes.readUInt16BE(from));
        return;
      case 13:
        return;
      case 14:
        this.goodbye = to > from ? bytes[from] : 0;
        return;
      default: {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting?.(Buffer.from(bytes.subarray(from, to)));
      }
    }
  }

  #acknowledge(bytes: Buffer, from: number): void {
    const at = from + 2 + bytes.readUInt16BE(from);
    this.write(Buffer.of(0x40, 2, bytes[at] as number, bytes[at + 1] as number));
  }
}
