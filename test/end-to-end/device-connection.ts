/** A device on the wire: packets out, packets in, and the end of the connection, each as it is. */
import { readFileSync } from 'node:fs';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { generate, type IConnackPacket, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import type { TestServer } from './test-core.ts';
import { within } from './until.ts';

export type Level = 4 | 5;
/** What a connection brings next: a packet, or its end. */
export type Seen = Packet | { readonly cmd: 'closed' };

export interface DeviceOptions {
  readonly certPem?: string;
  readonly keyPem?: string;
  readonly port?: number;
  readonly tls?: ConnectionOptions;
}

export class DeviceConnection implements Disposable {
  readonly socket: TLSSocket;
  readonly level: Level;
  readonly #seen: Seen[] = [];
  readonly #waiting: ((seen: Seen) => void)[] = [];

  private constructor(socket: TLSSocket, level: Level) {
    this.socket = socket;
    this.level = level;
    const reader = parser({ protocolVersion: level });
    reader.on('packet', (packet) => this.#see(packet));
    socket.on('data', (chunk) => reader.parse(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#see({ cmd: 'closed' }));
  }

  /** Finishes the TLS handshake. */
  static async open(
    server: TestServer,
    level: Level,
    { certPem, keyPem, port, tls }: DeviceOptions = {},
  ): Promise<DeviceConnection> {
    const socket = connect({
      host: '127.0.0.1',
      port: port ?? server.ports.mqtt,
      servername: 'localhost',
      ca: readFileSync(server.rootCa),
      cert: certPem,
      key: certPem === undefined ? undefined : keyPem,
      ...tls,
    });
    const opened = new DeviceConnection(socket, level);
    await within(
      'the TLS handshake',
      new Promise<void>((resolve, reject) => {
        socket.once('secureConnect', resolve);
        socket.once('error', reject);
      }),
    );
    return opened;
  }

  /** Opens, sends CONNECT and gives the first answer beside the connection. */
  static async connect(
    server: TestServer,
    level: Level,
    clientId: string,
    device: DeviceOptions,
    more: Partial<IConnectPacket> = {},
  ): Promise<{ device: DeviceConnection; answer: Seen }> {
    const opened = await DeviceConnection.open(server, level, device);
    opened.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId, clean: true, keepalive: 60, ...more });
    return { device: opened, answer: await opened.next() };
  }

  /** As `connect`, for a device that must be let in. */
  static async admitted(
    server: TestServer,
    level: Level,
    clientId: string,
    options: DeviceOptions,
    more: Partial<IConnectPacket> = {},
  ): Promise<DeviceConnection> {
    const { device, answer } = await DeviceConnection.connect(server, level, clientId, options, more);
    const code = (answer as IConnackPacket)[level === 5 ? 'reasonCode' : 'returnCode'];
    if (answer.cmd !== 'connack' || code !== 0) throw new Error(`${clientId} was not let in: ${JSON.stringify(answer)}`);
    return device;
  }

  #see(seen: Seen): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#seen.push(seen);
    else waiting(seen);
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet, { protocolVersion: this.level }));
  }

  publish(topic: string, payload: string | Buffer, { qos = 0, retain = false }: { qos?: 0 | 1; retain?: boolean } = {}): void {
    this.send({ cmd: 'publish', topic, payload, qos, retain, dup: false, messageId: qos === 0 ? undefined : 1 });
  }

  subscribe(topic: string, qos: 0 | 1 = 0): void {
    this.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic, qos }] });
  }

  /** What comes next. */
  next(deadline = 10_000): Promise<Seen> {
    const seen = this.#seen.shift();
    if (seen !== undefined) return Promise.resolve(seen);
    return within('the next packet', new Promise<Seen>((resolve) => this.#waiting.push(resolve)), deadline);
  }

  /** Whether nothing has come, seen by a round trip to the server: it answers in order. */
  async nothingCame(): Promise<boolean> {
    this.send({ cmd: 'pingreq' });
    return (await this.next()).cmd === 'pingresp';
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
