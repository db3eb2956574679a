import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isForeignRole, otherRegionIn } from './arn.ts';

const place = { accountId: '111111111111', region: 'us-east-1' };

test('a role of another account is one in any case, with blanks, and behind a path', () => {
  for (const text of [
    'arn:aws:iam::222222222222:role/x',
    'ARN:aws:iam::222222222222:role/x',
    'arn:aws:IAM::222222222222:role/x',
    ' arn:aws:iam::222222222222:role/x',
    'arn:aws: iam ::222222222222:role/x',
    'role/../222222222222:role/x',
    'arn:aws:iam::111111111111:role/../222222222222:role/x',
    'arn:aws:iam:::role/x',
  ])
    assert.ok(isForeignRole(text, place), text);
  for (const text of ['arn:aws:iam::111111111111:role/x', 'arn:aws:IAM::111111111111:role/a/x', 'x', 'role/222222222222'])
    assert.ok(!isForeignRole(text, place), text);
});

test('a resource of another region is one in any case and with blanks', () => {
  for (const text of [
    'arn:aws:lambda:eu-west-1:111111111111:function:f',
    'arn:aws:LAMBDA:eu-west-1:111111111111:function:f',
    ' Arn:aws:lambda:eu-west-1 :111111111111:function:f',
  ])
    assert.equal(otherRegionIn(text, 'lambda', place), 'eu-west-1', text);
  for (const text of ['arn:aws:lambda:us-east-1:111111111111:function:f', 'arn:aws:sns:eu-west-1:111111111111:f', 'https://x/'])
    assert.equal(otherRegionIn(text, 'lambda', place), undefined, text);
});
