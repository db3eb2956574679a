/** All connections, from the peer's coming to its end, and those who listen to that. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { ClaimQueue } from './connection/claim-queue.ts';
import { Client } from './connection/client.ts';
import { ConnectionIdentity } from './connection/connection-identity.ts';
import type { BrokerCounters } from './connection/counters.ts';
import type { LostConnection } from './connection/connection-record.ts';
import type { ConnectionRegister } from './connection/connection-register.ts';
import type { BrokerListener } from './connection/listener.ts';
import { PacketDecoder } from './connection/packet-decoder.ts';
import type { BrokerServices } from './connection/services.ts';
import type { Wills } from './connection/wills.ts';
import type { Channel, ConnectAuthorizer, ConnectRefusal, DisconnectReason, Peer, Transport } from './contract.ts';
import type { BrokerPublishing } from './publishing.ts';
import type { AccountSpace } from './routing/account.ts';
import type { Router } from './routing/router.ts';
import type { Sessions } from './routing/sessions.ts';
import type { ClientState, Session } from './session/session.ts';

export interface ConnectionsOptions {
  readonly claims: ClaimQueue;
  readonly counters: BrokerCounters;
  readonly sessions: Sessions;
  readonly register: ConnectionRegister;
  readonly wills: Wills;
  readonly router: Router;
  readonly publishing: BrokerPublishing;
  /** What each client gets of the broker. */
  readonly services: () => BrokerServices<Client>;
}

/** The ends of a connection whose CONNECT was refused; a peer that leaves before the answer was not. */
const REFUSED: ReadonlySet<DisconnectReason> = new Set(['AUTH_ERROR', 'CLIENT_ERROR', 'SERVER_ERROR', 'THROTTLED']);

/** A client that has ended its connection itself may have asked that its will is not published. */
const publishesWill = ({ identity: { end } }: Client): boolean => end === undefined || end === 'disconnect-with-will';

const decoderOf = (client: Client): PacketDecoder => new PacketDecoder(client);

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #clients = new Set<Client>();
  readonly #byCertificate = new Map<string, Set<Client>>();
  readonly #listeners = new Set<BrokerListener>();
  #closing = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Peers that are there, those not yet admitted among them. */
  get count(): number {
    return this.#clients.size;
  }

  get all(): Iterable<Client> {
    return this.#clients;
  }

  /** A peer has come, with the authorizer of its CONNECT; the gateway hands its bytes to the client from now on. */
  accept(channel: Channel, peer: Peer, transport: Transport, authorizer: ConnectAuthorizer): Client {
    const identity = new ConnectionIdentity(peer, transport);
    const client = new Client(this.#options.services(), channel, identity, authorizer, decoderOf);
    this.#clients.add(client);
    if (this.#closing) client.close('SERVER_INITIATED_DISCONNECT');
    return client;
  }

  /** The connection of a client id: admitted, or connected. */
  clientOf(account: AccountSpace, clientId: string): Client | undefined {
    const client = account.clients.get(clientId);
    return client instanceof Client ? client : undefined;
  }

  /** A client has its session, and its CONNACK is on the way. */
  connected(client: Client, session: Session): void {
    const { certificateId } = client.identity.peer;
    if (certificateId !== undefined) {
      const known = this.#byCertificate.get(certificateId);
      if (known === undefined) this.#byCertificate.set(certificateId, new Set([client]));
      else known.add(client);
    }
    const { wills, router } = this.#options;
    wills.cancel(session);
    if (client.account !== undefined) router.memberCame(client.account, session);
    for (const listener of this.#listeners) listener.connected?.(client);
  }

  /** A CONNECT was refused for what its sender may do. */
  connectFailed(client: Client, refusal: ConnectRefusal): void {
    for (const listener of this.#listeners) listener.connectFailed?.(client, refusal);
  }

  closed(client: Client, was: ClientState, why: DisconnectReason): void {
    const { claims, counters, sessions, register, publishing, wills } = this.#options;
    this.#clients.delete(client);
    if (was === 'connected') counters.disconnects[why] += 1;
    else if (REFUSED.has(why)) counters.connects.refused += 1;
    const { account, session } = client;
    if (account !== undefined) claims.release(client, account);
    if (session !== undefined) sessions.leave(session, client, why);
    if (account !== undefined && session !== undefined) register.leave(client, account.place);
    if (was !== 'connected' || account === undefined) return;
    const { certificateId = '' } = client.identity.peer;
    const same = this.#byCertificate.get(certificateId);
    same?.delete(client);
    if (same?.size === 0) this.#byCertificate.delete(certificateId);
    publishing.storeBeforeSending(() => {
      if (publishesWill(client)) wills.onUngracefulClose(client);
      for (const listener of this.#listeners) listener.disconnected?.(client, why);
    });
  }

  /** The client's subscriptions were changed by one packet. */
  subscribed(client: Client, filters: readonly string[]): void {
    const { account, session } = client;
    if (account !== undefined && session !== undefined) this.#options.router.memberCame(account, session);
    for (const listener of this.#listeners) listener.subscribed?.(client, filters);
  }

  unsubscribed(client: Client, filters: readonly string[]): void {
    for (const listener of this.#listeners) listener.unsubscribed?.(client, filters);
  }

  /** A connection that was there when an earlier run of the server died has ended. */
  lost(connection: LostConnection): void {
    for (const listener of this.#listeners) listener.connectionLost?.(connection);
  }

  /** Certificates of live connections, of wills that are still to come, and of sessions whose client is away. */
  get certificates(): Set<string> {
    const { wills, sessions } = this.#options;
    return new Set([...this.#byCertificate.keys(), ...wills.certificates(), ...sessions.certificates]);
  }

  /** Live connections of a certificate, and those that have ended but whose will is still to come. */
  clientsOf(certificateId: string): Iterable<Client> {
    return [...(this.#byCertificate.get(certificateId) ?? []), ...this.#options.wills.clientsOf(certificateId)];
  }

  /** Begins to tell of connections and subscriptions. */
  listen(listener: BrokerListener): void {
    this.#listeners.add(listener);
  }

  /** Disconnects all clients; new connections are refused. */
  close(): void {
    this.#closing = true;
    for (const client of [...this.#clients]) client.close('SERVER_INITIATED_DISCONNECT', REASON.SERVER_SHUTTING_DOWN);
  }
}
