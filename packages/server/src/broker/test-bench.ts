/**
 * The broker over memory, for tests: channels without sockets, a clock that moves when told, and an authorizer whose answers
 * a test sets. Everything else is the real thing, the store too.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import { setImmediate } from 'node:timers/promises';
import { generate, type Packet, parser } from 'mqtt-packet';
import { pino } from 'pino';
import type { Refusal } from '../refusals/refusals.ts';
import type { Store } from '../store/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import type { AccountLimits } from './routing/account-limits.ts';
import { Broker } from './broker.ts';
import type { Client } from './connection/client.ts';
import type { ClientIdClaim, ClientIds } from './connection/client-ids.ts';
import type { Admission, AdmissionRefusal, Channel, ConnectAuthorizer, MessageAction, MessagePermissions } from './contract.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { NO_PEERS, type Peers } from './routing/peers.ts';
import type { Rates } from './routing/rates.ts';
import { Retained } from './routing/retained.ts';

export type Level = 4 | 5;
export const ACCOUNT = '000000000000';

/** Whether an action on a topic or filter (the last part of the ARN) is allowed. */
export type Allows = (action: MessageAction, name: string) => boolean;

export const permissionsOf = (allows: Allows, volatile = false): MessagePermissions => ({
  volatile,
  decide: (action, resource): Decision => {
    const [, name = ''] = /^arn:aws:iot:[^:]*:[^:]*:[a-z]+\/(.*)$/s.exec(resource) ?? [];
    return { effect: allows(action, name) ? 'ALLOWED' : 'IMPLICIT_DENY' };
  },
});
export const ALL: MessagePermissions = permissionsOf(() => true);

/** Rises with whatever goes over a channel: as long as it does, something is under way. */
let activity = 0;

/** One side of a connection that a test plays the network for. */
export class MemoryChannel implements Channel {
  /** What the broker wrote, in order. */
  readonly chunks: Buffer[] = [];
  bytesWritten = 0;
  ended = false;
  destroyed = false;
  paused = false;
  #stalled = false;
  #waiting: (() => void)[] = [];
  onResume: () => void = () => {};

  get closed(): boolean {
    return this.ended || this.destroyed;
  }

  /** A stalled peer's bytes stay on the way: `sent` is not called until it reads again. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    if (!stalled) for (const sent of this.#waiting.splice(0)) queueMicrotask(sent);
  }

  write(buffers: readonly Buffer[], sent: () => void): void {
    activity += 1;
    // A copy: the broker takes its buffers back once they are sent.
    for (const buffer of buffers) {
      this.chunks.push(Buffer.from(buffer));
      this.bytesWritten += buffer.length;
    }
    if (this.#stalled) this.#waiting.push(sent);
    else queueMicrotask(sent);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.onResume();
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Bytes written since the last call. */
  take(): Buffer {
    return Buffer.concat(this.chunks.splice(0));
  }
}

/** A client as the wire sees it. What it sends while the broker does not read waits, as it would in a socket. */
export class TestPeer {
  readonly level: Level;
  readonly channel = new MemoryChannel();
  readonly client: Client;
  /** Packet identifiers that a test has yet to acknowledge. */
  readonly ids: number[] = [];
  #unread: Buffer[] = [];
  #parser: ReturnType<typeof parser>;
  readonly #packets: Packet[] = [];

