/**
 * TLS of both device ports. The handshake succeeds with any client certificate and without one: clients are authenticated at
 * CONNECT or at the HTTP request, where a refusal can be answered and recorded.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import { constants } from 'node:crypto';
import { createServer as createTcpServer, type Server as TcpServer, Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Refusal } from '../../refusals/refusals.ts';
import type { DomainTls } from '../../domains/directory.ts';
import type { TlsVersions } from '../../domains/security-policies.ts';
import type { Clock } from '../../runtime/clock.ts';
import { startDeadline } from '../../runtime/deadline.ts';
import { plainAddress } from '../peer.ts';
import type { PortKind, WrongPort } from '../wrong-port.ts';
import { peekServerName } from './client-hello.ts';
import { handshakeFault, tookTooLong } from './handshake-fault.ts';
import type { HandshakeFailure, HandshakeFigures } from './handshake-figures.ts';
import { HandshakeQueue } from './handshake-queue.ts';

/** The socket below a TLS socket, which knows the peer's address still when the TLS socket does not any more. */
function socketBelow(socket: TLSSocket): Socket {
  const below: unknown = Reflect.get(socket, '_parent');
  return below instanceof Socket ? below : socket;
}

/** Keys and certificate chains side by side, one pair per kind of key; the client's offer picks. */
export interface ServerCredentials {
  readonly key: readonly string[];
  readonly cert: readonly string[];
}

/** Host names beside the server's own, as they are at the moment. */
export interface TlsDomains {
  /** `disabled` has its handshake refused; undefined gets the server's own certificates. */
  tlsOf(serverName: string): DomainTls | 'disabled' | undefined;
  /** Whether any of them wants other versions than TLS 1.2 and 1.3. */
  readonly narrowsTls: boolean;
}

export interface TlsListenerOptions {
  /** What the port is for, as its refusals say. */
  readonly protocol: 'mqtt' | 'https';
  readonly credentials: ServerCredentials;
  readonly domains?: TlsDomains;
  /** Chooses among the protocols that a client offers; undefined ends the handshake (RFC 7301, no_application_protocol). */
  readonly selectProtocol: (offered: readonly string[]) => string | undefined;
  readonly refuse: (refusal: Refusal) => void;
  readonly wrongPort: WrongPort;
  readonly onSocket: (socket: TLSSocket) => void;
  readonly handshakes: HandshakeFigures;
  readonly clock: Clock;
}

/** Milliseconds for a handshake. */
export const HANDSHAKE_TIMEOUT = 10_000;
/** Handshakes under way at most; more peers are turned away until some are done. */
const MAX_HANDSHAKES = 4_000;
/**
 * Pace of handshakes: what a turn of the event loop may take of them is some twenty milliseconds, at worst a tenth of a second.
 */
const PACE = { perTurn: 16, underWay: 128, patience: 50 };

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

const ALL_VERSIONS: TlsVersions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };

export const secureOptions = ({ key, cert }: ServerCredentials, { minVersion, maxVersion } = ALL_VERSIONS) => ({
  key: [...key],
  cert: [...cert],
  ciphers: CIPHERS,
  minVersion,
  maxVersion,
  // No tickets, as AWS IoT. In TLS 1.3 this leaves OpenSSL's stateful ones, which resume nothing here: nothing keeps sessions.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
});

const FAILED = 'the TLS handshake failed: ';

interface RefusedHandshake {
  readonly port: PortKind;
  readonly wrongPort: WrongPort;
  readonly refuse: (refusal: Refusal) => void;
  /** Versions that were to be had; all when absent. */
  readonly versions?: TlsVersions;
}

/** Records why a handshake has failed, and gives the kind of the failure. */
export function refuseHandshake(
  error: Error,
  socket: TLSSocket,
  { port, wrongPort, refuse, versions = ALL_VERSIONS }: RefusedHandshake,
): HandshakeFailure {
  const below = socketBelow(socket);
  const serverName = typeof socket.servername === 'string' ? socket.servername : undefined;
  const onlyVersion = versions.minVersion === versions.maxVersion ? versions.minVersion : undefined;
  const { kind, text } = handshakeFault(error, { port, serverName, onlyVersion }, wrongPort);
  // A peer that has sent nothing has not been refused anything.
  if (kind !== 'gone' || below.bytesRead > 0)
    refuse({ check: 'tls', protocol: port, sourceIp: plainAddress(below.remoteAddress), reason: `${FAILED}${text}` });
  return kind;
}

/** Ends handshakes that take too long, with a grace after a standstill, which Node's own timer has not. Gives the server back. */
export function limitHandshakes<Secure extends Server>(server: Secure): Secure {
  const timers = new Map<string, () => void>();
  const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    const cancel = startDeadline(HANDSHAKE_TIMEOUT, () => socket.destroy());
    timers.set(key, cancel);
    socket.once('close', () => {
      cancel();
      if (timers.get(key) === cancel) timers.delete(key);
    });
  });
  server.on('secureConnection', (socket) => {
    timers.get(keyOf(socket))?.();
    timers.delete(keyOf(socket));
  });
  return server;
}

export interface TlsListener {
  /** The port: to listen on, and to close. */
  readonly server: TcpServer;
  /** Changes the credentials of new handshakes; open connections keep theirs. */
  setCredentials(credentials: ServerCredentials): void;
  /** Ends every handshake under way. */
  endHandshakes(): void;
}

