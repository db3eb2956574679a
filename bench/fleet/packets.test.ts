/** Packets are found however the bytes are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberOf, packetReader, publishPacket, stamped, stampOf } from './packets.ts';

test('packets are found whole, whatever the pieces that they come in', () => {
  const sent = [0, 1, 2].map((n) => publishPacket(`bench/${'x'.repeat(n * 60)}`, stamped(n + 0.5, n), 4, n + 1));
  const all = Buffer.concat(sent);
  for (let size = 1; size <= all.length; size += 1) {
    const found: { number: number; at: number; length: number }[] = [];
    const read = packetReader((first, bytes, from, to) => {
      assert.equal(first, 0x32);
      found.push({ number: numberOf(bytes, to), at: stampOf(bytes, to), length: to - from });
    });
    for (let at = 0; at < all.length; at += size) read(all.subarray(at, at + size));
    assert.deepEqual(
      found,
      sent.map((packet, n) => ({ number: n, at: n + 0.5, length: packet.length - (packet.length > 129 ? 3 : 2) })),
    );
  }
});
