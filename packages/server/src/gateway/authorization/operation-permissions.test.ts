/** What operations of the data planes are allowed by: a device's policies, or IAM's (fact sheet 38.3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { findOperation } from '@thingkeep/wire/api/table.ts';
import { operationRefusal } from './operation-permissions.ts';

const place = { region: 'us-east-1', accountId: '123456789012' };
const operation = findOperation('iot-jobs-data', 'UpdateJobExecution');
const input = { thingName: 't', jobId: 'j', status: 'FAILED' };

/** The refusal of who may do these actions alone, and the condition keys that were asked with. */
function refusedWith(allowed: readonly string[], isIamIdentity: boolean) {
  assert.ok(operation !== undefined);
  const asked: KeyValues[] = [];
  const permissions = {
    volatile: false,
    decide: (action: string, _resource: string, keys: KeyValues = []) => {
      asked.push(keys);
      return { effect: allowed.includes(action) ? ('ALLOWED' as const) : ('IMPLICIT_DENY' as const) };
    },
  };
  return { refusal: operationRefusal({ place, principal: 'p', permissions, isIamIdentity }, operation, input), asked };
}

test('the old prefix of an action counts in the policies of devices alone: in IAM it names the control plane', () => {
  for (const isIamIdentity of [false, true])
    assert.equal(refusedWith(['iotjobsdata:UpdateJobExecution'], isIamIdentity).refusal, undefined);
  assert.equal(refusedWith(['iot:UpdateJobExecution'], false).refusal, undefined);
  const { check, action } = refusedWith(['iot:UpdateJobExecution'], true).refusal ?? {};
  assert.deepEqual([check, action], ['policy', 'iotjobsdata:UpdateJobExecution']);
});

test('the job is a condition key', () => {
  for (const keys of refusedWith([], false).asked) assert.deepEqual(keys, [['iot:JobId', 'j']]);
});
