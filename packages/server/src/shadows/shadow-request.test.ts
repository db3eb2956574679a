/** Requests that are rejected, with the code and text of facts 5.5. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ShadowRejection } from './rejections.ts';
import { clientTokenIn, readUpdate } from './shadow-request.ts';

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const REJECTED: readonly [payload: string | Buffer, code: number, message: string][] = [
  ['', 400, 'Invalid JSON'],
  ['{', 400, 'Invalid JSON'],
  ['[]', 400, 'Invalid JSON'],
  ['"state"', 400, 'Invalid JSON'],
  ['{}', 400, 'Missing required node: state'],
  ['{"version":1,"clientToken":"device"}', 400, 'Missing required node: state'],
  ['{"state":"on"}', 400, 'State node must be an object'],
  ['{"state":[]}', 400, 'State node must be an object'],
  ['{"state":{"desired":1}}', 400, 'Desired node must be an object'],
  ['{"state":{"reported":["a"]}}', 400, 'Reported node must be an object'],
  ['{"state":{"foo":{}}}', 400, "State contains an invalid node: 'foo'"],
  ['{"state":{"delta":{}}}', 400, "State contains an invalid node: 'delta'"],
  ['{"state":{},"version":"1"}', 400, 'Invalid version'],
  ['{"state":{},"version":1.5}', 400, 'Invalid version'],
  ['{"state":{},"version":-1}', 400, 'Invalid version'],
  ['{"state":{},"clientToken":5}', 400, 'Invalid clientToken'],
  [`{"state":{},"clientToken":"${'x'.repeat(65)}"}`, 400, 'Invalid clientToken'],
  [`{"state":{},"clientToken":"${'é'.repeat(33)}"}`, 400, 'Invalid clientToken'],
  [`{"state":{"desired":${nested(7)}}}`, 400, 'JSON contains too many levels of nesting; maximum is 6'],
  [`{"state":{"reported":{"a":{"b":{"c":[[[[1]]]]}}}}}`, 400, 'JSON contains too many levels of nesting; maximum is 6'],
  [`{"state":${nested(5_000)}}`, 400, 'JSON contains too many levels of nesting; maximum is 6'],
  ['{"state":{"desired":{"a":[1,null]}}}', 400, 'State contains an invalid node: arrays may not contain null'],
  [`{"state":{"desired":{"a":"${'x'.repeat(9_000)}"}}}`, 413, 'The payload exceeds the maximum size allowed'],
  [`{"state":{"desired":{"a":[${Array(20_000).fill('[]').join()}]}}}`, 413, 'The payload exceeds the maximum size allowed'],
  [`{"state":{},"foo":[${Array(20_000).fill('1').join()}]}`, 413, 'The payload exceeds the maximum size allowed'],
  [Buffer.from([0x7b, 0xff, 0x7d]), 415, 'Unsupported documented encoding; supported encoding is UTF-8'],
];

describe('an update is rejected', () => {
  for (const [payload, code, message] of REJECTED)
    test(`${code} ${message}: ${payload.toString().slice(0, 60)}`, () => {
      const isRight = (error: unknown): boolean =>
        error instanceof ShadowRejection && error.code === code && error.message === message;
      assert.throws(() => readUpdate(Buffer.from(payload), 0), isRight);
    });
});

test('six levels are taken, and an empty object below them (COMPATIBILITY.md)', () => {
  for (const desired of [nested(6), '{"a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}'])
    assert.ok(readUpdate(Buffer.from(`{"state":{"desired":${desired}}}`), 0).patch?.desired);
});

test('what is beside the state is ignored (page diagnosing-shadows)', () => {
  const { patch, version } = readUpdate(Buffer.from(`{"metadata":${nested(9)},"state":{},"timestamp":1,"version":3}`), 0);
  assert.deepEqual([patch, version], [{ desired: undefined, reported: undefined }, 3n]);
});

test('the largest document is taken with its metadata beside it, as a get has given it', () => {
  const many = (value: string): string => `[${Array(4_000).fill(value).join()}]`;
  const state = `{"reported":{"a":${many('1')}}}`;
  const metadata = `{"reported":{"a":${many('{"timestamp":1700000000}')}}}`;
  assert.ok(readUpdate(Buffer.from(`{"state":${state},"metadata":${metadata}}`), 0).patch?.reported);
});

test('the zero at the end of a C string is no part of the text; one elsewhere is no JSON', () => {
  assert.equal(readUpdate(Buffer.from('{"state":{},"clientToken":"c"}\0'), 0).clientToken, '"c"');
  for (const payload of ['{"state":{}\0}', '\0{"state":{}}', '{"state":{}}\0 ', '\0'])
    assert.throws(() => readUpdate(Buffer.from(payload), 0), { message: 'Invalid JSON' });
});

test('the client token of a request is found whatever else it is, or it has none', () => {
  const token = (payload: string): string | undefined => clientTokenIn(Buffer.from(payload));
  assert.equal(token('{"clientToken":"a\\u0062"}'), '"ab"');
  for (const payload of ['', '{', '[]', '{"clientToken":1}', 'clientToken']) assert.equal(token(payload), undefined);
});
