/**
 * The message broker: clients, subscriptions, delivery, wills. It knows no sockets (a channel is handed in), no
 * certificates and no policies (a judge is handed in), and no clock but the one it is given.
 */
import { randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { AccountSpace } from './account.ts';
import { Client, type ClientState } from './client.ts';
import type { Channel, DisconnectReason, Judge, Peer } from './contract.ts';
import type { Delivery } from './delivery.ts';
import { Flusher } from './output.ts';
import type { Retained } from './retained.ts';
import type { Subscription, Target } from './routes.ts';
import { type Message, runOf } from './message.ts';
import type { Run, Segment } from './run.ts';
import { fireWill } from './wills.ts';

export interface BrokerOptions {
  readonly region: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly retained: Retained;
}

/** Seconds that a peer has for its CONNECT. */
const CONNECT_DEADLINE = 10;

export interface BrokerCounters {
  received: number;
  sent: number;
  dropped: number;
  connects: number;
}

export class Broker {
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly flusher = new Flusher();
  readonly counters: BrokerCounters = { received: 0, sent: 0, dropped: 0, connects: 0 };
  /** Monotonic ms, as of the last tick: exact enough for deadlines of seconds, and free on the hot path. */
  now: number;
  readonly #region: string;
  readonly #retained: Retained;
  readonly #accounts = new Map<string, AccountSpace>();
  readonly #clients = new Set<Client>();
  readonly #byCertificate = new Map<string, Set<Client>>();
  readonly #watched = new Set<Delivery>();
  #restrained: Client[] = [];
  readonly #listeners = new Set<(client: Client, why: DisconnectReason | undefined) => void>();
  #closing = false;

  constructor({ region, clock, log, refuse, retained }: BrokerOptions) {
    this.#region = region;
    this.clock = clock;
    this.log = log;
    this.refuse = refuse;
    this.#retained = retained;
    this.now = clock.monotonic();
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** A peer has come, with the judge of its CONNECT; the gateway hands its bytes to the client from now on. */
  accept(channel: Channel, peer: Peer, judge: Judge): Client {
    const client = new Client(this, channel, peer, judge);
    this.#clients.add(client);
    if (this.#closing) client.close('SERVER_INITIATED_DISCONNECT');
    return client;
  }

  /** The topics and clients of an account in a region. */
  account(accountId: string, region: string = this.#region): AccountSpace {
    const name = `${region}/${accountId}`;
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new AccountSpace({ accountId, region });
      this.#accounts.set(name, account);
    }
    return account;
  }

  newClientId(): string {
    return randomUUID();
  }

  /** A client was admitted; a connection of the same client id makes way for it [MQTT-3.1.4-2]. */
  connected(client: Client): void {
    const { account, clientId } = client;
    if (account === undefined) return;
    account.clients.get(clientId)?.close('DUPLICATE_CLIENTID', REASON.SESSION_TAKEN_OVER);
    account.clients.set(clientId, client);
    const { certificateId } = client.peer;
    if (certificateId !== undefined) {
      const known = this.#byCertificate.get(certificateId);
      if (known === undefined) this.#byCertificate.set(certificateId, new Set([client]));
      else known.add(client);
    }
    this.counters.connects += 1;
    for (const listener of this.#listeners) listener(client, undefined);
  }

  closed(client: Client, was: ClientState, why: DisconnectReason): void {
    this.#clients.delete(client);
    const { account } = client;
    if (was !== 'connected' || account === undefined) return;
    for (const filter of client.subscriptions.keys()) account.routes.remove(client, filter);
    if (client.subscriptions.size > 0) account.generation += 1;
    client.subscriptions.clear();
    if (account.clients.get(client.clientId) === client) account.clients.delete(client.clientId);
    const { certificateId = '' } = client.peer;
    const same = this.#byCertificate.get(certificateId);
    same?.delete(client);
    if (same?.size === 0) this.#byCertificate.delete(certificateId);
    if (why !== 'CLIENT_INITIATED_DISCONNECT') fireWill(this, client);
    for (const listener of this.#listeners) listener(client, why);
  }

  /** Live connections of a certificate. */
  clientsOf(certificateId: string): Iterable<Client> {
    return [...(this.#byCertificate.get(certificateId) ?? [])];
  }

  subscribe(client: Client, subscription: Subscription): void {
    const { account } = client;
    if (account === undefined) return;
    client.subscriptions.set(subscription.filter, subscription);
    account.routes.add(client, subscription);
    account.generation += 1;
  }

  /** Says whether there was such a subscription. */
  unsubscribe(client: Client, filter: string): boolean {
    const { account } = client;
    if (account === undefined || !client.subscriptions.delete(filter)) return false;
    account.routes.remove(client, filter);
    account.generation += 1;
    return true;
  }

  /** Sends the messages of a run to all who may have them. */
  deliver(account: AccountSpace, run: Run, source: Client | undefined): void {
    const targets = this.#targets(account, run);
    if (targets.length === 0) return;
    const forms: (Segment | undefined)[] = [undefined, undefined, undefined, undefined];
    forms[form(run.level, run.qos)] = run;
    for (const { client, qos: granted, noLocal } of targets) {
      if (noLocal && client === source) continue;
      const qos = run.qos & granted;
      const index = form(client.level, qos);
      const segment = forms[index] ?? run.encode(client.level, qos);
      forms[index] = segment;
      const { delivery } = client;
      if (qos === 0) delivery.sendQos0(segment);
      else if (!delivery.sendQos1(segment)) {
        client.refuse({ check: 'overload', reason: 'the client does not take its QoS 1 messages and its queue is full' });
        client.close('THROTTLED', REASON.QUOTA_EXCEEDED);
        continue;
      }
      if (source !== undefined && delivery.full) source.waitFor(delivery);
    }
  }

  /**
   * Publishes one message whose publisher has been authorized. Resolves once it is stored, when it must be; undefined
   * when there is nothing to wait for.
   */
  publishMessage(account: AccountSpace, message: Message, source?: Client): Promise<void> | undefined {
    this.deliver(account, runOf(message), source);
    if (!message.retain) return undefined;
    return this.#retained.set(account.place.region, {
      accountId: account.place.accountId,
      topic: message.topic.name,
      payload: message.payload.toString('base64'),
      qos: message.qos,
      ...(message.properties === undefined || message.properties.length <= 1
        ? {}
        : { properties: message.properties.toString('base64') }),
      lastModifiedAt: this.clock.now(),
    });
  }

  /** Publishes a message of the server's own, QoS 0. */
  publishEvent({ accountId, region }: Place, topic: string, payload: Buffer): void {
    const account = this.account(accountId, region);
    this.deliver(account, runOf({ topic: account.topic(topic), payload, qos: 0, retain: false }), undefined);
  }

  /** Sends the retained message of a topic to a client that has just subscribed to exactly it. */
  sendRetained(client: Client, filter: string): void {
    const { account } = client;
    if (account === undefined || filter.includes('+') || filter.includes('#')) return;
    void this.#retained.get(account.place, filter).then(
      (record) => {
        const subscription = client.subscriptions.get(filter);
        if (record === undefined || subscription === undefined || client.state !== 'connected') return;
        const topic = account.topic(filter);
        if (client.rights.decide('iot:Receive', topic.arn).effect !== 'ALLOWED') return;
        const qos = record.qos & subscription.qos;
        const properties = record.properties === undefined ? undefined : Buffer.from(record.properties, 'base64');
        const run = runOf({ topic, payload: Buffer.from(record.payload, 'base64'), qos, retain: true, properties });
        const segment = run.encode(client.level, qos);
        segment.bytes[0] = (segment.bytes[0] as number) | 1;
        if (qos === 0) client.delivery.sendQos0(segment);
        else client.delivery.sendQos1(segment);
      },
      (error: unknown) => this.log.error({ err: error }, 'a retained message could not be read'),
    );
  }

  /** Tells of connections that begin (no reason) and end. */
  onConnection(listener: (client: Client, why: DisconnectReason | undefined) => void): void {
    this.#listeners.add(listener);
  }

  /** Publishers wait for this client: to be judged at the next ticks. */
  watch(delivery: Delivery): void {
    this.#watched.add(delivery);
  }

  /** A client is not read from before the next tick. */
  restrain(client: Client): void {
    this.#restrained.push(client);
  }

  /** Keeps time: called a few times a second. */
  tick(): void {
    this.now = this.clock.monotonic();
    const restrained = this.#restrained;
    this.#restrained = [];
    for (const client of restrained) client.forgive();
    for (const delivery of this.#watched)
      if (!delivery.judge(this.now) && delivery.fullSince === 0) this.#watched.delete(delivery);
  }

  /** Closes whoever has been silent for too long: called about once a second. */
  sweep(): void {
    this.now = this.clock.monotonic();
    for (const client of this.#clients) {
      const silent = (this.now - client.lastHeard) / 1000;
      if (client.state === 'connected') {
        if (client.rights.volatile) client.setRights(client.rights);
        // One and a half times the keep-alive [MQTT-3.1.2-24]. A client that we don't read from can't be heard.
        if (silent > client.keepAlive * 1.5 && !client.held) client.close('MQTT_KEEP_ALIVE_TIMEOUT', REASON.KEEP_ALIVE_TIMEOUT);
      } else if (client.state === 'awaiting-connect' && this.now - client.since > CONNECT_DEADLINE * 1000) {
        client.refuse({ check: 'protocol', reason: `no CONNECT within ${CONNECT_DEADLINE} seconds` });
        client.close('CONNECTION_LOST');
      }
    }
  }

  /** Says goodbye to everyone; new peers are turned away. */
  close(): void {
    this.#closing = true;
    for (const client of [...this.#clients]) client.close('SERVER_INITIATED_DISCONNECT', REASON.SERVER_SHUTTING_DOWN);
  }

  /** Who gets a topic's messages: looked up anew only after subscriptions or rights have changed. */
  #targets(account: AccountSpace, run: Run): readonly Target[] {
    const topic = run.topic;
    if (topic === undefined) return [];
    if (topic.routeGeneration !== account.generation) {
      topic.targets = account.routes.resolve(topic.name).filter((target) => this.#mayReceive(target, topic.arn, topic.name));
      topic.routeGeneration = account.generation;
    }
    return topic.targets;
  }

  #mayReceive({ client }: Target, resource: string, name: string): boolean {
    const { effect, ...statement } = client.rights.decide('iot:Receive', resource);
    if (effect === 'ALLOWED') return true;
    client.refuse({
      check: 'policy',
      reason: `iot:Receive on ${name} is not allowed`,
      action: 'iot:Receive',
      resource,
      decision: effect,
      ...statement,
    });
    return false;
  }
}

const form = (level: number, qos: number): number => (level === 5 ? 2 : 0) + qos;
