/** The listening sockets, opened once everything stands behind them, and how they are closed. */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { socketMetrics } from '../admin/metrics/listener-metrics.ts';
import { serveMetrics } from '../admin/metrics/server.ts';
import { serveApi, serverOptions } from '../api/serve.ts';
import { limitHandshakes, refuseHandshake, secureOptions } from '../gateway/listeners/tls.ts';
import { asksForWebSocket } from '../gateway/upgrade.ts';
import { recordWrongPort } from '../gateway/wrong-port.ts';
import { limitConnections, operatorShare } from '../runtime/connection-limit.ts';
import { close, listen } from '../runtime/listen.ts';
import { logStandstills } from '../runtime/standstill.ts';
import type { Api } from '../api/http.ts';
import type { Access } from './access.ts';
import type { CoreBase, CorePorts } from './base.ts';
import type { DeviceParts } from './devices.ts';
import type { FunctionParts } from './functions.ts';
import type { MessagingParts } from './messaging.ts';
import type { Storage } from './storage.ts';

/** Milliseconds that requests under way have to come to their end at a shutdown. */
const DRAIN = 5_000;

/** The API's server, whose certificate follows the authority's. */
function createApiServer({ config, parts }: CoreBase, { authority, changes }: Storage, { refuse, wrongPort }: Access) {
  const httpOptions = { ...serverOptions, shouldUpgradeCallback: asksForWebSocket };
  if (!config.apiTls) return createHttpServer(httpOptions);
  const tls = (): object => secureOptions(authority.serverCredentials());
  const server = limitHandshakes(createHttpsServer({ ...httpOptions, ...tls(), handshakeTimeout: 0 }));
  server.on('tlsClientError', (error, socket) => refuseHandshake(error, socket, { port: 'api', wrongPort, refuse }));
  parts.defer(changes.onExternal('server-credentials', () => server.setSecureContext(tls())));
  return server;
}

/** Opens the ports. Closing ends new work, says goodbye to the devices, and waits for requests under way. */
export async function openListeners(
  base: CoreBase,
  storage: Storage,
  access: Access,
  { mostConnections, apiShare, hosting }: FunctionParts,
  { broker }: MessagingParts,
  { gateway }: DeviceParts,
  api: Api,
): Promise<CorePorts> {
  const { config, clock, log, parts, listening, metrics: sources } = base;
  const apiServer = createApiServer(base, storage, access);
  const servers = [gateway.mqtt, gateway.https, apiServer];
  const connections = limitConnections(servers, {
    max: mostConnections,
    apart: { server: apiServer, has: apiShare.has.bind(apiShare), share: operatorShare(mostConnections) },
    clock,
    log,
  });
  sources.add(socketMetrics(connections));
  logStandstills(broker.standstill, log);
  serveApi(apiServer, api, {
    upgrades: { upgrade: gateway.upgrade, admits: connections.becomesDevice },
    standstill: broker.standstill,
    notHttp: (bytes, socket) => recordWrongPort(access, 'api', bytes, socket),
  });
  parts.defer(async () => {
    const closed = servers.map(close);
    gateway.closeIdle();
    apiServer.closeIdleConnections();
    const goodbyes = broker.close();
    const impatient = setTimeout(() => {
      gateway.closeAll();
      apiServer.closeAllConnections();
      connections.destroyAll();
    }, DRAIN);
    await Promise.all([...closed, goodbyes]);
    clearTimeout(impatient);
  });
  const ports = {
    mqtt: await listen(gateway.mqtt, config.bind, config.mqttPort, 'MQTT (--mqtt-port)'),
    https: await listen(gateway.https, config.bind, config.httpsPort, 'HTTPS (--https-port)'),
    api: await listen(apiServer, config.bind, config.apiPort, 'API (--api-port)'),
  };
  listening.opened(ports);
  hosting.announce();
  if (config.metricsBind === undefined) return ports;
  const metrics = await serveMetrics(config.metricsBind, sources, storage.ready, log);
  parts.defer(metrics.close);
  const all = { ...ports, metrics: metrics.port };
  listening.opened(all);
  return all;
}
