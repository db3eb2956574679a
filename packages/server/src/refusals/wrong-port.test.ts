/** Which protocol some bytes begin, and which port a client wants that has come to another one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PortKind, type Spoken, spokenIn, WrongPort } from './wrong-port.ts';

test('a protocol is told by its first bytes', () => {
  const cases: readonly (readonly [bytes: string, spoken: Spoken])[] = [
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
  for (const [bytes, spoken] of cases) assert.equal(spokenIn(Buffer.from(bytes, 'latin1')), spoken, JSON.stringify(bytes));
});

test('each pair of a port and what has come there says which port is meant, by its number', () => {
  const ports = { mqtt: 1001, https: 1002, api: 1003, apiTls: false };
  const wrong = new WrongPort(() => ports);
  const at: readonly (readonly [port: PortKind, spoken: Spoken, said: RegExp])[] = [
    ['mqtt', 'http', /HTTP request came on the MQTT port: HTTPS for devices is on port 1002, the AWS API at http:\/\/HOST:1003/],
    ['mqtt', 'tls', /TLS came inside of TLS on the MQTT port/],
    ['https', 'mqtt', /without ALPN: offer .* x-amzn-mqtt-ca there, or connect to the MQTT port: MQTT over TLS is on port 1001/],
    ['api', 'mqtt', /MQTT came on the API port: MQTT over TLS is on port 1001/],
    ['api', 'tls', /speaks HTTP without TLS: use http: in the URL, or start the server with --api-tls/],
  ];
  for (const [port, spoken, said] of at) assert.match(wrong.at(port, spoken), said);
  assert.match(wrong.withoutTls('mqtt', 'http'), /without TLS came on the MQTT port: HTTPS for devices is on port 1002/);
  assert.match(wrong.withoutTls('mqtt', 'unknown'), /MQTT or something else in clear: turn TLS on/);
  assert.match(wrong.withoutTls('https', 'http'), /use https: in the URL/);
  assert.match(new WrongPort(() => ({ ...ports, apiTls: true })).at('api', 'tls'), /TLS came inside of TLS/);
});