  constructor(broker: Broker, level: Level, authorizer: ConnectAuthorizer, certificateId?: string) {
    this.level = level;
    const peer = { sourceIp: '192.0.2.7', sourcePort: 40_000, certificateId };
    this.client = broker.connections.accept(this.channel, peer, 'mqtts', authorizer);
    this.channel.onResume = () => queueMicrotask(() => this.#hand());
    this.#parser = parser({ protocolVersion: level });
    this.#parser.on('packet', (packet) => this.#packets.push(packet));
  }

  #hand(): void {
    while (!this.channel.paused && this.#unread.length > 0) {
      activity += 1;
      this.client.receive(this.#unread.shift() as Buffer);
    }
  }

  /** Sends each buffer as a chunk of its own. */
  raw(...chunks: readonly Uint8Array[]): this {
    this.#unread.push(...chunks.map((chunk) => Buffer.from(chunk)));
    this.#hand();
    return this;
  }

  /** The packets in this client's version. */
  encoded(...packets: readonly Packet[]): Buffer[] {
    return packets.map((packet) => generate(packet, { protocolVersion: this.level }));
  }

  /** Sends the packets in one chunk. */
  send(...packets: readonly Packet[]): this {
    return this.raw(Buffer.concat(this.encoded(...packets)));
  }

  /** Bytes that the broker has not taken from this peer. */
  get unread(): number {
    return this.#unread.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Packets that came since the last call. */
  packets(): Packet[] {
    const bytes = this.channel.take();
    if (bytes.length > 0) this.#parser.parse(bytes);
    return this.#packets.splice(0);
  }

  publishes(): { topic: string; payload: string; qos: number; messageId: number | undefined }[] {
    return this.packets().flatMap((p) =>
      p.cmd === 'publish' ? [{ topic: p.topic, payload: p.payload.toString(), qos: p.qos, messageId: p.messageId }] : [],
    );
  }
}

/** A packet as hexadecimal, blanks allowed. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s+/g, ''), 'hex');

export const publishPacket = (
  topic: string,
  payload: string | Buffer,
  more: { qos?: 0 | 1; messageId?: number; retain?: boolean; dup?: boolean; properties?: object } = {},
): Packet =>
  ({
    cmd: 'publish',
    topic,
    payload,
    qos: 0,
    retain: false,
    dup: false,
    ...more,
    ...defined({ messageId: more.qos === 1 ? (more.messageId ?? 1) : undefined }),
  }) as Packet;

/** The peers of a bench, whichever these are. */
const peersOf = (bench: { readonly peers: Peers }): Peers => ({
  get generation() {
    return bench.peers.generation;
  },
  wanting: (place, topic) => bench.peers.wanting(place, topic),
});

export interface ConnectOptions {
  readonly level?: Level;
  readonly clean?: boolean;
  readonly keepalive?: number;
  readonly will?: object;
  readonly properties?: object;
}

export class TestBench implements AsyncDisposable {
  readonly broker: Broker;
  readonly store: Store;
  readonly refusals: Refusal[] = [];
  /** What the broker logged as an error: a fault of its own. */
  readonly faults: string[] = [];
  /** Client identifier -> permissions; those not named here may do all. */
  readonly permissions = new Map<string, MessagePermissions>();
  /** Client identifier -> principal and account other than the usual ones. */
  readonly admissions = new Map<string, Partial<Admission> | AdmissionRefusal>();
  /** Whether the disk is below its floor. */
  readonly disk = { low: false };
  /** Other nodes. */
  peers: Peers = NO_PEERS;
  /** Set to hold every admission back until it is resolved. */
  admitting: Promise<void> | undefined;
  /** Set to have every claim of a client id wait until it is resolved: before it is made, or when it is granted. */
  claiming: { readonly before?: Promise<void>; readonly after?: Promise<void> } | undefined;
  /** Monotonic milliseconds: they begin anew with each bench, as with each start of a process. */
  #now = 1_000_000;
  /** Wall time of the monotonic 0. */
  readonly #epoch: number;
  readonly #ownStore: boolean;

  private constructor(
    store: Store,
    ownStore: boolean,
    limits: Partial<AccountLimits>,
    rates: Partial<Rates>,
    secondsLater: number,
  ) {
    this.store = store;
    this.#epoch = 1_760_000_000_000 + secondsLater * 1000;
    this.#ownStore = ownStore;
    this.broker = new Broker({
      region: 'us-east-1',
      clock: { now: () => this.#epoch + this.#now, monotonic: () => this.#now },
      log: pino({ level: 'error' }, { write: (line: string) => void this.faults.push(line) }),
      refuse: (refusal) => this.refusals.push(refusal),
      firstPacketHint: () => undefined,
      retained: new Retained(
        () => store,
        () => limits,
      ),
      store,
      disk: this.disk,
      clientIds: (local) => ({
        claim: (client, account) =>
          this.claiming === undefined ? local.claim(client, account) : this.#claim(local, client, account),
        release: (client, account, claim) => local.release(client, account, claim),
      }),
      peers: peersOf(this),
      limitsOf: () => limits,
      ratesOf: () => rates,
    });
  }

  async #claim(...[local, client, account]: [ClientIds, ...Parameters<ClientIds['claim']>]): Promise<ClientIdClaim> {
    const { before, after } = this.claiming ?? {};
    await before;
    const claim = await local.claim(client, account);
    await after;
    return claim;
  }

  readonly authorizer: ConnectAuthorizer = async ({ clientId }) => {
    await this.admitting;
    const admission = this.admissions.get(clientId) ?? {};
    if ('refused' in admission) return admission;
    return {
      accountId: ACCOUNT,
      principal: `cert/${clientId}`,
      principalId: `id-of-${clientId}`,
      permissions: this.permissions.get(clientId) ?? ALL,
      ...admission,
    };
  };

  /** Over a store of its own, or over one that another bench has used: a restart, so many seconds of wall time later. */
  static async open(
    store?: Store,
    limits: Partial<AccountLimits> = {},
    rates: Partial<Rates> = {},
    secondsLater = 0,
  ): Promise<TestBench> {
    const own = store === undefined;
    const kept = store ?? (await openMemoryStore());
    const bench = new TestBench(kept, own, limits, rates, secondsLater);
    await bench.broker.load();
    return bench;
  }

  peer(level: Level = 4): TestPeer {
    return new TestPeer(this.broker, level, this.authorizer);
  }

  /** A connected client; its CONNACK has been read. */
  async connected(
    clientId: string,
    { level = 4, clean = true, keepalive = 60, ...more }: ConnectOptions = {},
  ): Promise<TestPeer> {
    const peer = this.peer(level);
    peer.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId, clean, keepalive, ...more } as Packet);
    await this.settle();
    const [connack] = peer.packets();
    if (connack?.cmd !== 'connack' || (connack.returnCode ?? connack.reasonCode) !== 0)
      throw new Error(`${clientId} was not let in: ${JSON.stringify(connack)} ${JSON.stringify(this.refusals.at(-1))}`);
    return peer;
  }

