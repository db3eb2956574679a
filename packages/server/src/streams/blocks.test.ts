/** Blocks of a file and their messages (fact sheet 42.2; developer guide, page mqtt-based-file-delivery-in-devices). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from 'cbor2';
import fc from 'fast-check';
import { blockMessage, blocksOf } from './blocks.ts';
import { blockRequest, readStreamRequest, tokenOf } from './requests.ts';

const wanted = (more: object) => blockRequest({ f: 0, l: 256, ...more });
const blocks = (more: object, size = 1_000_000): number[] => blocksOf(wanted(more), size);
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test("the guide's bitmap: blocks 20, 21, 24 and 43 from offset 20 are the bytes 13 00 80", () => {
  assert.deepEqual(blocks({ o: 20, n: 32, b: '0x130080' }), [20, 21, 24, 43]);
  assert.deepEqual(blocks({ o: 20, b: '130080' }), [20, 21, 24, 43]);
  assert.deepEqual(blocks({ o: 20, b: new Uint8Array([0x13, 0, 0x80]) }), [20, 21, 24, 43]);
  assert.deepEqual(blocks({ o: 20, n: 2, b: '0x130080' }), [20, 21], 'n is a ceiling');
});

test('without a bitmap blocks follow each other; 128 KiB at most, and none beyond the end', () => {
  assert.deepEqual(blocks({ o: 3, n: 2 }), [3, 4]);
  assert.equal(blocks({ n: 98_304 }).length, 512);
  assert.equal(blocks({}).length, 512);
  assert.equal(blocks({ l: 4098, n: 100 }).length, 31);
  assert.equal(blocks({ l: 131_072, n: 4 }).length, 1);
  assert.equal(blocks({ b: 'ff'.repeat(12_288) }, 25_165_824).length, 512);
  assert.deepEqual(blocks({ o: 3, n: 9 }, 1025), [3, 4]);
  assert.deepEqual(blocks({ o: 4, n: 9 }, 1024), []);
  assert.deepEqual(blocks({ n: 0 }), []);
});

test('bounds have their codes', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ l: 255 }, 'BlockSizeOutOfBounds'],
    [{ l: 131_073 }, 'BlockSizeOutOfBounds'],
    [{ o: -1 }, 'OffsetOutOfBounds'],
    [{ o: 98_305 }, 'OffsetOutOfBounds'],
    [{ n: 98_305 }, 'BlockCountLimitExceeded'],
    [{ b: 'ff'.repeat(12_289) }, 'BlockBitmapLimitExceeded'],
    [{ b: new Uint8Array(12_289) }, 'BlockBitmapLimitExceeded'],
    [{ b: 'xyz' }, 'InvalidRequest'],
    [{ b: '0x123' }, 'InvalidRequest'],
    [{ b: '' }, 'InvalidRequest'],
    [{ b: 7 }, 'InvalidRequest'],
    [{ f: 256 }, 'InvalidRequest'],
    [{ f: 1.5 }, 'InvalidRequest'],
    [{ f: undefined }, 'InvalidRequest'],
    [{ l: undefined }, 'InvalidRequest'],
    [{ l: '256' }, 'InvalidRequest'],
    [{ s: 70_000 }, 'VersionMismatch'],
    [{ l: 131_072, o: 98_304, n: 98_304, b: 'ff'.repeat(12_288), s: 65_535 }, 'none'],
  ];
  for (const [members, code] of cases)
    assert.equal(
      codeOf(() => wanted(members)),
      code,
      JSON.stringify(members).slice(0, 80),
    );
  assert.equal(
    codeOf(() => tokenOf({ c: 'x'.repeat(65) })),
    'InvalidRequest',
  );
  assert.equal(
    codeOf(() => tokenOf({ c: 7 })),
    'InvalidRequest',
  );
  assert.equal(tokenOf({ c: 'x'.repeat(64) })?.length, 64);
  assert.equal(
    codeOf(() => readStreamRequest(Buffer.from('{'), 'json')),
    'InvalidJson',
  );
  assert.equal(
    codeOf(() => readStreamRequest(Buffer.of(0xff), 'cbor')),
    'InvalidCbor',
  );
  assert.equal(
    codeOf(() => readStreamRequest(Buffer.alloc(32 * 1024 + 1), 'json')),
    'InvalidRequest',
  );
});

test('whatever bytes come, they are a request or rejected', () => {
  const any = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.uint8Array({ maxLength: 40 }), fc.constant(null));
  const members = fc.dictionary(fc.constantFrom('c', 's', 'f', 'l', 'o', 'n', 'b'), any);
  fc.assert(
    fc.property(members, fc.constantFrom('json' as const, 'cbor' as const), (given, format) => {
      const payload = Buffer.from(format === 'json' ? JSON.stringify(given) : encode(given));
      try {
        const read = readStreamRequest(payload, format);
        tokenOf(read);
        blocksOf(blockRequest(read), 25_165_824);
      } catch (error) {
        assert.equal((error as Error).name, 'TopicRejection', String(error));
      }
    }),
  );
});

test('a message of a block: base64 in JSON, a byte string in CBOR; the token is there where it was given', () => {
  for (const size of [1, 23, 24, 255, 256, 65_535, 65_536, 131_072])
    for (const token of [undefined, 'tökén', 'x'.repeat(64)]) {
      const bytes = Buffer.alloc(size, 7);
      const block = { token, fileId: 255, index: size, bytes };
      const same = { ...(token !== undefined && { c: token }), f: 255, l: size, i: size };
      const { p, ...more } = decode<Record<string, unknown>>(blockMessage(block, 'cbor'));
      assert.deepEqual(more, same);
      assert.deepEqual(Buffer.from(p as Uint8Array), bytes);
      assert.deepEqual(JSON.parse(blockMessage(block, 'json').toString()), { ...same, p: bytes.toString('base64') });
    }
});
