/** Payloads of devices' requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobRejection } from './device-jobs.ts';
import { readRequestBody } from './device-requests.ts';

test('a payload is an object of JSON, nothing, or one with the zero of a C string behind it', () => {
  const read = (payload: string): object => ({ ...readRequestBody(Buffer.from(payload)) });
  for (const empty of ['', '\0', '{}', '{}\0']) assert.deepEqual(read(empty), {}, JSON.stringify(empty));
  assert.deepEqual(read('{"clientToken":"c"}\0'), { clientToken: 'c' });
  for (const payload of ['{', '{}x', '\0{}', '[]', '1'])
    assert.throws(() => read(payload), JobRejection, JSON.stringify(payload));
});
