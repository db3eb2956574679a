/** What a destination hears of an event (Lambda developer guide, page invocation-async-retain-records). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caller } from '../../testing/operations-fixture.ts';
import { destinationRecord } from './destination.ts';
import type { WaitingEvent } from './queue.ts';

test('payloads are JSON with the numbers that they came with, or a text', () => {
  const event = { requestId: 'r', name: 'f', failures: 0 } as WaitingEvent;
  const ran = { payload: Buffer.from('not JSON'), failed: false, version: '1' };
  const record = destinationRecord(caller, event, Buffer.from('{"a":12345678901234567890}'), {
    condition: 'Success',
    now: 0,
    ran,
  });
  const text = JSON.stringify(record);
  assert.match(text, /"requestPayload":\{"a":12345678901234567890\}/);
  assert.match(text, /"responsePayload":"not JSON"/);
});
