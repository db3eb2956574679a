/**
 * The compiled permissions beside a plain evaluator that is slow and easy to read: both answer the same, whatever the policies.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Documents } from './documents.ts';
import { type Layer, permissionsUnder } from './permissions.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const clock = { now: () => NOW, monotonic: () => NOW };

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const documents = new Documents();
const layer = (type: Layer['type'], statements: readonly Statement[], name = 'p'): Layer => ({
  type,
  policies: documents.identity.compile([
    { policyName: name, document: JSON.stringify({ Version: '2012-10-17', Statement: statements }) },
  ]),
});

/** By the definition: `*` any run, `?` one character, tried at every place. */
function like(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') return like(pattern.slice(1), text) || (text !== '' && like(pattern, text.slice(1)));
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && like(pattern.slice(1), text.slice(1));
}

function arnLike(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const split = (text: string): string[] => {
    const parts = text.split(':');
    // An ARN that stops early goes on with `*`.
    while (parts.length < 6) parts.push('*');
    return [...parts.slice(0, 5), parts.slice(5).join(':')];
  };
  const [left, right] = [split(pattern), split(arn)];
  return arn.startsWith('arn:') && left.every((part, index) => like(part, right[index] ?? ''));
}

const KEYS: Readonly<Record<string, string>> = {
  'aws:username': 'ann',
  'aws:SourceIp': '10.1.2.3',
  'aws:RequestedRegion': 'us-east-1',
};

const substituted = (text: string): string => text.replace(/\$\{(.*?)\}/g, (_, name: string) => KEYS[name] ?? assert.fail(name));

function conditionHolds({ Condition = {} }: Statement): boolean {
  return Object.entries(Condition).every(([operator, block]) =>
    Object.entries(block).every(([key, wanted]) => {
      const value = KEYS[key];
      if (value === undefined) return operator === 'StringNotEquals';
      if (operator === 'StringEquals') return value === substituted(wanted);
      return operator === 'StringNotEquals' ? value !== substituted(wanted) : like(substituted(wanted), value);
    }),
  );
}

function speaksOf(statement: Statement, action: string, resource: string): boolean {
  const { Action, NotAction = [], Resource, NotResource = [] } = statement;
  const matches = (pattern: string): boolean => like(pattern.toLowerCase(), action.toLowerCase());
  const covers = (pattern: string): boolean => arnLike(substituted(pattern), resource);
  const acts = Action === undefined ? !NotAction.some(matches) : Action.some(matches);
  const on = Resource === undefined ? !NotResource.some(covers) : Resource.some(covers);
  return acts && on && conditionHolds(statement);
}

function decideOf(statements: readonly Statement[], action: string, resource: string): string {
  const speaking = statements.filter((statement) => speaksOf(statement, action, resource));
  if (speaking.some(({ Effect }) => Effect === 'Deny')) return 'EXPLICIT_DENY';
  return speaking.length > 0 ? 'ALLOWED' : 'IMPLICIT_DENY';
}

/** A Deny anywhere, else what the first layer that does not allow says. */
function decideAll(layers: readonly (readonly Statement[])[], action: string, resource: string): string {
  const decisions = layers.map((statements) => decideOf(statements, action, resource));
  if (decisions.includes('EXPLICIT_DENY')) return 'EXPLICIT_DENY';
  return decisions.includes('IMPLICIT_DENY') ? 'IMPLICIT_DENY' : 'ALLOWED';
}

const action = fc.constantFrom('iot:CreateThing', 'iot:DeleteThing', 'iot:Publish', 'lambda:Invoke', 'iam:PassRole');
const actionPattern = fc.oneof(action, fc.constantFrom('*', 'iot:*', 'IOT:create*', 'iot:?reateThing', '*:*Thing', 'lambda:*'));
const arns = ['thing/a', 'thing/ann', 'thing/ab:c', 'topic/a/b', 'rule/x'].map(
  (rest) => `arn:aws:iot:us-east-1:000000000000:${rest}`,
);
const resource = fc.constantFrom(...arns, 'arn:aws:iam::000000000000:role/r', '*');
const resourcePattern = fc.oneof(
  fc.constantFrom(...arns),
  fc.constantFrom(
    '*',
    'arn:aws:iot:*',
    'arn:aws:iot:*:*:thing/*',
    'arn:aws:iot:us-*:000000000000:*/a*',
    'arn:aws:*:*:*:role/?',
    'arn:aws:iot:*:*:thing/${aws:username}',
    'arn:aws:iot:${aws:RequestedRegion}:*:topic/*',
  ),
);
const condition = fc.option(
  fc.dictionary(
    fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike'),
    fc.dictionary(
      fc.constantFrom('aws:username', 'aws:SourceIp', 'aws:RequestedRegion', 'aws:RequestTag/x'),
      fc.constantFrom('ann', 'bob', '10.1.2.3', '10.*', 'us-east-1'),
      { minKeys: 1, maxKeys: 2, noNullPrototype: true },
    ),
    { minKeys: 1, maxKeys: 2, noNullPrototype: true },
  ),
  { nil: undefined },
);
const some = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: 1, maxLength: 3 });
const statement: fc.Arbitrary<Statement> = fc
  .tuple(
    fc.constantFrom('Allow', 'Allow', 'Deny'),
    fc.boolean(),
    some(actionPattern),
    fc.boolean(),
    some(resourcePattern),
    condition,
  )
  .map(([effect, notAction, actions, notResource, resources, Condition]) => ({
    Effect: effect as Statement['Effect'],
    [notAction ? 'NotAction' : 'Action']: actions,
    [notResource ? 'NotResource' : 'Resource']: resources,
    Condition,
  }));
