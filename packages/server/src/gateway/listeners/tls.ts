/**
 * The TLS face of both device ports. Any client certificate finishes the handshake, and none at all too: who it is, is
 * judged at CONNECT or at the HTTP request, where a refusal can be said and recorded.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Refusal } from '../../refusals/refusals.ts';
import { plainAddress } from '../peer.ts';

/** What failed, in OpenSSL's words, without the addresses and source lines that its message carries. */
const handshakeFault = (error: Error & { reason?: string }): string => error.reason ?? error.message.trim();

/** Keys and certificate chains side by side, one pair per kind of key; the client's offer picks. */
export interface ServerCredentials {
  readonly key: string[];
  readonly cert: string[];
}

export interface TlsListenerOptions {
  /** What the port is for, as its refusals say. */
  readonly protocol: 'mqtt' | 'https';
  readonly credentials: ServerCredentials;
  /** Chooses among the protocols that a client offers; undefined ends the handshake (RFC 7301, no_application_protocol). */
  readonly selectProtocol: (offered: readonly string[]) => string | undefined;
  readonly refuse: (refusal: Refusal) => void;
  readonly onSocket: (socket: TLSSocket) => void;
}

/** Milliseconds for a handshake. */
const HANDSHAKE_TIMEOUT = 10_000;
/** Handshakes under way at most; more peers are turned away until some are done. */
const MOST_HANDSHAKES = 4_000;

/**
 * What devices of all ages speak: TLS 1.3, and for 1.2 the suites of AWS's IoTSecurityPolicy_TLS13_1_2_2022_10, the
 * CBC ones for microcontrollers among them (developer guide, page transport-security).
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
].join(':');

export const secureOptions = ({ key, cert }: ServerCredentials) => ({
  key,
  cert,
  ciphers: CIPHERS,
  minVersion: 'TLSv1.2' as const,
  // No tickets, as AWS IoT. In TLS 1.3 this leaves OpenSSL's stateful ones, which resume nothing here: nothing keeps sessions.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
});

export interface TlsListener {
  readonly server: Server;
  /** Ends every handshake under way: whoever has not said who it is need not be waited for. */
  endHandshakes(): void;
}

export function createTlsListener({ protocol, credentials, selectProtocol, refuse, onSocket }: TlsListenerOptions): TlsListener {
  const server = createServer({
    ...secureOptions(credentials),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    noDelay: true,
    ALPNCallback: ({ protocols }) => selectProtocol(protocols),
  });
  // By the peer's address and port: the only thing that a socket has in common with the TLS socket made of it.
  const handshakes = new Map<string, Socket>();
  const peerKey = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    if (handshakes.size >= MOST_HANDSHAKES) {
      socket.destroy();
      return;
    }
    const key = peerKey(socket);
    handshakes.set(key, socket);
    socket.once('close', () => {
      if (handshakes.get(key) === socket) handshakes.delete(key);
    });
  });
  server.on('secureConnection', (socket) => {
    handshakes.delete(peerKey(socket));
    onSocket(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    const sourceIp = plainAddress(socket.remoteAddress);
    // A peer that leaves in mid-handshake was not refused by us.
    if (!/ECONNRESET|hang up|disconnected before/.test(error.message))
      refuse({ check: 'tls', reason: `the TLS handshake failed: ${handshakeFault(error)}`, protocol, sourceIp });
    socket.destroy();
  });
  return {
    server,
    endHandshakes: () => {
      for (const socket of handshakes.values()) socket.destroy();
    },
  };
}
