/** The device ports, opened: MQTT over mutual TLS, and HTTPS with MQTT beside it by ALPN. */
import type { Server as TcpServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Broker } from '../broker/broker.ts';
import type { Judge } from '../broker/contract.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Login } from './admission/login.ts';
import { attach } from './connection.ts';
import type { DeviceHttpOptions } from './device-http.ts';
import { deviceHttp } from './device-http.ts';
import { protocolOf, selectOnHttpsPort, selectOnMqttPort } from './listeners/alpn.ts';
import { handedHttpServer } from './listeners/handed-http.ts';
import { createTlsListener, type ServerCredentials, secureOptions } from './listeners/tls.ts';
import { peerOf } from './peer.ts';

/** Bounds for whoever speaks HTTP here, known or not. */
const HTTP_OPTIONS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
};

export interface GatewayOptions {
  readonly broker: Broker;
  /** The judge of a device's CONNECT. */
  readonly judgeOf: (login: Login) => Judge;
  readonly credentials: ServerCredentials;
  readonly http: DeviceHttpOptions;
  readonly refuse: (refusal: Refusal) => void;
}

export interface Gateway {
  readonly mqtt: TcpServer;
  readonly https: TcpServer;
  /** New handshakes use these; connections that stand are not touched. */
  setCredentials(credentials: ServerCredentials): void;
  /** Ends handshakes under way, and HTTP connections that wait for a next request. */
  closeIdle(): void;
  /** Ends HTTP connections whatever they are at. */
  closeAll(): void;
}

export function createGateway({ broker, judgeOf, credentials, http, refuse }: GatewayOptions): Gateway {
  const onMqtt = (socket: TLSSocket): void => {
    const peer = peerOf(socket);
    attach(socket, broker, peer, judgeOf({ peer, protocol: 'mqtt' }));
  };
  const httpServer = handedHttpServer(HTTP_OPTIONS, deviceHttp(http));
  const onHttps = (socket: TLSSocket): void => {
    if (protocolOf(socket.alpnProtocol) === 'mqtt') onMqtt(socket);
    else httpServer.emit('connection', socket);
  };
  const mqtt = createTlsListener({ protocol: 'mqtt', credentials, selectProtocol: selectOnMqttPort, refuse, onSocket: onMqtt });
  const https = createTlsListener({
    protocol: 'https',
    credentials,
    selectProtocol: selectOnHttpsPort,
    refuse,
    onSocket: onHttps,
  });
  return {
    mqtt: mqtt.server,
    https: https.server,
    setCredentials: (fresh) => {
      mqtt.server.setSecureContext(secureOptions(fresh));
      https.server.setSecureContext(secureOptions(fresh));
    },
    closeIdle: () => {
      for (const listener of [mqtt, https]) listener.endHandshakes();
      httpServer.closeIdleConnections();
    },
    closeAll: () => httpServer.closeAllConnections(),
  };
}
