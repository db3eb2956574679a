/** Who a client is: its peer, what its CONNECT says, and the admission that it got. */
import { randomUUID } from 'node:crypto';
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { Admission, Peer, Transport } from '../contract.ts';
import { encodeEnrichment } from '../message/enrichment.ts';
import type { ClientIdClaim } from './client-ids.ts';
import type { Origin } from '../messaging.ts';

/**
 * How a client has ended its connection itself: by a DISCONNECT, which publishes the will for any reason code but 0
 * [MQTT5 3.1.2-8], or by the Close frame of a WebSocket, which publishes none.
 */
export type ClientEnd = 'disconnect' | 'disconnect-with-will' | 'close-frame';

export class ConnectionIdentity {
  readonly peer: Peer;
  /** How its MQTT comes. */
  readonly transport: Transport;
  #level: ProtocolLevel = 4;
  #clientId = '';
  #connect: Connect | undefined;
  #admission: Admission | undefined;
  #enrichment: Buffer | undefined;
  #claim: ClientIdClaim | undefined;
  #connectedAt = 0;
  #origin: Origin | undefined;
  #sessionIdentifier: string | undefined;
  #end: ClientEnd | undefined;

  constructor(peer: Peer, transport: Transport) {
    this.peer = peer;
    this.transport = transport;
  }

  get level(): ProtocolLevel {
    return this.#level;
  }

  /** Empty before CONNECT. */
  get clientId(): string {
    return this.#clientId;
  }

  /** The CONNECT that was accepted. */
  get connect(): Connect | undefined {
    return this.#connect;
  }

  get admission(): Admission | undefined {
    return this.#admission;
  }

  /** ARN of the certificate, or what other identity there is; empty before it is admitted. */
  get principal(): string {
    return this.#admission?.principal ?? '';
  }

  /** Encoded user properties that its messages get; undefined for most. */
  get enrichment(): Buffer | undefined {
    return this.#enrichment;
  }

  /** By which it has its client id; undefined before that. */
  get claim(): ClientIdClaim | undefined {
    return this.#claim;
  }

  /** Milliseconds since the epoch of the CONNACK; 0 before it. */
  get connectedAt(): number {
    return this.#connectedAt;
  }

  /** Undefined while the client is there, and where it has not ended the connection itself. */
  get end(): ClientEnd | undefined {
    return this.#end;
  }

  /** Random, one for each connection: the session identifier of lifecycle events, made when it is first told. */
  get sessionIdentifier(): string {
    this.#sessionIdentifier ??= randomUUID();
    return this.#sessionIdentifier;
  }

  /** What rules may know of where its messages come from. */
  get origin(): Origin {
    const admission = this.#admission;
    this.#origin ??= {
      clientId: this.#clientId,
      principal: admission?.principalId ?? admission?.principal ?? '',
      sourceIp: this.peer.sourceIp,
    };
    return this.#origin;
  }

  /** Takes the version of the CONNECT that has come. */
  setLevel(level: ProtocolLevel): void {
    this.#level = level;
  }

  setClientId(clientId: string): void {
    this.#clientId = clientId;
  }

  /** Has its client id for itself from now on. */
  setClaim(claim: ClientIdClaim): void {
    this.#claim = claim;
  }

  /** Takes the time of the CONNACK. */
  setConnectedAt(at: number): void {
    this.#connectedAt = at;
  }

  /** Has ended its connection itself. */
  setEnd(end: ClientEnd): void {
    this.#end = end;
  }

  /** Is admitted with this CONNECT: for the first time, or again. */
  admit(admission: Admission, connect: Connect): void {
    this.#connect = connect;
    this.#admission = admission;
    this.#enrichment = encodeEnrichment(admission.userProperties);
  }
}
