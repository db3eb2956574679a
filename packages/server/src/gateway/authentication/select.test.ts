/** The authenticator of a connection attempt (developer guide, page protocols; fact sheet 1.1 and 1.2). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALPN } from '../listeners/alpn.ts';
import type { ConnectionAttempt, DomainConfiguration } from './connection-attempt.ts';
import type { HttpHead } from './http-head.ts';
import { selectAuthenticator } from './select.ts';

const CERTIFICATE = { sourceIp: '192.0.2.1', sourcePort: 1, certificateId: 'ab'.repeat(32) };
const NOBODY = { sourceIp: '192.0.2.1', sourcePort: 1 };
const head = (query = '', headers: Record<string, string> = {}): HttpHead => ({
  method: 'GET',
  path: '/mqtt',
  query,
  headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
});
const PRESIGNED = head('X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Signature=s');
const SIGNED = head('', { authorization: 'AWS4-HMAC-SHA256 Credential=...' });
const BEARER = head('', { authorization: 'Bearer t' });
const BOTH = head(`${PRESIGNED.query}&x-amz-customauthorizer-name=a`);
const SIGNED_AND = head('', { authorization: 'AWS4-HMAC-SHA256 Credential=...', 'x-amz-customauthorizer-name': 'a' });
const CUSTOM = head('x-amz-customauthorizer-name=a');

describe('without a domain configuration', () => {
  for (const [what, attempt, alpn, method] of [
    ['MQTT port', { peer: CERTIFICATE, protocol: 'mqtt' }, undefined, 'x509'],
    ['MQTT port without a certificate', { peer: NOBODY, protocol: 'mqtt' }, undefined, 'x509'],
    ['MQTT, x-amzn-mqtt-ca', { peer: CERTIFICATE, protocol: 'mqtt' }, ALPN.MQTT_X509, 'x509'],
    ['MQTT, mqtt', { peer: NOBODY, protocol: 'mqtt' }, ALPN.MQTT, 'custom'],
    ['MQTT, mqtt, with a certificate', { peer: CERTIFICATE, protocol: 'mqtt' }, ALPN.MQTT, 'custom'],
    ['WebSocket, presigned', { peer: NOBODY, protocol: 'websocket', http: PRESIGNED }, ALPN.HTTP, 'sigv4'],
    ['WebSocket, signed', { peer: NOBODY, protocol: 'websocket', http: SIGNED }, ALPN.HTTP, 'sigv4'],
    ['WebSocket, presigned, and an authorizer beside', { peer: NOBODY, protocol: 'websocket', http: BOTH }, ALPN.HTTP, 'sigv4'],
    ['HTTPS, signed, and an authorizer beside', { peer: NOBODY, protocol: 'https', http: SIGNED_AND }, undefined, 'sigv4'],
    ['WebSocket, authorizer', { peer: NOBODY, protocol: 'websocket', http: CUSTOM }, ALPN.HTTP, 'custom'],
    ['WebSocket, certificate', { peer: CERTIFICATE, protocol: 'websocket', http: head() }, ALPN.HTTP, 'x509'],
    ['WebSocket, nothing', { peer: NOBODY, protocol: 'websocket', http: head() }, undefined, 'custom'],
    ['HTTPS, signed', { peer: CERTIFICATE, protocol: 'https', http: SIGNED }, undefined, 'sigv4'],
    ['HTTPS, certificate', { peer: CERTIFICATE, protocol: 'https', http: head() }, undefined, 'x509'],
    ['HTTPS, authorizer', { peer: CERTIFICATE, protocol: 'https', http: CUSTOM }, undefined, 'custom'],
    ['HTTPS, bearer token', { peer: NOBODY, protocol: 'https', http: BEARER }, undefined, 'custom'],
    ['HTTPS, x-amzn-http-ca', { peer: CERTIFICATE, protocol: 'https', http: CUSTOM }, ALPN.HTTP_X509, 'x509'],
  ] satisfies readonly (readonly [string, ConnectionAttempt, string | undefined, string])[])
    test(`${what}: ${method}`, () => assert.equal(selectAuthenticator({ ...attempt, alpn }), method));

  test('a user name may bring what the upgrade did not', () => {
    assert.equal(selectAuthenticator({ peer: CERTIFICATE, protocol: 'websocket', http: head() }, true), 'custom');
    assert.equal(selectAuthenticator({ peer: CERTIFICATE, protocol: 'mqtt' }, true), 'x509');
  });
});

describe('a domain configuration', () => {
  const domain = (more: Partial<DomainConfiguration>): DomainConfiguration => ({
    place: { accountId: '000000000000', region: 'us-east-1' },
    name: 'd',
    authenticationType: 'DEFAULT',
    applicationProtocol: 'DEFAULT',
    serviceType: 'DATA',
    allowAuthorizerOverride: true,
    ...more,
  });
  const by = (protocol: ConnectionAttempt['protocol'], more: Partial<DomainConfiguration>, alpn?: string) =>
    selectAuthenticator({
      peer: CERTIFICATE,
      protocol,
      alpn,
      domain: domain(more),
      http: protocol === 'mqtt' ? undefined : head(),
    });
  const refusal = (answer: ReturnType<typeof selectAuthenticator>): string =>
    typeof answer === 'string' ? assert.fail(`chose ${answer}`) : `${answer.refused.check}: ${answer.refused.reason}`;

  test('decides by its authentication type, whatever ALPN says', () => {
    assert.equal(by('mqtt', { authenticationType: 'CUSTOM_AUTH' }), 'custom');
    assert.equal(by('mqtt', { authenticationType: 'CUSTOM_AUTH', applicationProtocol: 'SECURE_MQTT' }, ALPN.MQTT_X509), 'custom');
    assert.equal(by('mqtt', { authenticationType: 'CUSTOM_AUTH_X509' }), 'custom');
    assert.equal(by('mqtt', { authenticationType: 'AWS_X509' }, ALPN.MQTT), 'x509');
    assert.equal(by('websocket', { authenticationType: 'AWS_SIGV4' }), 'sigv4');
    assert.equal(by('https', { authenticationType: 'AWS_SIGV4' }), 'sigv4');
    assert.equal(by('mqtt', {}, ALPN.MQTT), 'custom');
    assert.equal(by('mqtt', {}), 'x509');
  });

  test('refuses what its types do not go with', () => {
    assert.match(refusal(by('websocket', { authenticationType: 'AWS_X509' })), /^protocol: .*AWS_X509.*websocket/);
    assert.match(refusal(by('websocket', { authenticationType: 'CUSTOM_AUTH_X509' })), /^protocol: .*CUSTOM_AUTH_X509/);
    assert.match(refusal(by('mqtt', { authenticationType: 'AWS_SIGV4' })), /^protocol: .*AWS_SIGV4.*mqtt/);
    assert.match(refusal(by('https', { applicationProtocol: 'SECURE_MQTT' })), /^protocol: .*SECURE_MQTT alone/);
    assert.match(refusal(by('mqtt', { applicationProtocol: 'MQTT_WSS' })), /^protocol: .*MQTT_WSS alone/);
    assert.match(refusal(by('mqtt', { serviceType: 'JOBS' })), /^protocol: .*JOBS.*no MQTT/);
  });
});
