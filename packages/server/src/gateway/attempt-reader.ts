/** Connection attempts, read from sockets and HTTP requests. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Peer } from '../broker/contract.ts';
import type { HttpHead } from './authentication/http-head.ts';
import type { DomainConfiguration, ConnectionAttempt } from './authentication/connection-attempt.ts';
import { peerOf } from './peer.ts';

/** Reads a request's head for signatures; handed in. Fails for a header that stands there twice and names the sender. */
export type ReadHead = (method: string, target: string, rawHeaders: readonly string[], arrivedAt?: string) => HttpHead;
/** The domain configuration that governs a host name, if one does. */
export type DomainOf = (serverName: string) => DomainConfiguration | undefined;

export interface HttpAttempt extends ConnectionAttempt {
  readonly http: HttpHead;
}

export interface AttemptReader {
  /** `alpn` where it decides who authenticates: on the HTTPS port. */
  fromSocket(socket: Socket, alpn?: string): ConnectionAttempt;
  fromRequest(request: IncomingMessage, protocol: 'websocket' | 'https'): HttpAttempt;
}

/** The protocol that TLS agreed on with the peer; undefined without an offer, and without TLS. */
export const alpnOf = (socket: Socket): string | undefined =>
  socket instanceof TLSSocket && typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined;

export function createAttemptReader(readHead: ReadHead, domainOf: DomainOf | undefined): AttemptReader {
  const wantsIssuers = (serverName: string): boolean => domainOf?.(serverName)?.certificateCallback !== undefined;
  /** All requests of a connection come from one peer. */
  const peers = new WeakMap<Socket, Peer>();
  const peerOfRequests = (socket: Socket): Peer => {
    const peer = peers.get(socket) ?? peerOf(socket, wantsIssuers);
    peers.set(socket, peer);
    return peer;
  };
  const withDomain = (peer: Peer): Pick<ConnectionAttempt, 'peer' | 'domain'> => {
    const domain = peer.serverName === undefined ? undefined : domainOf?.(peer.serverName);
    return { peer, domain };
  };
  return {
    fromSocket: (socket, alpn) => ({
      ...withDomain(peerOf(socket, wantsIssuers)),
      protocol: 'mqtt',
      alpn,
    }),
    fromRequest: (request, protocol) => ({
      ...withDomain(peerOfRequests(request.socket)),
      protocol,
      alpn: alpnOf(request.socket),
      http: readHead(request.method ?? '', request.url ?? '', request.rawHeaders, request.socket.localAddress),
    }),
  };
}
