import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formParameters, inputOfForm } from './parse-form.ts';
import { elementsOf } from './render-xml.ts';
import { findQueryOperation, queryOperationsOf, shapeOf } from './table.ts';
import { translate } from './patterns.ts';

const input = (shape: string, form: string): object => inputOfForm('iam', shape, formParameters('', Buffer.from(form)));

test('members, lists, booleans and numbers of a form (Smithy, AWS query protocol)', () => {
  assert.deepEqual(
    input(
      'CreateUserRequest',
      'Action=CreateUser&UserName=a%2Bb&Tags.member.2.Key=z&Tags.member.1.Key=k&Tags.member.1.Value=v+w&Other=1',
    ),
    {
      UserName: 'a+b',
      Tags: [{ Key: 'k', Value: 'v w' }, { Key: 'z' }],
    },
  );
  assert.deepEqual(input('ListUsersRequest', 'MaxItems=7'), { MaxItems: 7 });
  assert.deepEqual(input('CreatePolicyVersionRequest', 'SetAsDefault=true'), { SetAsDefault: true });
  assert.deepEqual(
    input(
      'SimulatePrincipalPolicyRequest',
      'ContextEntries.member.1.ContextKeyValues.member.10=b&ContextEntries.member.1.ContextKeyValues.member.9=a',
    ),
    {
      ContextEntries: [{ ContextKeyValues: ['a', 'b'] }],
    },
  );
});

test('what can not be read is refused, whatever it is', () => {
  for (const form of [
    'MaxItems=x',
    'MaxItems=1.5',
    'MaxItems=99999999999',
    'Marker=a&Marker=b',
    'Marker=%zz',
    `${'a.'.repeat(40)}b=1`,
  ])
    assert.throws(() => input('ListUsersRequest', form), { name: 'FormError' }, form);
  for (const form of ['Tags.member.x.Key=a', 'Tags.member.0.Key=a', 'Tags.member.-1.Key=a'])
    assert.throws(() => input('CreateUserRequest', form), { name: 'FormError' }, form);
  const many = Array.from({ length: 3000 }, (_, index) => `a${index}=1`).join('&');
  assert.throws(() => formParameters('', Buffer.from(many)), { name: 'FormError' });
});

test('names that JavaScript knows are names like any other', () => {
  assert.deepEqual(input('ListUsersRequest', '__proto__=1&constructor.prototype.x=1&MaxItems=1'), { MaxItems: 1 });
});

test('an output as elements: lists, maps, times in whole seconds, nothing that the model lacks', () => {
  const user = { UserName: 'u', CreateDate: new Date(1_700_000_000_999), Secret: 'x', Tags: [{ Key: 'k', Value: '' }] };
  assert.deepEqual(elementsOf('iam', { User: user }, 'CreateUserResponse'), [
    [
      'User',
      [
        ['UserName', 'u'],
        ['CreateDate', '2023-11-14T22:13:20Z'],
        [
          'Tags',
          [
            [
              'member',
              [
                ['Key', 'k'],
                ['Value', ''],
              ],
            ],
          ],
        ],
      ],
    ],
  ]);
  assert.deepEqual(elementsOf('iam', { SummaryMap: { Users: 2 } }, 'GetAccountSummaryResponse'), [
    [
      'SummaryMap',
      [
        [
          'entry',
          [
            ['key', 'Users'],
            ['value', '2'],
          ],
        ],
      ],
    ],
  ]);
});

test('the tables of IAM and STS are whole: every shape is there, every pattern compiles', () => {
  assert.equal(queryOperationsOf('iam').length, 83);
  assert.equal(queryOperationsOf('sts').length, 4);
  for (const service of ['iam', 'sts'] as const) {
    const seen = new Set<string>();
    const walk = (name: string | undefined): void => {
      if (name === undefined || seen.has(name)) return;
      seen.add(name);
      const { members = {}, member, key, value, pattern } = shapeOf(service, name);
      if (pattern !== undefined) assert.doesNotThrow(() => new RegExp(translate(pattern), 'u'), pattern);
      for (const each of [...Object.values(members).map(({ shape }) => shape), member, key, value]) walk(each);
    };
    for (const name of queryOperationsOf(service)) {
      const operation = findQueryOperation(service, name);
      walk(operation?.input);
      walk(operation?.output);
    }
  }
  assert.equal(findQueryOperation('iam', 'toString'), undefined);
});
