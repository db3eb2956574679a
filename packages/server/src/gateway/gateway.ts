/** The device ports, opened: MQTT over mutual TLS, and HTTPS with WebSockets and, by ALPN, MQTT beside it. */
import type { RequestListener } from 'node:http';
import type { Server as TcpServer, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Broker } from '../broker/broker.ts';
import type { Client } from '../broker/connection/client.ts';
import type { Transport } from '../broker/contract.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Logger } from '../runtime/log.ts';
import type { CallFigures } from '../runtime/call-figures.ts';
import { extendHttpDeadlines } from '../runtime/http-deadlines.ts';
import type { Authentication } from './authentication/create-authentication.ts';
import { alpnOf, createAttemptReader, type DomainOf, type ReadHead } from './attempt-reader.ts';
import { attach } from './connection.ts';
import { asksForCredentials, credentialHttp } from './credential-http.ts';
import type { IssueCredentials } from '../credentials/provider.ts';
import { type DataPlane, deviceHttp } from './device-http.ts';
import { protocolOf, selectOnHttpsPort, selectOnMqttPort } from './listeners/alpn.ts';
import { handedHttpServer, type UpgradeListener } from './listeners/handed-http.ts';
import { HandshakeFigures } from './listeners/handshake-figures.ts';
import { SilentLeaves } from './listeners/silent-leaves.ts';
import { createTlsListener, type ServerCredentials, type TlsDomains } from './listeners/tls.ts';
import { addressOf } from './peer.ts';
import { asksForWebSocket } from './upgrade.ts';
import { webSockets } from './websocket.ts';
import { recordWrongPort, type WrongPort } from './wrong-port.ts';

/** Bounds of HTTP connections, authenticated or not. */
const HTTP_OPTIONS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  shouldUpgradeCallback: asksForWebSocket,
};

export interface GatewayOptions {
  readonly broker: Broker;
  readonly authentication: Pick<Authentication, 'registry' | 'x509'>;
  readonly credentials: ServerCredentials;
  readonly readHead: ReadHead;
  readonly domainOf?: DomainOf;
  /** Certificates and TLS versions of host names beside the server's own. */
  readonly tlsDomains?: TlsDomains;
  /** Handlers of the data plane, for devices' HTTPS requests. */
  readonly dataPlane: DataPlane;
  /** Issues credentials to devices, which X.509 alone authenticates. */
  readonly issueCredentials: IssueCredentials;
  readonly refuse: (refusal: Refusal) => void;
  readonly wrongPort: WrongPort;
  readonly calls: CallFigures;
  readonly log: Logger;
}

export interface Gateway {
  readonly mqtt: TcpServer;
  readonly https: TcpServer;
  /** MQTT over WebSocket for another HTTP server: its upgrades, on connections that no answer is owed on. */
  readonly upgrade: UpgradeListener;
  /** Its HTTP connections, WebSockets apart. */
  readonly httpConnections: number;
  readonly handshakes: HandshakeFigures;
  /** Changes the credentials of new handshakes; open connections keep theirs. */
  setCredentials(credentials: ServerCredentials): void;
  /** Ends handshakes under way, and HTTP connections that wait for a next request. */
  closeIdle(): void;
  /** Ends all HTTP connections. */
  closeAll(): void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { broker, authentication, credentials, refuse, wrongPort, calls, log, dataPlane, issueCredentials: issue } = options;
  const { registry: authenticators, x509 } = authentication;
  const attempts = createAttemptReader(options.readHead, options.domainOf);
  const silentLeaves = new SilentLeaves(broker.clock);
  const leftSilently = (client: Client): void => {
    const reason = silentLeaves.reasonFor(client.identity.peer.sourceIp);
    if (reason !== undefined) client.refuse({ check: 'tls', reason });
  };
  const onMqtt = (socket: TLSSocket, transport: Transport, alpn?: string): void => {
    const attempt = attempts.fromSocket(socket, alpn);
    attach(socket, broker.connections, attempt.peer, transport, authenticators.connectAuthorizer(attempt), leftSilently);
  };
  const upgrades = webSockets({ broker, attempts, authenticators, refuse, log });
  const dataRequests = deviceHttp({ log, attempts, authenticators, dataPlane, refuse, calls });
  const credentialRequests = credentialHttp({ log, attempts, refuse, x509, issue, calls });
  const serve: RequestListener = (request, response) =>
    asksForCredentials(request) ? credentialRequests(request, response) : dataRequests(request, response);
  /** HTTP connections that have not become WebSockets. */
  const http = new Set<Socket>();
  const upgrade: UpgradeListener = (request, socket, head) => {
    http.delete(socket);
    upgrades.upgrade(request, socket, head);
  };
  const httpServer = handedHttpServer(HTTP_OPTIONS, {
    request: serve,
    upgrade,
    notHttp: (bytes, socket) => recordWrongPort(options, 'https', bytes, socket),
  });
  extendHttpDeadlines(httpServer, broker.standstill);
  /** A domain may say so for its host name; then no client needs ALPN for it. */
  const isForMqtt = ({ servername }: TLSSocket): boolean =>
    typeof servername === 'string' && options.domainOf?.(servername)?.applicationProtocol === 'SECURE_MQTT';
  const onHttps = (socket: TLSSocket): void => {
    if (protocolOf(socket.alpnProtocol) === 'mqtt' || isForMqtt(socket)) onMqtt(socket, 'alpn', alpnOf(socket));
    else {
      http.add(socket);
      const sourceIp = addressOf(socket);
      socket.once('close', () => {
        http.delete(socket);
        const reason = socket.bytesRead === 0 ? silentLeaves.reasonFor(sourceIp) : undefined;
        if (reason !== undefined) refuse({ check: 'tls', reason, protocol: 'https', sourceIp });
      });
      httpServer.emit('connection', socket);
    }
  };
  const domains = options.tlsDomains === undefined ? {} : { domains: options.tlsDomains };
  const handshakes = new HandshakeFigures();
  const shared = { credentials, ...domains, refuse, handshakes, clock: broker.clock };
  const mqtt = createTlsListener({
    ...shared,
    protocol: 'mqtt',
    selectProtocol: selectOnMqttPort,
    refuse,
    wrongPort,
    onSocket: (socket) => onMqtt(socket, 'mqtts'),
  });
  const https = createTlsListener({
    ...shared,
    protocol: 'https',
    selectProtocol: selectOnHttpsPort,
    refuse,
    wrongPort,
    onSocket: onHttps,
  });
  return {
    mqtt: mqtt.server,
    https: https.server,
    upgrade: upgrades.upgrade,
    get httpConnections() {
      return http.size;
    },
    handshakes,
    setCredentials: (fresh) => {
      mqtt.setCredentials(fresh);
      https.setCredentials(fresh);
    },
    closeIdle: () => {
      for (const listener of [mqtt, https]) listener.endHandshakes();
      httpServer.closeIdleConnections();
    },
    closeAll: () => {
      httpServer.closeAllConnections();
      upgrades.closeAll();
    },
  };
}
