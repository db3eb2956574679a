import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { inRange, parseIpAddress, parseIpRange } from './ip-address.ts';

test('addresses are read where Node reads them, and refused where it refuses them', () => {
  const odd = fc
    .array(fc.constantFrom('::', ':', '.', '0', '1', 'ffff', '256', '10', '1.2.3.4', 'g', '01', ''), { maxLength: 10 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), odd), (text) => {
      assert.equal(parseIpAddress(text) !== undefined, isIP(text) !== 0, text);
    }),
    { numRuns: 3000 },
  );
});

test('an IPv4-mapped address is the IPv4 address (RFC 4291 section 2.5.5.2)', () => {
  assert.deepEqual(parseIpAddress('::ffff:192.0.2.1'), parseIpAddress('192.0.2.1'));
  assert.deepEqual(parseIpAddress('::ffff:c000:201'), parseIpAddress('192.0.2.1'));
  assert.deepEqual(parseIpAddress('fe80::1%eth0'), parseIpAddress('fe80::1'));
});

test('ranges are refused when their prefix does not fit', () => {
  for (const text of [
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/-1',
    '192.0.2.0/+8',
    '::/129',
    '::ffff:192.0.2.0/95',
    '/8',
    'x/8',
    '192.0.2.0/8/8',
  ]) {
    assert.equal(parseIpRange(text), undefined, text);
  }
  const address = parseIpAddress('192.0.2.255');
  const range = parseIpRange('192.0.2.0/25');
  assert.ok(address !== undefined && range !== undefined && !inRange(address, range));
});
