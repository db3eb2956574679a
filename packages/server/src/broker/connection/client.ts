/**
 * One MQTT connection: its state, its parts, and its end. Who it is, what it may do, how it is read from and what it
 * publishes are classes of their own; what packets mean is in handlers/, how bytes become packets in packet-decoder.ts.
 */
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { encodeDisconnect } from '../../mqtt/acknowledge.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { Refusal } from '../../refusals/refusals.ts';
import type { Admission, Channel, ConnectAuthorizer, DisconnectReason } from '../contract.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { ClientState, Session, Subscriber } from '../session/session.ts';
import { ClientPublisher } from './client-publisher.ts';
import type { ClientEnd, ConnectionIdentity } from './connection-identity.ts';
import { connectionLink } from './connection-link.ts';
import { ConnectionPermissions } from './connection-permissions.ts';
import type { ConnectionThrottle } from './connection-throttle.ts';
import { Output } from './output.ts';
import { Reading } from './reading.ts';
import type { BrokerServices, PacketSink } from './services.ts';

const WITHOUT_PERMISSIONS: ReadonlySet<DisconnectReason> = new Set(['AUTH_ERROR', 'CUSTOMAUTH_TTL_EXPIRATION']);

/** What a CONNECT was admitted to. */
export interface Admitted {
  readonly admission: Admission;
  readonly account: AccountSpace;
  readonly connect: Connect;
  /** Seconds. */
  readonly keepAlive: number;
  /** Undefined where the account has no rates. */
  readonly throttle: ConnectionThrottle | undefined;
}

export class Client implements Subscriber {
  readonly broker: BrokerServices<Client>;
  readonly identity: ConnectionIdentity;
  readonly permissions: ConnectionPermissions;
  readonly reading: Reading;
  readonly publisher: ClientPublisher;
  readonly output: Output;
  state: ClientState = 'awaiting-connect';
  account: AccountSpace | undefined;
  session: Session | undefined;
  /** Undefined where the account has no rates. */
  throttle: ConnectionThrottle | undefined;
  readonly #channel: Channel;
  readonly #decoder: PacketSink;

  /** `decoder` makes packets of the bytes that come. */
  constructor(
    broker: BrokerServices<Client>,
    channel: Channel,
    identity: ConnectionIdentity,
    authorizer: ConnectAuthorizer,
    decoder: (client: Client) => PacketSink,
  ) {
    this.broker = broker;
    this.#channel = channel;
    this.identity = identity;
    this.permissions = new ConnectionPermissions(this, authorizer);
    this.reading = new Reading(this, channel, broker.clock.monotonic());
    this.publisher = new ClientPublisher(this);
    this.#decoder = decoder(this);
    this.output = new Output(channel, broker.flusher, () => this.session?.delivery.drained());
  }

  get clientId(): string {
    return this.identity.clientId;
  }

  get level(): ProtocolLevel {
    return this.identity.level;
  }

  /** Bytes came from the peer. */
  receive(chunk: Buffer): void {
    if (this.state === 'closed') return;
    this.reading.heard();
    this.#decoder.receive(chunk);
  }

  /**
   * The connection has ended: by the client itself where `end` says how, else it was lost. Bytes that came before are handled
   * first: they may hold a DISCONNECT.
   */
  ended(end?: ClientEnd): void {
    this.#decoder.readDeferred();
    if (this.state === 'closed') return;
    if (end !== undefined) this.identity.setEnd(end);
    this.close(end === undefined ? 'CONNECTION_LOST' : 'CLIENT_INITIATED_DISCONNECT');
  }

  /** Pauses reading until the CONNECT of this client id has been answered. */
  beginAdmission(clientId: string): void {
    this.identity.setClientId(clientId);
    this.state = 'admitting';
    this.reading.pause();
  }

  /** Authenticated and authorized. Packets are not read until `connected`. */
  admitted({ admission, account, connect, keepAlive, throttle }: Admitted): void {
    this.account = account;
    this.throttle = throttle;
    this.identity.admit(admission, connect);
    this.permissions.admit(admission);
    this.reading.setKeepAlive(keepAlive);
  }

  bindSession(session: Session): void {
    this.session = session;
  }

  /** The CONNACK is on its way: from now on its session's messages go this way, and its packets are read. */
  connected(session: Session, account: AccountSpace): void {
    const { broker, identity } = this;
    this.state = 'connected';
    identity.setConnectedAt(broker.clock.now());
    session.delivery.attach(connectionLink(this, account));
    if (session.subscriptions.size > 0) account.routesChanged();
    broker.connected(this, session);
    // What came behind CONNECT goes before what the channel has read since.
    this.#decoder.resume();
    this.reading.resume();
  }

  /** Records why something was refused to this client. */
  refuse(refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void {
    this.reading.refused();
    const { clientId, peer, principal } = this.identity;
    const { sourceIp, certificateId } = peer;
    this.broker.refuse({
      protocol: 'mqtt',
      sourceIp,
      certificateId,
      clientId: clientId === '' ? undefined : clientId,
      ...(this.account === undefined ? {} : { ...this.account.place, principal }),
      ...refusal,
    });
  }

  /** Ends the connection: with DISCONNECT and its reason where the version has that, and the client is still there. */
  close(why: DisconnectReason, reason?: number): void {
    if (this.state === 'closed') return;
    const was = this.state;
    this.state = 'closed';
    // Messages that wait for a client whose permissions are gone are not sent to it any more.
    if (was === 'connected' && WITHOUT_PERMISSIONS.has(why)) this.output.discard();
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
      this.#channel.destroy();
    } else this.output.end();
    this.broker.closed(this, was, why);
  }
}
