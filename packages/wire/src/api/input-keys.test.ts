/** Condition keys that come from inputs (Service Authorization Reference). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputKeys } from './input-keys.ts';

test('tags as lists, maps and the header; removed ones by key alone', () => {
  const both = [
    ['aws:TagKeys', ['a', 'b']],
    ['aws:RequestTag/a', '1'],
    ['aws:RequestTag/b', ''],
  ];
  const list = [{ Key: 'a', Value: '1' }, { Key: 'b' }];
  for (const input of [
    { tags: list },
    { Tags: list },
    { Tags: { a: '1', b: '' } },
    { tags: { a: '1', b: '' } },
    { tags: 'a=1&b=' },
  ])
    assert.deepEqual(inputKeys('iot:Any', input), both);
  for (const input of [{ tagKeys: ['a'] }, { TagKeys: ['a'] }, { tags: ['a'] }])
    assert.deepEqual(inputKeys('logs:Any', input), [['aws:TagKeys', ['a']]]);
  for (const input of [{}, { tags: [] }, { tags: null }, { tags: 5 }, { tags: [null, { Value: 'x' }] }])
    assert.deepEqual(inputKeys('iot:Any', input), []);
});

test('tags under two names at once are refused: a condition would see one, the handler might read the other', () => {
  const list = [{ Key: 'team', Value: 'mine' }];
  for (const input of [
    { tags: list, Tags: list },
    { tags: {}, Tags: list },
    { tagKeys: ['a'], TagKeys: ['b'] },
  ])
    assert.throws(() => inputKeys('acm:ImportCertificate', input), { code: 'AccessDeniedException' });
  assert.equal(inputKeys('acm:ImportCertificate', { tags: null, Tags: list }).length, 2);
});

test('tags whose keys differ in upper and lower case alone hide nothing from a condition', () => {
  for (const input of [{ tags: [{ Key: 'a' }, { Key: 'A' }] }, { tags: { a: '', A: '' } }, { tags: 'a=1&A=2' }])
    assert.throws(() => inputKeys('iot:TagResource', input), { code: 'AccessDeniedException' });
});

test('members behind keys of Lambda and AWS IoT, for their own operations', () => {
  const input = {
    Principal: 'x',
    Layers: ['l'],
    VpcConfig: { SubnetIds: ['s'], SecurityGroupIds: 7 },
    includeSocketInformation: true,
  };
  assert.deepEqual(inputKeys('lambda:AddPermission', input), [['lambda:Principal', 'x']]);
  assert.deepEqual(inputKeys('lambda:CreateFunction', input), [
    ['lambda:Layer', ['l']],
    ['lambda:SubnetIds', ['s']],
  ]);
  assert.deepEqual(inputKeys('iot:GetConnection', input), [['iot:IncludeSocketInformation', 'true']]);
  assert.deepEqual(inputKeys('iot:GetConnection', {}), [['iot:IncludeSocketInformation', 'false']]);
  assert.deepEqual(inputKeys('iot:DescribeThing', input), []);
});
