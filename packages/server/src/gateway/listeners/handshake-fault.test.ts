/** Faults of TLS handshakes, by OpenSSL's and Node's words: their kinds, and plain words (RFC 8446 section 6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WrongPort } from '../wrong-port.ts';
import { handshakeFault, tookTooLong } from './handshake-fault.ts';
import type { HandshakeFailure } from './handshake-figures.ts';

const WRONG_PORT = new WrongPort(() => ({ mqtt: 1, https: 2, api: 3, apiTls: false }));

const LEFT = /left in the middle of the TLS handshake: usually the client does not trust this server's CA/;
const NO_VERSION = /update its TLS library/;
const NOT_PROVEN = /private key is not the one of the certificate/;
const REFUSES = /refuses the server's certificate/;
const NO_GROUP = /X25519 or P-256, and ECDSA or RSA/;

const CASES: readonly (readonly [reason: string, kind: HandshakeFailure, said: RegExp])[] = [
  ['read ECONNRESET', 'gone', LEFT],
  ['write EPIPE', 'gone', LEFT],
  ['Client network socket disconnected before secure TLS connection was established', 'gone', LEFT],
  ['socket hang up', 'gone', LEFT],
  ['unexpected eof while reading', 'gone', LEFT],
  [
    'the domain configuration of a.example is disabled',
    'domain-disabled',
    /^the domain configuration of a\.example is disabled$/,
  ],
  ['the domain configuration of epipe.example is disabled', 'domain-disabled', /epipe\.example/],
  ['tlsv1 alert unknown ca', 'server-not-trusted', /does not trust this server .*root-ca\.pem/],
  [
    'ssl/tls alert bad certificate',
    'server-not-trusted',
    /asked for "wrong\.example"\): connect by a name that --endpoint names/,
  ],
  ['sslv3 alert certificate unknown', 'server-not-trusted', REFUSES],
  ['ssl/tls alert certificate revoked', 'server-not-trusted', REFUSES],
  ['tlsv1 alert access denied', 'server-not-trusted', REFUSES],
  ['tlsv1 alert unrecognized name', 'server-not-trusted', REFUSES],
  ['tlsv1 unrecognized name', 'server-not-trusted', /the alert "unrecognized name"/],
  ['ssl/tls alert certificate expired', 'server-not-trusted', /says that the server's certificate has expired .*client's clock/],
  ['tlsv1 alert decrypt error', 'server-not-trusted', /its CA file may be of an earlier installation; .*root-ca\.pem/],
  ['tlsv1 alert protocol version', 'protocol', /TLS 1\.2 or 1\.3/],
  ['tlsv1 alert inappropriate fallback', 'protocol', /TLS 1\.2 or 1\.3/],
  ['tlsv1 alert no application protocol', 'protocol', /no ALPN protocol in common/],
  ['ssl/tls alert handshake failure', 'protocol', /its own log says why/],
  ['tlsv1 alert internal error', 'other', /sent the alert "internal error": its own log says why/],
  ['unsupported protocol', 'protocol', /update its TLS library.*\(unsupported protocol\)$/],
  ['unknown protocol', 'protocol', NO_VERSION],
  ['version too low', 'protocol', NO_VERSION],
  ['no shared cipher', 'protocol', /ECDHE-ECDSA-AES128-GCM-SHA256/],
  ['no suitable key share', 'protocol', NO_GROUP],
  ['no shared groups', 'protocol', NO_GROUP],
  ['no shared signature algorithms', 'protocol', NO_GROUP],
  ['no suitable signature algorithm', 'protocol', NO_GROUP],
  ['no application protocol', 'protocol', /offer x-amzn-mqtt-ca or mqtt for MQTT/],
  ['bad signature', 'client-certificate', NOT_PROVEN],
  ['bad ecc cert', 'client-certificate', NOT_PROVEN],
  ['digest check failed', 'client-certificate', NOT_PROVEN],
  ['wrong signature type', 'client-certificate', NOT_PROVEN],
  ['ee key too small', 'client-certificate', /^ee key too small$/],
  ['http request', 'not-tls', /use https: in the URL/],
  ['https proxy request', 'not-tls', /use https: in the URL/],
  ['wrong version number', 'not-tls', /the client did not use TLS.*\(wrong version number\)$/],
  ['packet length too long', 'not-tls', /the client did not use TLS/],
  ['record layer failure', 'not-tls', /the client did not use TLS/],
  ['unexpected message', 'not-tls', /^unexpected message$/],
  ['something new', 'other', /^something new$/],
];

test('each reason has a kind, and says what to do', () => {
  for (const [reason, kind, said] of CASES) {
    const error = Object.assign(new Error('x'), { reason });
    const fault = handshakeFault(error, { port: 'https', serverName: 'wrong.example' }, WRONG_PORT);
    assert.equal(fault.kind, kind, reason);
    assert.match(fault.text, said, reason);
  }
});

test('an error without a reason is told by its message; a handshake that takes too long by what has come', () => {
  const { kind, text } = handshakeFault(new Error('read ECONNRESET'), { port: 'mqtt' }, WRONG_PORT);
  assert.equal(kind, 'gone');
  assert.match(text, LEFT);
  assert.match(tookTooLong(0), /sent nothing/);
  assert.match(tookTooLong(9), /begun it and not gone on/);
});