/** A host name whose handshakes are not to succeed. */
class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused';
}

type SniAnswer = (error: Error | null, context?: SecureContext) => void;

/** The certificate of the host name that a client asks for. A context is made once, and goes with its domain's state. */
function certificateByName(domains: TlsDomains): (serverName: string, answer: SniAnswer) => void {
  const contexts = new WeakMap<DomainTls, SecureContext>();
  const contextOf = (tls: DomainTls): SecureContext => {
    const context = contexts.get(tls) ?? createSecureContext(secureOptions(tls, tls));
    contexts.set(tls, context);
    return context;
  };
  return (serverName, answer) => {
    const tls = domains.tlsOf(serverName);
    if (tls === undefined) answer(null);
    else if (tls === 'disabled') answer(new HandshakeRefused(`the domain configuration of ${serverName} is disabled`));
    else answer(null, contextOf(tls));
  };
}

export function createTlsListener({
  protocol,
  credentials,
  domains,
  selectProtocol,
  refuse,
  wrongPort,
  onSocket,
  handshakes: figures,
  clock,
}: TlsListenerOptions): TlsListener {
  // By the peer's address and port: the only thing that a socket has in common with the TLS socket made of it.
  const handshakes = new Map<string, Socket>();
  /** Handshakes that have begun: when (monotonic ms), and what prevents that they are ended for their time. */
  const begun = new Map<Socket, { readonly since: number; readonly cancel: () => void }>();
  const finished = (socket: Socket): void => {
    begun.get(socket)?.cancel();
    begun.delete(socket);
    arrivals.ended(socket);
  };
  const succeeded = (socket: Socket): void => {
    const since = begun.get(socket)?.since;
    if (since !== undefined) figures.time.observe((clock.monotonic() - since) / 1000);
    finished(socket);
  };
  const peerKey = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  let current = credentials;

  /** TLS of some versions, for sockets that are handed in. */
  const tlsServer = (versions: TlsVersions): Server => {
    const server = createServer({
      ...secureOptions(current, versions),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: 0,
      ALPNCallback: ({ protocols }) => selectProtocol(protocols),
      ...defined({ SNICallback: domains === undefined ? undefined : certificateByName(domains) }),
    });
    server.on('secureConnection', (socket) => {
      const key = peerKey(socket);
      const raw = handshakes.get(key);
      handshakes.delete(key);
      if (raw !== undefined) succeeded(raw);
      onSocket(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      figures.failed(refuseHandshake(error, socket, { port: protocol, wrongPort, refuse, versions }));
      socket.destroy();
    });
    return server;
  };

  const servers = new Map<string, { versions: TlsVersions; server: Server }>();
  const serverOf = ({ minVersion, maxVersion }: TlsVersions): Server => {
    const versions = { minVersion, maxVersion };
    const name = `${minVersion} ${maxVersion}`;
    const known = servers.get(name) ?? { versions, server: tlsServer(versions) };
    servers.set(name, known);
    return known.server;
  };
  const anyVersion = serverOf(ALL_VERSIONS);

  /** Only where some domain narrows the versions is a ClientHello looked at before TLS looks at it. */
  const greet = (socket: Socket): void => {
    if (domains?.narrowsTls !== true) {
      anyVersion.emit('connection', socket);
      return;
    }
    peekServerName(socket, HANDSHAKE_TIMEOUT, (serverName) => {
      const tls = serverName === undefined ? undefined : domains.tlsOf(serverName);
      const server = tls === undefined || tls === 'disabled' ? anyVersion : serverOf(tls);
      server.emit('connection', socket);
    });
  };

  const begin = (socket: Socket): void => {
    if (socket.destroyed) return;
    const cancel = startDeadline(HANDSHAKE_TIMEOUT, () => {
      if (handshakes.get(peerKey(socket)) !== socket) return;
      const sourceIp = plainAddress(socket.remoteAddress);
      figures.failed('timeout');
      refuse({ check: 'tls', reason: `${FAILED}${tookTooLong(socket.bytesRead)}`, protocol, sourceIp });
      socket.destroy();
    });
    begun.set(socket, { since: clock.monotonic(), cancel });
    greet(socket);
  };
  const arrivals = new HandshakeQueue<Socket>({ ...PACE, begin });

  const ended = (socket: Socket, key: string): void => {
    if (handshakes.get(key) === socket) handshakes.delete(key);
    finished(socket);
  };
  // One function for all sockets: a closure for each would weigh on every connection.
  function closed(this: Socket): void {
    ended(this, peerKey(this));
  }

  const server = createTcpServer({ noDelay: true }, (socket) => {
    if (handshakes.size >= MAX_HANDSHAKES) {
      figures.failed('full');
      socket.destroy();
      return;
    }
    const key = peerKey(socket);
    handshakes.set(key, socket);
    socket.on('close', closed);
    arrivals.offer(socket);
  });
  return {
    server,
    setCredentials: (fresh) => {
      current = fresh;
      for (const { versions, server: each } of servers.values()) each.setSecureContext(secureOptions(fresh, versions));
    },
    endHandshakes: () => {
      for (const socket of handshakes.values()) socket.destroy();
    },
  };
}