  /** A connected client with a subscription. */
  async subscribed(clientId: string, filter: string, qos: 0 | 1 = 0, options: ConnectOptions = {}): Promise<TestPeer> {
    const peer = await this.connected(clientId, options);
    peer.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: filter, qos }] } as Packet);
    await this.settle();
    const [suback] = peer.packets();
    if (suback?.cmd !== 'suback') throw new Error(`${clientId} got no SUBACK`);
    return peer;
  }

  /** Lets everything that is under way come to rest. */
  async settle(): Promise<void> {
    for (let quiet = 0, before = activity; quiet < 5; before = activity) {
      await setImmediate();
      quiet = activity === before ? quiet + 1 : 0;
    }
  }

  /** Makes this turn of the event loop one that has been busy with messages for so many milliseconds. */
  busy(milliseconds: number): void {
    this.broker.services.budget.add(1_000_000);
    this.#now += milliseconds;
    this.broker.services.budget.add(1_000_000);
  }

  /** Moves the clock, and does nothing. */
  moveClock(seconds: number): void {
    this.#now += seconds * 1000;
  }

  /** Moves the clock and does what the server's timers do. */
  async pass(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 1) {
      this.#now += Math.min(left, 1) * 1000;
      this.broker.tick();
      this.broker.sweep();
    }
    await this.settle();
  }

  /** The process stands still: time passes, and what the timers do then comes before anything is read. */
  standStill(seconds: number): void {
    this.#now += seconds * 1000;
    this.broker.tick();
    this.broker.sweep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
    await this.settle();
    if (this.#ownStore) await this.store[Symbol.asyncDispose]();
  }
}
