import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64, toBase64 } from './base64.ts';

test('bytes come back, whatever their number', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) =>
      assert.deepEqual(Buffer.from(fromBase64(toBase64(bytes)) ?? []), Buffer.from(bytes)),
    ),
    { numRuns: 50 },
  );
  for (const length of [24_575, 24_576, 24_577, 49_152]) {
    const bytes = Buffer.alloc(length, 0xfe);
    assert.equal(Buffer.compare(fromBase64(bytes.toString('base64')) ?? Buffer.of(), bytes), 0);
  }
});

test('what is no base64 is none, wherever in a long text it stops being it', () => {
  for (const text of ['Q', 'QQ', 'QQ=', 'Q===', '====', '=', 'Q Q=', 'QQ==QQ==', 'QQ-_'])
    assert.equal(fromBase64(text), undefined, text);
  const long = 'QUJD'.repeat(20_000);
  assert.notEqual(fromBase64(long), undefined);
  for (const at of [0, 32_764, 32_767, 32_768, 79_000])
    for (const wrong of ['=', ' ', '\n', '\u00e9'])
      assert.equal(fromBase64(long.slice(0, at) + wrong + long.slice(at + 1)), undefined);
});
