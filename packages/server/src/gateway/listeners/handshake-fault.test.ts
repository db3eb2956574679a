/** Faults of TLS handshakes in plain words (RFC 8446 section 6; the reasons of OpenSSL 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WrongPort } from '../wrong-port.ts';
import { handshakeFault, tookTooLong } from './handshake-fault.ts';

const WRONG_PORT = new WrongPort(() => ({ mqtt: 1, https: 2, api: 3, apiTls: false }));

const CASES: readonly (readonly [reason: string, said: RegExp])[] = [
  ['tlsv1 alert unknown ca', /does not trust this server .*root-ca\.pem/],
  ['ssl/tls alert bad certificate', /asked for "wrong\.example"\): connect by a name that --endpoint names/],
  ['ssl/tls alert certificate unknown', /refuses the server's certificate/],
  ['ssl/tls alert certificate expired', /set the client's clock/],
  ['tlsv1 alert protocol version', /TLS 1\.2 or 1\.3/],
  ['tlsv1 alert no application protocol', /no ALPN protocol in common/],
  ['tlsv1 alert internal error', /sent the alert "internal error": its own log says why/],
  ['unsupported protocol', /update its TLS library.*\(unsupported protocol\)$/],
  ['version too low', /update its TLS library/],
  ['no shared cipher', /ECDHE-ECDSA-AES128-GCM-SHA256/],
  ['no suitable key share', /X25519 or P-256/],
  ['no suitable signature algorithm', /ECDSA or RSA/],
  ['bad signature', /private key is not the one of the certificate/],
  ['no application protocol', /offer x-amzn-mqtt-ca or mqtt for MQTT/],
  ['http request', /use https: in the URL/],
  ['https proxy request', /use https: in the URL/],
  ['wrong version number', /the client did not use TLS.*\(wrong version number\)$/],
  ['something new', /^something new$/],
];

test('each reason says what to do', () => {
  for (const [reason, said] of CASES) {
    const fault = handshakeFault(
      Object.assign(new Error('x'), { reason }),
      { port: 'https', serverName: 'wrong.example' },
      WRONG_PORT,
    );
    assert.match(fault, said, reason);
  }
});

test('an error without a reason is told by its message; a handshake that takes too long by what has come', () => {
  assert.equal(handshakeFault(new Error('the domain is disabled'), { port: 'mqtt' }, WRONG_PORT), 'the domain is disabled');
  assert.match(tookTooLong(0), /sent nothing/);
  assert.match(tookTooLong(9), /begun it and not gone on/);
});
