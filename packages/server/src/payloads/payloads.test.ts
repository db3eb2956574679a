/** Payloads in JSON and CBOR (fact sheet 25; RFC 8949): what devices send, and what only strangers do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from 'cbor2';
import fc from 'fast-check';
import { PayloadFault, readMembers, writePayload } from './payloads.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');
const rejects = (payload: Buffer, format: 'json' | 'cbor', words = /./): void =>
  assert.throws(
    () => readMembers(payload, format),
    (error: Error) => {
      assert.ok(error instanceof PayloadFault, String(error));
      assert.match(error.message, words);
      return true;
    },
  );

test('an empty payload and an empty map are the same request', () => {
  for (const format of ['json', 'cbor'] as const) assert.deepEqual(readMembers(Buffer.alloc(0), format), {});
  assert.deepEqual({ ...readMembers(Buffer.from('{}'), 'json') }, {});
  assert.deepEqual(readMembers(hex('a0'), 'cbor'), {});
});

test('CBOR: definite and indefinite maps and texts, as encoders of devices write them', () => {
  const wanted = { a: 'bc', p: { n: 'v' } };
  assert.deepEqual(readMembers(Buffer.from(encode(wanted)), 'cbor'), wanted);
  assert.deepEqual(readMembers(hex('a2 6161 626263 6170 a1 616e 6176'), 'cbor'), wanted);
  assert.deepEqual(readMembers(hex('bf 6161 7f 6162 6163 ff 6170 bf 616e 6176 ff ff'), 'cbor'), wanted);
  assert.deepEqual(readMembers(hex('b90002 6161 626263 6170 b90001 616e 6176'), 'cbor'), wanted);
});

test('CBOR: the tag of self-described CBOR is taken, and no other: a huge number is not even made', () => {
  assert.deepEqual(readMembers(hex('d9d9f7 a1 6161 6162'), 'cbor'), { a: 'b' });
  rejects(hex('d9d9f7 80'), 'cbor');
  const huge = Buffer.concat([hex('a1 6161 c2 5a 00020000'), Buffer.alloc(0x20000, 0xff)]);
  const { a } = readMembers(huge, 'cbor');
  assert.notEqual(typeof a, 'bigint');
});

test('whatever bytes come, they are a map or rejected', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('json' as const, 'cbor' as const), (bytes, format) => {
      try {
        readMembers(Buffer.from(bytes), format);
      } catch (error) {
        assert.ok(error instanceof PayloadFault, String(error));
      }
    }),
  );
});

test('CBOR that is none, is too deep, has a key twice or a number for a key, is rejected', () => {
  const deep = (levels: number) => Buffer.concat([hex('a1 6161'.repeat(levels)), hex('a0')]);
  const bad = [
    '00', // a number
    '80', // a list
    'f6', // null
    'a1 01 6161', // a number for a key
    'a2 6161 00 6161 01', // a key twice
    'a1 6161', // cut off
    'a0 00', // more behind it
    'a1 62c328 00', // no UTF-8
    'bb ffffffffffffffff', // a length that nobody has
    '5b 7fffffffffffffff 00',
    'c1 1a 514b67b0', // a date
    'ff',
  ];
  for (const each of bad) rejects(hex(each), 'cbor');
  rejects(deep(20), 'cbor');
  rejects(deep(50_000), 'cbor');
  assert.deepEqual(Object.keys(readMembers(hex('a1 695f5f70726f746f5f5f a1 6161 00'), 'cbor')), ['__proto__']);
});

test('CBOR of many small items is rejected before any of them is read; many long texts are not', () => {
  const filled = (begin: string, item: string): Buffer => Buffer.concat([hex(begin), hex(item.repeat(20_000)), hex('ff')]);
  for (const [begin, item] of [
    ['bf 6161 9f', 'f6'],
    ['bf 6161 9f', '1a00000000'],
    ['bf', '60 f6'],
    ['bf 6161 7f', '6162'],
    ['bf 6161 7f', '60'],
    ['bf 6161 9f', 'd9d9f7 00'],
  ] as const)
    rejects(filled(begin, item), 'cbor', /more than 1000 data items/);
  const parameters = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`parameter ${i}`, 'x'.repeat(1_000)]));
  assert.deepEqual(
    readMembers(Buffer.from(encode({ certificateOwnershipToken: 'a', parameters })), 'cbor').parameters,
    parameters,
  );
});

test('the zero at the end of a C string is no part of JSON', () => {
  assert.deepEqual({ ...readMembers(Buffer.from('{"a":1}\0'), 'json') }, { a: 1 });
  assert.throws(() => readMembers(Buffer.from('{"a":1\0}'), 'json'), PayloadFault);
});

test('JSON that is none is rejected; unknown members are for nobody to mind', () => {
  for (const each of ['x', '[]', 'null', '"a"', '{"a":1,"a":2}', '{"a":"\\ud800"}', `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`])
    rejects(Buffer.from(each), 'json');
  rejects(Buffer.from([0xff, 0xfe]), 'json');
  assert.equal(readMembers(Buffer.from('{"more":[1,{}],"a":"b"}'), 'json').a, 'b');
});

test('an answer is in the form of the request, numbers as whole ones', () => {
  const answer = { statusCode: 400, errorCode: 'InvalidRequest', errorMessage: 'ä' };
  assert.deepEqual(JSON.parse(writePayload(answer, 'json').toString()), answer);
  const cbor = writePayload(answer, 'cbor');
  assert.deepEqual(decode(cbor), answer);
  assert.ok(cbor.includes(hex('6a 737461747573436f6465 19 0190')), 'an integer of three bytes');
});
