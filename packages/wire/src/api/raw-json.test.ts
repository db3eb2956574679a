import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseToWrite } from './raw-json.ts';

test('what is read to be written again has its numbers as they came', () => {
  const text = '{"a":[1e400,12345678901234567890,1.0,-0,0.1e-2],"b":{"__proto__":1e5},"c":"1"}';
  assert.equal(JSON.stringify(parseToWrite(text)), text);
  assert.equal(JSON.stringify({ of: parseToWrite(' 1.50 ') }), '{"of":1.50}');
  assert.throws(() => parseToWrite('{'), SyntaxError);
});
