/** The validity of a certificate: both of its dates belong to it, and its status comes first (RFC 5280 section 4.1.2.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsValid, validityFault } from './certificate-validity.ts';

const ACTIVE = { certificateId: 'c1', status: 'ACTIVE', notBefore: 1_000, notAfter: 5_000 } as const;

test('an ACTIVE certificate may be used from the first date to the last', () => {
  for (const now of [1_000, 3_000, 5_000]) assert.equal(validityFault(ACTIVE, now), undefined);
  assert.deepEqual(validityFault(ACTIVE, 999), {
    check: 'certificate-not-yet-valid',
    reason:
      "the certificate is valid from 1970-01-01T00:00:01.000Z, and here it is 1970-01-01T00:00:00.999Z: check the clock of the machine that issued it, and this server's",
  });
  assert.deepEqual(validityFault(ACTIVE, 5_001), {
    check: 'certificate-expired',
    reason: 'the certificate expired on 1970-01-01T00:00:05.000Z: give the device a new one, and register it',
  });
});

test('the status of one that is not ACTIVE is named, whatever the time', () => {
  for (const now of [0, 3_000, 9_000])
    assert.deepEqual(validityFault({ ...ACTIVE, status: 'REVOKED' }, now), {
      check: 'certificate-not-active',
      reason: 'the certificate is REVOKED: give the device a new certificate',
    });
});

test('what is not ACTIVE says how it gets so', () => {
  const reason = (status: 'INACTIVE' | 'PENDING_TRANSFER' | 'PENDING_ACTIVATION'): string =>
    validityFault({ ...ACTIVE, status }, 3_000)?.reason ?? '';
  assert.match(reason('INACTIVE'), /is INACTIVE: activate it by aws iot update-certificate .* --certificate-id c1$/);
  assert.match(reason('PENDING_TRANSFER'), /has to accept it$/);
  assert.match(reason('PENDING_ACTIVATION'), /not finished; activate it/);
});

test('a connection is authorized again a second after the last date', () => {
  assert.equal(secondsValid(ACTIVE, 3_000), 3);
  assert.equal(validityFault(ACTIVE, 3_000 + 3_000)?.check, 'certificate-expired');
  assert.equal(secondsValid(ACTIVE, 9_000), 1);
});
