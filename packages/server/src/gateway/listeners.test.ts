/** ALPN as devices offer it (developer guide, page protocols), and the TLS listener's care for handshakes that never end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import type { Refusal } from '../refusals/refusals.ts';
import { systemClock } from '../runtime/clock.ts';
import { close, listen } from '../runtime/listen.ts';
import { openTestAuthority } from '../testing/authority-fixture.ts';
import { ALPN, protocolOf, selectOnHttpsPort, selectOnMqttPort } from './listeners/alpn.ts';
import { HandshakeFigures } from './listeners/handshake-figures.ts';
import { createTlsListener, type TlsListener } from './listeners/tls.ts';
import { WrongPort } from './wrong-port.ts';

describe('ALPN', () => {
  test('the MQTT port agrees with whatever is offered, x-amzn-mqtt-ca first', () => {
    assert.equal(selectOnMqttPort(['http/1.1', ALPN.MQTT_X509]), ALPN.MQTT_X509);
    assert.equal(selectOnMqttPort(['mqtt']), 'mqtt');
    assert.equal(selectOnMqttPort([]), undefined);
  });

  test('the HTTPS port chooses among what it serves, and nothing else', () => {
    assert.equal(selectOnHttpsPort(['http/1.1', ALPN.MQTT_X509]), ALPN.MQTT_X509);
    assert.equal(selectOnHttpsPort(['http/1.1', ALPN.HTTP_X509]), ALPN.HTTP_X509);
    assert.equal(selectOnHttpsPort(['h2', 'http/1.1']), ALPN.HTTP);
    assert.equal(selectOnHttpsPort(['h2', 'mqtt-over-pigeon']), undefined);
  });

  test('only x-amzn-mqtt-ca, and mqtt for custom authorizers, mean MQTT there', () => {
    assert.equal(selectOnHttpsPort(['http/1.1', 'mqtt']), ALPN.MQTT);
    for (const mqtt of [ALPN.MQTT_X509, ALPN.MQTT] as const) assert.equal(protocolOf(mqtt), 'mqtt');
    for (const other of [ALPN.HTTP, ALPN.HTTP_X509, false, null] as const) assert.equal(protocolOf(other), 'http');
  });
});

describe('the TLS listener', () => {
  const refusals: Refusal[] = [];
  const accepted: TLSSocket[] = [];
  const figures = new HandshakeFigures();
  const wrongPort = new WrongPort(() => ({ mqtt: 1, https: 2, api: 3, apiTls: false }));
  let listener: TlsListener;
  let server: Server;
  let port = 0;
  let rootCa = '';

  before(async () => {
    const authority = await openTestAuthority(systemClock, ['localhost']);
    rootCa = authority.rootCaPem;
    listener = createTlsListener({
      protocol: 'mqtt',
      credentials: authority.serverCredentials(),
      selectProtocol: selectOnHttpsPort,
      refuse: (refusal) => refusals.push(refusal),
      handshakes: figures,
      clock: systemClock,
      wrongPort,
      onSocket: (socket) => {
        socket.on('error', () => undefined);
        accepted.push(socket);
      },
    });
    server = listener.server;
    port = await listen(server, '127.0.0.1', 0, 'test');
  });

  const rawSocket = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  test('bytes that are no TLS are refused and recorded', async () => {
    const socket = await rawSocket();
    socket.write('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    assert.match(refusals.at(-1)?.reason ?? '', /TLS handshake failed: an HTTP request without TLS came on the MQTT port/);
    assert.equal(refusals.at(-1)?.check, 'tls');
    assert.equal(figures.failures['not-tls'], 1);
  });

  test('an offer of protocols that are not served ends in the handshake (RFC 7301 section 3.2)', async () => {
    const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ca: rootCa, ALPNProtocols: ['h2'] });
    const [error] = (await once(socket, 'error')) as [Error & { code?: string }];
    assert.match(error.code ?? '', /NO_APPLICATION_PROTOCOL/);
    assert.match(refusals.at(-1)?.reason ?? '', /^the TLS handshake failed: no application protocol: .*offer x-amzn-mqtt-ca$/);
    assert.equal(figures.failures.protocol, 1);
  });

  test('a peer that leaves in mid-handshake is no refusal', async () => {
    const before = refusals.length;
    const left = new Promise<void>((resolve) => server.once('connection', (peer) => peer.once('close', resolve)));
    const socket = await rawSocket();
    socket.destroy();
    await left;
    assert.equal(refusals.length, before);
    assert.equal(figures.failures.gone, 1);
  });

  test('ending handshakes takes those under way and leaves those that are done', async () => {
    const done = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ca: rootCa });
    await once(done, 'secureConnect');
    const seen = new Promise<void>((resolve) => server.once('connection', () => resolve()));
    const silent = await rawSocket();
    await seen;
    listener.endHandshakes();
    silent.resume();
    await once(silent, 'close');
    const echoed = once(done, 'data');
    accepted.at(-1)?.write('still here');
    assert.equal(String((await echoed)[0]), 'still here');
    assert.equal(figures.time.cumulative.at(-1), 1);
    done.destroy();
    for (const socket of accepted) socket.destroy();
    await close(server);
  });
});
