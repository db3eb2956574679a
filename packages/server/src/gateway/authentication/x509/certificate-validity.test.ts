/** The validity of a certificate: both of its dates belong to it, and its status comes first (RFC 5280 section 4.1.2.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsValid, validityFault } from './certificate-validity.ts';

const ACTIVE = { status: 'ACTIVE', notBefore: 1_000, notAfter: 5_000 } as const;

test('an ACTIVE certificate may be used from the first date to the last', () => {
  for (const now of [1_000, 3_000, 5_000]) assert.equal(validityFault(ACTIVE, now), undefined);
  assert.deepEqual(validityFault(ACTIVE, 999), {
    check: 'certificate-not-yet-valid',
    reason: 'the certificate is valid from 1970-01-01T00:00:01.000Z',
  });
  assert.deepEqual(validityFault(ACTIVE, 5_001), {
    check: 'certificate-expired',
    reason: 'the certificate expired on 1970-01-01T00:00:05.000Z',
  });
});

test('the status of one that is not ACTIVE is named, whatever the time', () => {
  for (const now of [0, 3_000, 9_000])
    assert.deepEqual(validityFault({ ...ACTIVE, status: 'REVOKED' }, now), {
      check: 'certificate-not-active',
      reason: 'the certificate is REVOKED',
    });
});

test('a connection is authorized again a second after the last date', () => {
  assert.equal(secondsValid(ACTIVE, 3_000), 3);
  assert.equal(validityFault(ACTIVE, 3_000 + 3_000)?.check, 'certificate-expired');
  assert.equal(secondsValid(ACTIVE, 9_000), 1);
});
