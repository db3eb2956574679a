/** Which protocol some bytes begin, and which port a client wants that has come to another one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PortKind, type WireProtocol, detectProtocol, WrongPort } from './wrong-port.ts';

test('a protocol is told by its first bytes', () => {
  const cases: readonly (readonly [bytes: string, protocol: WireProtocol])[] = [
    ['\x10\x0d\x00\x04MQTT\x04', 'mqtt'],
    ['\x10\x80\x01\x00\x06MQIsdp\x03', 'mqtt'],
    ['GET / HTTP/1.1', 'http'],
    ['PRI * HTTP/2.0', 'http'],
    ['OPTIONS /x', 'http'],
    ['GETTING', 'unknown'],
    ['\x16\x03\x01\x02\x00', 'tls'],
    ['\x16\x16', 'unknown'],
    ['\x10\x00', 'unknown'],
    ['SSH-2.0-x', 'unknown'],
    ['', 'unknown'],
  ];
  for (const [bytes, protocol] of cases)
    assert.equal(detectProtocol(Buffer.from(bytes, 'latin1')), protocol, JSON.stringify(bytes));
});

const BYTES = { mqtt: '\x10\x0d\x00\x04MQTT\x04', http: 'GET / HTTP/1.1', tls: '\x16\x03\x01', unknown: 'SSH-2.0' } as const;
const PORTS = { mqtt: 1001, https: 1002, api: 1003, apiTls: false };

test('each pair of a port and what has come there says which port is meant, by its number', () => {
  const wrong = new WrongPort(() => PORTS);
  const at: readonly (readonly [port: PortKind, protocol: WireProtocol, said: RegExp])[] = [
    ['mqtt', 'http', /HTTP request came on the MQTT port: HTTPS for devices is on port 1002, the AWS API at http:\/\/HOST:1003/],
    ['mqtt', 'tls', /TLS inside TLS on the MQTT port: turn TLS off/],
    ['https', 'mqtt', /without ALPN: offer .* x-amzn-mqtt-ca there, or connect to the MQTT port: MQTT over TLS is on port 1001/],
    ['https', 'tls', /TLS inside TLS on the HTTPS port/],
    ['api', 'mqtt', /MQTT came on the API port: MQTT over TLS is on port 1001/],
    ['api', 'tls', /speaks HTTP without TLS: use http: in the URL, or start the server with --api-tls/],
  ];
  const reason = (port: PortKind, protocol: WireProtocol) => wrong.wrongPortReason(port, Buffer.from(BYTES[protocol], 'latin1'));
  for (const [port, protocol, said] of at) assert.match(reason(port, protocol) ?? '', said);
  const right: readonly (readonly [PortKind, WireProtocol])[] = [
    ['mqtt', 'mqtt'],
    ['https', 'http'],
    ['api', 'http'],
  ];
  for (const [port, protocol] of right)
    assert.deepEqual([reason(port, protocol), reason(port, 'unknown')], [undefined, undefined], port);
  const withTls = new WrongPort(() => ({ ...PORTS, apiTls: true }));
  assert.match(withTls.wrongPortReason('api', Buffer.from(BYTES.tls, 'latin1')) ?? '', /TLS inside TLS/);
});

test('what comes without TLS to a port of TLS', () => {
  const wrong = new WrongPort(() => PORTS);
  assert.match(wrong.noTlsReason('mqtt', 'http'), /without TLS came on the MQTT port: HTTPS for devices is on port 1002/);
  assert.match(wrong.noTlsReason('mqtt', 'unknown'), /^the client did not use TLS \(plain MQTT, for instance\): turn TLS on/);
  assert.match(wrong.noTlsReason('https', 'http'), /use https: in the URL/);
});
