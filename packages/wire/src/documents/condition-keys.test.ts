/** Which condition keys a Deny may ask for (IAM user guide, page reference_policies_condition-keys). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILLED, knowsKeyOfDevices, knowsKeyOfIdentities } from './condition-keys.ts';
import { checkConditionKeys, IOT_POLICY, parsePolicyDocument } from './policy.ts';

test('of identities: what requests have, what AWS leaves out too, and what is of other services', () => {
  for (const key of FILLED) assert.ok(knowsKeyOfIdentities(key.endsWith('/') ? `${key}team` : key), key);
  const absent = ['aws:PrincipalOrgID', 'AWS:SOURCEVPCE', 'aws:MultiFactorAuthAge', 'aws:CalledViaFirst', 'iot:ThingGroupArn'];
  for (const key of [...absent, 'iot:Connection.Thing.ThingName', 's3:prefix', 'dynamodb:LeadingKeys', 'kms:ViaService'])
    assert.ok(knowsKeyOfIdentities(key), key);
  for (const key of [
    'aws:New',
    'iot:New',
    'lambda:New',
    'iam:New',
    'sts:New',
    'acm:New',
    'logs:New',
    'aws:RequestTag/',
    'nothing',
  ])
    assert.ok(!knowsKeyOfIdentities(key), key);
});

test('of devices: their own keys, and no more of the request than is known of a device', () => {
  const known = [
    ...['iot:ClientId', 'aws:SourceIp', 'iot:Certificate.Subject.CommonName.0', 'iot:Connection.Thing.Attributes[a b]'],
    ...['aws:SourceVpc', 'aws:userid', 'aws:PrincipalTag/x', 's3:prefix'],
  ];
  for (const key of known) assert.ok(knowsKeyOfDevices(key), key);
  for (const key of ['aws:UserAgent', 'aws:RequestedRegion', 'iot:Connection.Thing.New', 'iot:New', 'credentials-iot:New'])
    assert.ok(!knowsKeyOfDevices(key), key);
});

test('a policy of AWS IoT that denies by another key is refused; one that allows by it is not', () => {
  const document = (Effect: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect, Action: 'iot:*', Resource: '*', Condition: { StringEquals: { 'aws:UserAgent': 'x' } } }],
    });
  const check = (text: string): void => checkConditionKeys(parsePolicyDocument(text), IOT_POLICY);
  assert.throws(() => check(document('Deny')), { code: 'MalformedPolicyException', message: /aws:UserAgent/ });
  check(document('Allow'));
});