const policy = fc.array(statement, { minLength: 1, maxLength: 4 });

test('compiled permissions answer as the plain evaluator does, under one layer and under three', () => {
  const types: readonly Layer['type'][] = ['identity-based policy', 'permissions boundary', 'session policy'];
  const values: KeyValues = Object.entries(KEYS);
  fc.assert(
    fc.property(fc.array(policy, { minLength: 1, maxLength: 3 }), some(fc.tuple(action, resource)), (layers, questions) => {
      const permissions = permissionsUnder(
        layers.map((each, index) => layer(types[index] ?? 'session policy', each)),
        values,
        clock,
      );
      for (const [what, on] of questions)
        assert.equal(permissions.decide(what, on).effect, decideAll(layers, what, on), `${what} ${on}`);
    }),
    { numRuns: 3_000, seed: 20_260_102 },
  );
});

test('who denied is told: the kind of policy, its name, its statement (IAM user guide, troubleshoot_access-denied)', () => {
  const allow = layer('identity-based policy', [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }], 'all');
  const boundary = layer('permissions boundary', [{ Effect: 'Allow', Action: ['iot:*'], Resource: ['*'] }], 'bound');
  const session = layer('session policy', [{ Effect: 'Deny', Action: ['iot:DeleteThing'], Resource: ['*'] }], 'session');
  const under = (...layers: Layer[]) => permissionsUnder(layers, [], clock);
  assert.deepEqual(under(allow).decide('iot:X', '*'), { effect: 'ALLOWED', policyName: 'all', statement: '#1' });
  const { explain: unbounded, ...bounded } = under(allow, boundary).decide('iam:X', '*');
  assert.equal(unbounded?.(), 'of the permissions boundary: no statement of policy bound has the Action iam:X (there is iot:*)');
  assert.deepEqual(bounded, {
    effect: 'IMPLICIT_DENY',
    policyType: 'permissions boundary',
    limited: true,
  });
  const { explain, ...denied } = under(allow, session).decide('iot:DeleteThing', '*');
  assert.equal(explain?.(), 'of the session policy: statement #1 of policy session has Effect Deny and Resource *');
  assert.deepEqual(denied, {
    effect: 'EXPLICIT_DENY',
    policyName: 'session',
    statement: '#1',
    policyType: 'session policy',
  });
  assert.equal(under(boundary, allow).decide('iam:X', '*').policyType, 'permissions boundary');
});

test('keys of one question stand for that question alone; the clock is asked each time', () => {
  const passing = layer('identity-based policy', [
    {
      Effect: 'Allow',
      Action: ['iam:PassRole'],
      Resource: ['*'],
      Condition: { StringEquals: { 'iam:PassedToService': 'iot.amazonaws.com' } },
    },
    {
      Effect: 'Allow',
      Action: ['iot:X'],
      Resource: ['*'],
      Condition: { DateLessThan: { 'aws:CurrentTime': '2026-01-03T00:00:00Z' } },
    },
  ]);
  let now = NOW;
  const permissions = permissionsUnder([passing], [], { now: () => now, monotonic: () => now });
  assert.equal(permissions.volatile, true);
  const ask = (service: string) => permissions.decide('iam:PassRole', '*', [['iam:PassedToService', service]]).effect;
  assert.deepEqual([ask('iot.amazonaws.com'), ask('lambda.amazonaws.com')], ['ALLOWED', 'IMPLICIT_DENY']);
  assert.equal(permissions.decide('iam:PassRole', '*').effect, 'IMPLICIT_DENY');
  assert.equal(permissions.decide('iot:X', '*').effect, 'ALLOWED');
  now += 86_400_000;
  assert.equal(permissions.decide('iot:X', '*').effect, 'IMPLICIT_DENY');
});

test('a document that can not be read denies everything', () => {
  const broken: Layer = {
    type: 'identity-based policy',
    policies: documents.identity.compile([{ policyName: 'x', document: '' }]),
  };
  const all = layer('identity-based policy', [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }]);
  assert.equal(permissionsUnder([all, broken], [], clock).decide('iot:X', '*').effect, 'EXPLICIT_DENY');
});
