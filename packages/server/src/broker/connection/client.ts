/**
 * One MQTT connection: its state, what it may do, and its end. What packets mean is in handlers/, how bytes become
 * packets in packet-decoder.ts.
 */
import { randomUUID } from 'node:crypto';
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodeDisconnect } from '../../mqtt/acknowledge.ts';
import { type Connect, encodeConnack, UnsupportedProtocol } from '../../mqtt/connect.ts';
import type { MqttError } from '../../mqtt/mqtt-error.ts';
import type { Refusal } from '../../refusals/refusals.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { Admission, Channel, DisconnectReason, Judge, Peer, Rights } from '../contract.ts';
import type { Delivery } from '../session/delivery.ts';
import { encodeEnrichment } from '../message/enrichment.ts';
import { Output } from './output.ts';
import { connectionLink } from './connection-link.ts';
import { type PublishSlot, PublishSlots } from './publish-slots.ts';
import type { BrokerServices, PacketSink } from './services.ts';
import type { ClientState, Session, Subscriber } from '../session/session.ts';
import type { Origin } from '../message/origin.ts';
import type { Congestible, Publisher } from '../message/publisher.ts';
import type { ConnectionThrottle } from './connection-throttle.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';
import type { TopicEntry } from '../message/topic-entry.ts';
import type { Receiver } from '../session/transmitter.ts';

/** A client waits for the next tick after as many refusals: a hundred or so in each tick is all that it gets. */
const MAX_REFUSALS = 100;

const NO_RIGHTS: Rights = { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) };

const NOT_ASKED = { topic: undefined, generation: -1, answer: false };

const WITHOUT_RIGHTS: ReadonlySet<DisconnectReason> = new Set(['AUTH_ERROR', 'CUSTOMAUTH_TTL_EXPIRATION']);

/** Violations that are a matter of what a topic may be. */
const ABOUT_TOPICS: ReadonlySet<number> = new Set([REASON.TOPIC_NAME_INVALID, REASON.TOPIC_FILTER_INVALID]);

export class Client implements Publisher, Receiver, Subscriber {
  readonly broker: BrokerServices<Client>;
  readonly channel: Channel;
  readonly peer: Peer;
  readonly judge: Judge;
  readonly decoder: PacketSink;
  readonly output: Output;
  state: ClientState = 'awaiting-connect';
  level: ProtocolLevel = 4;
  clientId = '';
  connect: Connect | undefined;
  account: AccountSpace | undefined;
  admission: Admission | undefined;
  principal = '';
  /** Number of its presence events; undefined before it is in the register of connections. */
  version: number | undefined;
  rights: Rights = NO_RIGHTS;
  /** Encoded user properties that its messages get; undefined for most. */
  enrichment: Buffer | undefined;
  /** Rises when the rights change: answers remembered before are stale. */
  rightsGeneration = 0;
  session: Session | undefined;
  delivery: Delivery | undefined;
  /** Undefined where the account has no rates. */
  throttle: ConnectionThrottle | undefined;
  /** Monotonic ms when it is to be judged again, and when it ends whatever it does; undefined for never. */
  judgeAgainAt: number | undefined;
  endsAt: number | undefined;
  /** Whether the will is not to be published, whatever ends the connection. */
  willPrevented = false;
  endsWhy: DisconnectReason = 'SERVER_INITIATED_DISCONNECT';
  /** Seconds; 0 before CONNECT. */
  keepAlive = 0;
  /** Milliseconds since the epoch of the CONNACK. */
  connectedAt = 0;
  /** Monotonic ms of the connection's begin, and of the last bytes that came. */
  readonly since: number;
  lastHeard: number;
  readonly #slots = new PublishSlots();
  /** Topics by the aliases that the client has given them (MQTT 5). */
  #aliases: Map<number, RoutedTopic> | undefined;
  #judgement = 0;
  /** What was answered last: messages of one topic come in rows. */
  #asked: { topic: TopicEntry | undefined; generation: number; answer: boolean } = NOT_ASKED;
  #waitingFor = 0;
  /** Acknowledgements that wait for the disk: those of later messages wait behind them [MQTT-4.6.0-2]. */
  #acksHeld = 0;
  #refusals = 0;
  #origin: Origin | undefined;
  #sessionIdentifier: string | undefined;

  /** `decoder` makes packets of the bytes that come. */
  constructor(
    broker: BrokerServices<Client>,
    channel: Channel,
    peer: Peer,
    judge: Judge,
    decoder: (client: Client) => PacketSink,
  ) {
    this.broker = broker;
    this.channel = channel;
    this.peer = peer;
    this.judge = judge;
    this.since = broker.clock.monotonic();
    this.lastHeard = this.since;
    this.decoder = decoder(this);
    this.output = new Output(channel, broker.flusher, () => this.delivery?.drained());
  }

