import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalNotes, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { apiRefusal } from './api-refusal.ts';

const request = { requestId: 'r', sourceIp: '192.0.2.1', method: 'GET', path: '/things/secret-name' };
const failure = (notes?: RefusalNotes) =>
  new ThingkeepError('InvalidSignatureException', "got 'AKIAIOSFODNN7EXAMPLE' at 20261130T093306Z", {}, notes);

test('what is not proven is recorded for the account of the key that is named, whole', () => {
  const refusal = apiRefusal({ ...request, error: failure(new RefusalNotes({ accountId: '123456789012' })) });
  assert.deepEqual([refusal.accountId, refusal.isUnproven, refusal.resource], ['123456789012', true, '/things/secret-name']);
  assert.match(refusal.reason, /AKIAIOSFODNN7EXAMPLE/);
});

test('for a key that is not here, what every account sees names neither the rest of the path nor the key', () => {
  const refusal = apiRefusal({ ...request, error: failure() });
  assert.deepEqual([refusal.accountId, refusal.isUnproven, refusal.resource], [undefined, undefined, '/things/…']);
  assert.match(refusal.reason, /got 'AKIAIOSF…' at 20261130T093306Z$/);
});
