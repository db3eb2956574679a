/** A connection, or an HTTP request on it, as the login that it brings. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Domain, HttpHead, Login } from './admission/login.ts';
import { peerOf } from './peer.ts';

/** Reads a request's head for signatures; handed in. Fails where one header would speak twice of who is asking. */
export type ReadHead = (method: string, target: string, rawHeaders: readonly string[]) => HttpHead;
/** The domain configuration that governs a host name, if one does. */
export type DomainOf = (serverName: string) => Domain | undefined;

export interface HttpLogin extends Login {
  readonly http: HttpHead;
}

export interface Arrivals {
  ofSocket(socket: Socket): Login;
  ofRequest(request: IncomingMessage, protocol: 'websocket' | 'https'): HttpLogin;
}

/** What TLS agreed on with the peer; undefined without an offer, and without TLS. */
export const alpnOf = (socket: Socket): string | undefined =>
  socket instanceof TLSSocket && typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined;

export function arrivals(readHead: ReadHead, domainOf: DomainOf | undefined): Arrivals {
  const known = (socket: Socket): Pick<Login, 'peer' | 'domain'> => {
    const peer = peerOf(socket);
    const domain = peer.serverName === undefined ? undefined : domainOf?.(peer.serverName);
    return { peer, ...(domain === undefined ? {} : { domain }) };
  };
  return {
    ofSocket: (socket) => ({ ...known(socket), protocol: 'mqtt' }),
    ofRequest: (request, protocol) => ({
      ...known(request.socket),
      protocol,
      http: readHead(request.method ?? '', request.url ?? '', request.rawHeaders),
    }),
  };
}