  /** Random, one for each connection: the session identifier of lifecycle events, made when it is first told. */
  get sessionIdentifier(): string {
    this.#sessionIdentifier ??= randomUUID();
    return this.#sessionIdentifier;
  }

  /** What rules may know of where its messages come from. */
  get origin(): Origin {
    const { admission, clientId, peer } = this;
    this.#origin ??= {
      clientId,
      principal: admission?.principalId ?? admission?.principal ?? '',
      sourceIp: peer.sourceIp,
    };
    return this.#origin;
  }

  /** Bytes came from the peer. */
  receive(chunk: Buffer): void {
    if (this.state === 'closed') return;
    this.lastHeard = this.broker.now;
    this.decoder.receive(chunk);
  }

  /** The connection is lost. Bytes that came before are handled first: they may hold a DISCONNECT. */
  lost(): void {
    this.decoder.readDeferred();
    this.close('CONNECTION_LOST');
  }

  /** Pauses reading until the CONNECT has been judged. */
  beginAdmission(clientId: string): void {
    this.clientId = clientId;
    this.state = 'admitting';
    this.channel.pause();
  }

  /** Takes the version of the CONNECT that has come. */
  setProtocolLevel(level: ProtocolLevel): void {
    this.level = level;
  }

  /** Takes the client id of a CONNECT that is about to be refused. */
  setClientId(clientId: string): void {
    this.clientId = clientId;
  }

  /** Holds it to the rates of its account, if that has some. */
  setThrottle(throttle: ConnectionThrottle | undefined): void {
    this.throttle = throttle;
  }

  /** Takes its session, and the number that the register of connections gave it. */
  bindSession(session: Session, version: number): void {
    this.session = session;
    this.version = version;
  }

  /** Authenticated. Packets are not read until `connected`. */
  admitted(admission: Admission, account: AccountSpace, connect: Connect, keepAlive: number): void {
    this.account = account;
    this.connect = connect;
    this.admission = admission;
    this.principal = admission.principal;
    this.keepAlive = keepAlive;
    this.rights = admission.rights;
    this.enrichment = encodeEnrichment(admission.userProperties);
    this.#judgedUntil(admission);
    if (admission.endsAfter !== undefined) {
      this.endsAt = this.since + admission.endsAfter.seconds * 1000;
      this.endsWhy = admission.endsAfter.why;
    }
  }

  /** The CONNACK is on its way: from now on its session's messages go this way. */
  connected(session: Session, account: AccountSpace): void {
    this.state = 'connected';
    this.connectedAt = this.broker.clock.now();
    this.delivery = session.delivery;
    session.delivery.attach(connectionLink(this, this.connect?.properties ?? {}, account.limits.inFlight));
    if (session.subscriptions.size > 0) account.routesChanged();
  }

  /**
   * Is judged again with the CONNECT that it came with: it gets its new rights, or is closed. Judgements may overlap, and
   * end in another order than they began: only the newest counts.
   */
  async judgeAgain(): Promise<void> {
    if (this.connect === undefined) return;
    this.judgeAgainAt = undefined;
    this.#judgement += 1;
    const turn = this.#judgement;
    const answer = await this.judge(this.connect);
    if (this.#judgement !== turn) return;
    if ('refused' in answer) {
      // A will is judged by the rights of the moment when it fires: there are none left.
      this.dropRights();
      if (this.state !== 'connected') return;
      this.refuse(answer.refused);
      this.close('AUTH_ERROR', REASON.NOT_AUTHORIZED);
      return;
    }
    this.admission = answer;
    this.enrichment = encodeEnrichment(answer.userProperties);
    this.#judgedUntil(answer);
    this.setRights(answer.rights);
  }

  /** Sends acknowledgements: at once, or once all that came before is on disk. */
  acknowledge(bytes: Uint8Array, stored: boolean): void {
    if (!stored && this.#acksHeld === 0) {
      this.output.append(bytes);
      return;
    }
    this.#acksHeld += 1;
    this.broker.journal.after(
      () => {
        this.#acksHeld -= 1;
        if (this.state === 'connected') this.output.append(bytes);
      },
      (error: unknown) => {
        this.#acksHeld -= 1;
        // Nothing is acknowledged that is not stored; a new connection is the client's way to send it again.
        this.failed(error);
      },
    );
  }

  /** Stops reading until what was sent is on disk. */
  waitForDisk(): void {
    this.pauseReading();
    const release = (): void => this.resumeReading();
    this.broker.journal.after(release, release);
  }

  #judgedUntil({ judgeAgainAfter }: Admission): void {
    this.judgeAgainAt = judgeAgainAfter === undefined ? undefined : this.broker.clock.monotonic() + judgeAgainAfter * 1000;
  }

  setRights(rights: Rights): void {
    this.rights = rights;
    this.rightsGeneration += 1;
    // Routes hold who may receive: those that lead here are looked up anew.
    if (this.account !== undefined && (this.session?.subscriptions.size ?? 0) > 0) this.account.routesChanged();
  }

  mayReceive(topic: TopicEntry): boolean {
    if (this.#asked.topic === topic && this.#asked.generation === this.rightsGeneration) return this.#asked.answer;
    const answer = this.#askReceive(topic);
    this.#asked = { topic, generation: this.rightsGeneration, answer };
    return answer;
  }

  #askReceive(topic: TopicEntry): boolean {
    const { effect, ...statement } = this.rights.decide('iot:Receive', topic.arn);
    if (effect === 'ALLOWED') return true;
    this.refuse({
      check: 'policy',
      reason: `iot:Receive on ${topic.name} is not allowed`,
      action: 'iot:Receive',
      resource: topic.arn,
      decision: effect,
      ...statement,
    });
    return false;
  }

  topic(name: string): RoutedTopic {
    return (this.account as AccountSpace).topic(name);
  }

  /** Closes the connection because its messages could not be read or stored. */
  failed(error: unknown): void {
    this.broker.log.error({ err: error, clientId: this.clientId }, 'the messages of a session could not be read or stored');
    this.close('SERVER_ERROR', REASON.UNSPECIFIED);
  }

  preventWill(): void {
    this.willPrevented = true;
  }

  dropRights(): void {
    this.setRights(NO_RIGHTS);
  }

  /** The topic that the client has given this alias. */
  aliased(alias: number): RoutedTopic | undefined {
    return this.#aliases?.get(alias);
  }

  setAlias(alias: number, topic: RoutedTopic): void {
    this.#aliases ??= new Map();
    this.#aliases.set(alias, topic);
  }

  /** The remembered answer for the topic whose name these bytes are. */
  slot(bytes: Buffer, start: number, end: number): PublishSlot {
    return this.#slots.find(bytes, start, end, this);
  }

  /** Records why something was refused to this client. After many it is not read from until the next tick. */
  refuse(refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void {
    this.#refusals += 1;
    if (this.#refusals === MAX_REFUSALS && this.state === 'connected') {
      this.pauseReading();
      this.broker.pauseUntilNextTick(this);
    }
    const { sourceIp, certificateId } = this.peer;
    this.broker.refuse({
      protocol: 'mqtt',
      sourceIp,
      certificateId,
      clientId: this.clientId === '' ? undefined : this.clientId,
      ...(this.account === undefined ? {} : { ...this.account.place, principal: this.principal }),
      ...refusal,
    });
  }

  /** A violation of MQTT ends the connection, whatever its state [MQTT-4.8.0-1; MQTT5 4.13]. */
  violated(error: MqttError): void {
    this.refuse({ check: ABOUT_TOPICS.has(error.reason) ? 'topic' : 'protocol', reason: error.message });
    if (this.state === 'awaiting-connect' && error instanceof UnsupportedProtocol) {
      // [MQTT-3.1.2-2]: the version's own way of saying no.
      this.output.append(error.level < 5 ? encodeConnack(4, 1, false) : encodeConnack(5, error.reason, false));
    } else if (this.state === 'awaiting-connect' && this.level === 5) this.output.append(encodeConnack(5, error.reason, false));
    this.close('CLIENT_ERROR', error.reason);
  }

  /** Ends the connection: with DISCONNECT and its reason where the version has that, and the client is still there. */
  close(why: DisconnectReason, reason?: number): void {
    if (this.state === 'closed') return;
    const was = this.state;
    this.state = 'closed';
    // Messages that wait for a client whose rights are gone are not sent to it any more.
    if (was === 'connected' && WITHOUT_RIGHTS.has(why)) this.output.discard();
    if (
      was === 'connected' &&
      this.level === 5 &&
      reason !== undefined &&
      why !== 'CONNECTION_LOST' &&
      why !== 'CLIENT_INITIATED_DISCONNECT'
    )
      this.output.append(encodeDisconnect(reason));
    if (why === 'CONNECTION_LOST') {
      this.output.close();
      this.channel.destroy();
    } else this.output.end();
    this.broker.closed(this, was, why);
  }

  /** Stops reading until `receiver` has room. */
  waitFor(receiver: Congestible): void {
    this.pauseReading();
    this.broker.watch(receiver);
    receiver.wait(this, this.broker.now);
  }

  /** Stops reading until as many calls of `resumeReading` have come. */
  pauseReading(): void {
    this.#waitingFor += 1;
    if (this.#waitingFor === 1) this.channel.pause();
  }

  resumeReading(): void {
    this.#waitingFor -= 1;
    if (this.#waitingFor === 0 && this.state !== 'closed') this.channel.resume();
  }

  /** Reads on: a tick has passed since too much was refused. */
  resumeAfterRefusals(): void {
    this.#refusals = 0;
    this.resumeReading();
  }

  /** Whether acknowledgements wait for the disk. */
  get acksHeld(): boolean {
    return this.#acksHeld > 0;
  }

  get isPaused(): boolean {
    return this.#waitingFor > 0;
  }
}
