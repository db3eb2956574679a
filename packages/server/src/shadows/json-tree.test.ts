/** JSON of shadows is kept as it was written; texts of each class of JSONTestSuite (RFC 8259), by cases of our own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JsonFault, readTreeAt, sameTree, timesOf, writeMetadata, writeTree } from './json-tree.ts';

const BOUNDS = { depth: 64 };

const again = (text: string): string => writeTree(readTreeAt(text, BOUNDS, 7));

describe('texts that are JSON', () => {
  const SAME = [
    ...['null', 'true', 'false', '0', '-0', '1.0', '1.50', '1e400', '-1E+9', '1e-7', '9223372036854775807', '0.1e1', '""'],
    ...['123456789012345678901234567890.123456789', '[]', '{}', '[[],{}]', '{"b":1,"a":2}', '{"2":1,"1":2}', '{"":0}'],
    ...['{"__proto__":1,"constructor":{"a":2}}', '"\u007f"', '"\u2028€😀"', '{"a":{"timestamp":5}}'],
  ];
  for (const text of SAME) test(text.slice(0, 60), () => assert.equal(again(text), text));

  const OTHERWISE: readonly [given: string, kept: string][] = [
    [' \t\r\n{ "a" : [ 1 , 2 ] } \n', '{"a":[1,2]}'],
    ['"\\u0041\\/\\u00e9"', '"A/é"'],
    ['"\\n\\u001f\\"\\\\"', '"\\n\\u001f\\"\\\\"'],
    ['"\\ud83d\\ude00"', '"😀"'],
    // A lone surrogate has no UTF-8: it stays an escape.
    ['"\\ud800"', '"\\ud800"'],
    ['{"\\u0061":1}', '{"a":1}'],
    // The last value counts, in the place of the first.
    ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
  ];
  for (const [given, kept] of OTHERWISE)
    test(`${JSON.stringify(given)} is kept as ${kept}`, () => assert.equal(again(given), kept));

  test('a long string of escapes', () => {
    const text = `"${'\\u0041'.repeat(100_000)}"`;
    assert.equal(again(text), `"${'A'.repeat(100_000)}"`);
  });
});

describe('texts that are none', () => {
  const BAD = [
    ...['', ' ', '[', ']', '{', '[1', '[1,', '[1,]', '[,1]', '[1 2]', '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', "{'a':1}"],
    ...['{a:1}', '{1:1}', '{"a" 1}', '{"a":1 "b":2}', '{"a":1}}', '[1]x', '1 2', 'nul', 'True', 'NaN', 'Infinity', '-', '+1'],
    ...['01', '-01', '1.', '.5', '1e', '1e+', '0x1', '1_000', '--1', '"', '"a', '"\n"', '"\t"', '"\u0000"', '"\\x"', '"\\u12"'],
    ...['"\\u00zz"', '"\\', '\u00a01', '\ufeff{}', '[1]\u0000', '/* */1', '// a\n1', '"a"b"', '{"a":1,,"b":2}', 'undefined'],
  ];
  for (const text of BAD)
    test(JSON.stringify(text), () =>
      assert.throws(
        () => readTreeAt(text, BOUNDS, 0),
        (error) => error instanceof JsonFault && error.reason === 'not JSON',
      ),
    );

  test('100,000 brackets are too deep, and end nothing', () => {
    for (const open of ['[', '{"a":']) {
      const isTooDeep = (error: unknown): boolean => error instanceof JsonFault && error.reason === 'nested too deep';
      assert.throws(() => readTreeAt(open.repeat(100_000), BOUNDS, 0), isTooDeep);
    }
  });
});

test('a text with more values than are wanted is not read on', () => {
  const bounds = { depth: 64, values: 5 };
  for (const text of ['[1,2,3,4]', '{"a":[1,{}],"b":2}', '[[[[[]]]]]'])
    assert.equal(writeTree(readTreeAt(text, bounds, 0)), text);
  const isTooMuch = (error: unknown): boolean => error instanceof JsonFault && error.reason === 'too many values';
  for (const text of ['[1,2,3,4,5]', '{"a":[1,{}],"b":2,"b":2}', '[[[[[[]]]]]]', '[1,2,3,4,no'])
    assert.throws(() => readTreeAt(text, bounds, 0), isTooMuch);
});

test('metadata has a time in the place of each value, of each element of an array too (facts 5.2)', () => {
  const tree = readTreeAt('{"a":1,"b":[1,{"c":null}],"d":{},"e":[]}', BOUNDS, 1700000000);
  const time = '{"timestamp":1700000000}';
  assert.equal(writeMetadata(tree), `{"a":${time},"b":[${time},{"c":${time}}],"d":{},"e":[]}`);
  assert.deepEqual([...timesOf(tree)], [1700000000, 1700000000, 1700000000]);
});

describe('equality', () => {
  const same = (one: string, other: string): boolean => sameTree(readTreeAt(one, BOUNDS, 1), readTreeAt(other, BOUNDS, 2));
  for (const [one, other] of [
    ['1', '1.0'],
    ['100', '1e2'],
    ['0', '-0.0'],
    ['0.10', '1E-1'],
    ['{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['"A"', '"\\u0041"'],
  ] as const)
    test(`${one} is ${other}`, () => assert.ok(same(one, other) && same(other, one)));
  for (const [one, other] of [
    ['9007199254740993', '9007199254740992'],
    ['1', '-1'],
    ['1', '"1"'],
    ['0', 'false'],
    ['null', '0'],
    ['1e400', '1e401'],
    ['[1,2]', '[2,1]'],
    ['[1]', '[1,1]'],
    ['{}', '[]'],
    ['{"a":1}', '{"a":1,"b":1}'],
    ['{"a":1,"c":1}', '{"a":1,"b":1}'],
  ] as const)
    test(`${one} is not ${other}`, () => assert.ok(!same(one, other) && !same(other, one)));

  test('of numbers with a million zeros within, which take no time that grows with their square', () => {
    const zeros = '0'.repeat(1_000_000);
    assert.ok(!same(`1${zeros}1`, `2${zeros}1`) && same(`1${zeros}1`, `1${zeros}1.0`));
  });
});
