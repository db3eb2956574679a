import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideForDevice, neededPermissions } from './data-permissions.ts';
import type { Decision } from './authorization.ts';
import { findOperation, operationsOf } from './table.ts';

const place = { region: 'us-east-1', accountId: '123456789012' };
const needed = (name: string, input: object): string[] | undefined => {
  const operation = findOperation('iot-data', name) ?? findOperation('iot', name);
  assert(operation !== undefined);
  return neededPermissions(operation, input, place)?.map(({ action, resource }) => `${action} ${resource.split(':').at(-1)}`);
};

test('operations of the data plane need the actions of page iot-policy-actions (fact 3.1)', () => {
  assert.deepEqual(needed('Publish', { topic: 'a/b' }), ['iot:Publish topic/a/b']);
  assert.deepEqual(needed('Publish', { topic: 'a', retain: true }), ['iot:Publish topic/a', 'iot:RetainPublish topic/a']);
  assert.deepEqual(needed('GetRetainedMessage', { topic: 'a' }), ['iot:GetRetainedMessage topic/a']);
  assert.deepEqual(needed('ListRetainedMessages', {}), ['iot:ListRetainedMessages *']);
  assert.deepEqual(needed('DeleteConnection', { clientId: 'c' }), ['iot:DeleteConnection client/c']);
  assert.deepEqual(needed('GetThingShadow', { thingName: 't' }), ['iot:GetThingShadow thing/t']);
  assert.deepEqual(needed('UpdateThingShadow', { thingName: 't', shadowName: 's' }), ['iot:UpdateThingShadow thing/t/s']);
});

test('no operation of the data plane goes without a right, and no other has one', () => {
  for (const operation of operationsOf('iot-data'))
    assert.ok((neededPermissions(operation, {}, place)?.length ?? 0) > 0, operation.name);
  for (const operation of operationsOf('iot')) assert.equal(neededPermissions(operation, {}, place), undefined, operation.name);
});

test("jobs' operations need their action on the thing (fact 38.3)", () => {
  for (const name of ['DescribeJobExecution', 'GetPendingJobExecutions', 'StartNextPendingJobExecution', 'UpdateJobExecution']) {
    const operation = findOperation('iot-jobs-data', name);
    assert(operation !== undefined);
    const permissions = neededPermissions(operation, { thingName: 't', jobId: 'j' }, place);
    assert.deepEqual(permissions, [{ action: `iotjobsdata:${name}`, resource: 'arn:aws:iot:us-east-1:123456789012:thing/t' }]);
  }
});

test("a device's policies count under the old prefix and the new one: a Deny under any, and an Allow under any", () => {
  const action = 'iotjobsdata:UpdateJobExecution';
  const older = 'iot:UpdateJobExecution';
  const decided = (effects: Readonly<Record<string, Decision['effect']>>, asked = action): string => {
    const decide = (name: string): Decision => ({ effect: effects[name] ?? 'IMPLICIT_DENY' });
    return decideForDevice({ decide }, { action: asked, resource: '*' }, []).effect;
  };
  assert.equal(decided({}), 'IMPLICIT_DENY');
  assert.equal(decided({ [action]: 'ALLOWED' }), 'ALLOWED');
  assert.equal(decided({ [older]: 'ALLOWED' }), 'ALLOWED');
  assert.equal(decided({ [action]: 'ALLOWED', [older]: 'EXPLICIT_DENY' }), 'EXPLICIT_DENY');
  assert.equal(decided({ [action]: 'EXPLICIT_DENY', [older]: 'ALLOWED' }), 'EXPLICIT_DENY');
  assert.equal(decided({ 'iot:Publish': 'ALLOWED' }, 'iot:Publish'), 'ALLOWED');
});
