/** Variable Byte Integers, written and read again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeVarint, sizedEnd, varintAt, varintEnd, varintSize } from './varint.ts';

test('numbers of one to four bytes are read as they were written (MQTT 5, table 1-1)', () => {
  for (const [value, size] of [
    [0, 1],
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [2_097_151, 3],
    [2_097_152, 4],
    [268_435_455, 4],
  ] as const) {
    const bytes = Buffer.concat([Buffer.of(1), encodeVarint(value)]);
    assert.deepEqual(
      [varintSize(value), varintAt(bytes, 1), varintEnd(bytes, 1), sizedEnd(bytes, 1)],
      [size, value, 1 + size, 1 + size + value],
    );
  }
});

test('a number without its last byte ends behind the bytes', () => {
  const bytes = Buffer.of(0x80, 0x80);
  assert.deepEqual([varintAt(bytes, 0), varintEnd(bytes, 0), sizedEnd(bytes, 0)], [0, 3, 3]);
});
