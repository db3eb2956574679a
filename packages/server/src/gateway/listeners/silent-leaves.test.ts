/** A health check that opens TLS and leaves has one record in ten minutes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SilentLeaves } from './silent-leaves.ts';

test('an address, or an IPv6 network, has one record in ten minutes; the next one counts those left out', () => {
  let now = 0;
  const leaves = new SilentLeaves({ monotonic: () => now });
  assert.match(leaves.reasonFor('192.0.2.1') ?? '', /sent nothing: usually the client does not trust .* looks the same$/);
  assert.equal(leaves.reasonFor('192.0.2.1'), undefined);
  assert.match(leaves.reasonFor('2001:db8::1') ?? '', /sent nothing/);
  assert.equal(leaves.reasonFor('2001:db8::2'), undefined);
  now = 600_000;
  assert.match(leaves.reasonFor('192.0.2.1') ?? '', /\(1 more of this address were not recorded\)$/);
});
