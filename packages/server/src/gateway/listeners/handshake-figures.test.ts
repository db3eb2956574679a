/** OpenSSL's and Node's words for failed handshakes, by kind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handshakeFailureOf } from './handshake-figures.ts';

for (const [message, kind] of [
  ['read ECONNRESET', 'gone'],
  ['Client network socket disconnected before secure TLS connection was established', 'gone'],
  ['socket hang up', 'gone'],
  ['http request', 'not-tls'],
  ['wrong version number', 'not-tls'],
  ['packet length too long', 'not-tls'],
  ['unexpected message', 'not-tls'],
  ['sslv3 alert bad certificate', 'server-not-trusted'],
  ['tlsv1 alert unknown ca', 'server-not-trusted'],
  ['ssl/tls alert certificate expired', 'server-not-trusted'],
  ['unsupported protocol', 'protocol'],
  ['no shared cipher', 'protocol'],
  ['no application protocol', 'protocol'],
  ['tlsv1 alert protocol version', 'protocol'],
  ['bad signature', 'client-certificate'],
  ['the domain configuration of a.example is disabled', 'domain-disabled'],
  ['something new', 'other'],
] as const)
  test(`${message}: ${kind}`, () => assert.equal(handshakeFailureOf(message), kind));
