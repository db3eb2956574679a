/** Who may invoke a function by its resource policy (Lambda developer guide, page access-control-resource-based). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matchesWildcard, mayInvoke, statementDocument } from './permission.ts';
import type { FunctionRecord, PermissionStatement } from './store.ts';

const IOT = 'iot.amazonaws.com';
const RULE = 'arn:aws:iot:us-east-1:123456789012:rule/r1';
const AS = { service: IOT, sourceArn: RULE, sourceAccount: '123456789012' };

const recordWith = (qualifier: string, ...given: readonly Partial<PermissionStatement>[]): FunctionRecord => {
  const statements = given.map((each, index) => ({
    sid: `s${index}`,
    action: 'lambda:InvokeFunction',
    principal: IOT,
    ...each,
  }));
  return { permissions: { [qualifier]: { revisionId: 'r', statements } } } as unknown as FunctionRecord;
};
const allowed = (statement: Partial<PermissionStatement>, as: Partial<typeof AS> = AS): boolean =>
  mayInvoke(recordWith('$LATEST', statement), undefined, { service: IOT, ...as });

describe('a service', () => {
  const cases: readonly (readonly [statement: Partial<PermissionStatement>, as: Partial<typeof AS>, expected: boolean])[] = [
    [{}, AS, true],
    [{}, {}, true],
    [{ principal: 's3.amazonaws.com' }, AS, false],
    [{ principal: '*' }, AS, true],
    [{ principal: '123456789012' }, AS, false],
    [{ action: 'lambda:*' }, AS, true],
    [{ action: 'lambda:GetFunction' }, AS, false],
    [{ sourceArn: RULE }, AS, true],
    [{ sourceArn: RULE }, {}, false],
    [{ sourceArn: 'arn:aws:iot:us-east-1:123456789012:rule/*' }, AS, true],
    [{ sourceArn: 'arn:aws:iot:*:123456789012:rule/r?' }, AS, true],
    [{ sourceArn: 'arn:aws:iot:*:210987654321:rule/*' }, AS, false],
    // ArnLike: a star stays within its part.
    [{ sourceArn: 'arn:aws:iot:*:rule/r1' }, AS, false],
    [{ sourceArn: 'arn:*' }, AS, false],
    [{ sourceAccount: '123456789012' }, AS, true],
    [{ sourceAccount: '210987654321' }, AS, false],
    [{ sourceAccount: '123456789012' }, { sourceArn: RULE }, false],
    [{ eventSourceToken: 't' }, AS, false],
    [{ principalOrgId: 'o-0123456789' }, AS, false],
  ];
  for (const [statement, as, expected] of cases)
    test(`${expected ? 'may' : 'may not'} by ${JSON.stringify(statement)} as ${JSON.stringify(as)}`, () =>
      assert.equal(allowed(statement, as), expected));

  test('needs the permission of the qualifier that it asks by', () => {
    const record = recordWith('live', {});
    assert.equal(mayInvoke(record, 'live', AS), true);
    assert.equal(mayInvoke(record, undefined, AS), false);
    assert.equal(mayInvoke(record, '1', AS), false);
    assert.equal(mayInvoke({ permissions: {} } as FunctionRecord, undefined, AS), false);
  });
});

test('a pattern of many stars takes no long time over a text that it does not match', () => {
  assert.equal(matchesWildcard(`${'*a'.repeat(100)}b`, 'a'.repeat(2000)), false);
  assert.equal(matchesWildcard('a*b*c', 'a-b-b-c'), true);
  assert.equal(matchesWildcard('', ''), true);
  assert.equal(matchesWildcard('?', ''), false);
});

test('a statement is shown as Lambda shows it', () => {
  const place = { region: 'us-east-1', accountId: '123456789012' };
  const statement = { sid: 's', action: 'lambda:InvokeFunction', principal: IOT, sourceArn: RULE, sourceAccount: '123456789012' };
  assert.deepEqual(statementDocument(statement, place, 'f', 'live'), {
    Sid: 's',
    Effect: 'Allow',
    Principal: { Service: IOT },
    Action: 'lambda:InvokeFunction',
    Resource: 'arn:aws:lambda:us-east-1:123456789012:function:f:live',
    Condition: { StringEquals: { 'AWS:SourceAccount': '123456789012' }, ArnLike: { 'AWS:SourceArn': RULE } },
  });
  const account = { sid: 's', action: 'lambda:InvokeFunction', principal: '210987654321' };
  assert.deepEqual(statementDocument(account, place, 'f', undefined), {
    Sid: 's',
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::210987654321:root' },
    Action: 'lambda:InvokeFunction',
    Resource: 'arn:aws:lambda:us-east-1:123456789012:function:f',
  });
});
