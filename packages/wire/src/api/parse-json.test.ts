import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkJson, JsonError, MAX_JSON_DEPTH, parseExactJson, parseJson } from './parse-json.ts';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('what JSON.stringify writes is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20, noUnicodeString: false }), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
      assert.deepEqual(plain(parseJson(JSON.stringify(value, null, indent))), plain(value));
    }),
  );
});

test('what is no JSON for JSON.parse is none here, and the other way round', () => {
  const alphabet = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '.',
    'e',
    '0',
    'true',
    'null',
    '\\',
    '\\u0041',
    ' ',
    '\n',
    '\u0001',
    '\u007f',
  );
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      let expected: unknown;
      try {
        expected = plain(JSON.parse(text));
      } catch {
        assert.throws(() => parseJson(text), JsonError, text);
        return;
      }
      try {
        assert.deepEqual(plain(parseJson(text)), expected);
      } catch (error) {
        assert.ok(error instanceof JsonError && /twice|surrogate|range/.test(error.message), `${text}: ${error}`);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('what a strict reader refuses beyond the grammar', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '1e999',
    '-1e999',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '{"\\ud800":1}',
    '\ufeff{}',
    '',
    ' ',
    '{} {}',
  ])
    assert.throws(() => parseJson(text), JsonError, text);
  assert.throws(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)), JsonError);
  assert.throws(() => parseJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)), JsonError, 'a surrogate in UTF-8');
});

test('keys that JavaScript treats specially are plain keys', () => {
  const value = parseJson('{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
  assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor', 'toString']);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('nesting is bounded', () => {
  assert.doesNotThrow(() => parseJson(nested(MAX_JSON_DEPTH)));
  assert.throws(() => parseJson(nested(MAX_JSON_DEPTH + 1)), /Nested deeper/);
  assert.throws(() => parseJson('['.repeat(1_000_000)), /Nested deeper/);
  assert.throws(() => parseJson('{"a":'.repeat(200_000)), /Nested deeper/);
});

test('integers of 64 bits keep their digits where they are asked for; no other number is a bigint', () => {
  const text = '[9007199254740991,9007199254740993,-9223372036854775808,1234567890123456789.0,12345678901234567890123]';
  const exact = [9_007_199_254_740_991, 9_007_199_254_740_993n, -(2n ** 63n), 1_234_567_890_123_456_800, 1.2345678901234568e22];
  assert.deepEqual(parseExactJson(text), exact);
  assert.deepEqual(parseJson(text), exact.map(Number));
  assert.throws(() => parseExactJson(`1${'0'.repeat(400)}`), /out of range/);
});

test('a document that stays a text may have numbers of any size, and is otherwise as strict', () => {
  assert.deepEqual(plain(checkJson('{"a":1e400,"b":["1",-0.0]}')), { a: null, b: ['1', null] });
  for (const text of ['', '1e', '01', '{"a":1,"a":2}', '"\\ud800"', nested(MAX_JSON_DEPTH + 1)])
    assert.throws(() => checkJson(text), JsonError, text);
});
