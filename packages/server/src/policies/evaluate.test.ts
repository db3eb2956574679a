import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePolicies } from './compile.ts';
import { timeKeys } from './condition.ts';
import { contextKeys } from './context.ts';
import { bindPermissions } from './evaluate.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { deviceContext } from './variables.ts';

const HEAD = 'arn:aws:iot:us-east-1:123456789012:';
const context = (clientId: string, now = 0) => deviceContext({ protocol: 'mqtt', clientId, now, isAttached: false });
const permissionsOf = (statements: readonly object[], clientId = 'lamp') =>
  bindPermissions(
    compilePolicies([{ policyName: 'P', document: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }]),
    context(clientId),
  );

interface Drawn {
  readonly deny: boolean;
  readonly action: string;
  readonly notAction: boolean;
  readonly resources: readonly string[];
  readonly notResource: boolean;
  readonly condition?: readonly [operator: 'StringEquals' | 'StringNotEquals', value: string];
}

const written = (drawn: Drawn): object => ({
  Effect: drawn.deny ? 'Deny' : 'Allow',
  [drawn.notAction ? 'NotAction' : 'Action']: drawn.action,
  [drawn.notResource ? 'NotResource' : 'Resource']: drawn.resources.map((resource) => HEAD + resource),
  Condition: drawn.condition === undefined ? undefined : { [drawn.condition[0]]: { 'iot:ClientId': drawn.condition[1] } },
});

/** A glob by its definition, over a regular expression of short, drawn patterns. */
const glob = (text: string, pattern: string): boolean =>
  new RegExp(
    `^${[...pattern].map((c) => (c === '*' ? '[^]*' : c === '?' ? '[^]' : c.replace(/[\\^$.|+()[\]{}/]/g, '\\$&'))).join('')}$`,
    'u',
  ).test(text);

/** Decides as the page iot-policies tells it, statement by statement, with nothing compiled or kept. */
function reference(statements: readonly Drawn[], clientId: string, action: string, resource: string): Decision['effect'] {
  const substitutable = clientId !== '' && !/[*$+?#]/.test(clientId);
  const applies = (s: Drawn): boolean => {
    if (glob(action.toLowerCase(), s.action.toLowerCase()) === s.notAction) return false;
    const doubtMatches = s.deny !== s.notResource;
    const matches = s.resources.some((pattern) => {
      const parts = pattern.split(VARIABLE);
      if (parts.length > 1 && !substitutable) return doubtMatches && glob(resource, parts.join('*'));
      return glob(resource, parts.join(clientId));
    });
    if (matches === s.notResource) return false;
    if (s.condition === undefined) return true;
    const equal = clientId !== '' && s.condition[1] === clientId;
    return s.condition[0] === 'StringEquals' ? equal : !equal;
  };
  const effective = statements.filter(applies);
  return effective.some((s) => s.deny) ? 'EXPLICIT_DENY' : effective.length > 0 ? 'ALLOWED' : 'IMPLICIT_DENY';
}

const VARIABLE = `\${iot:ClientId}`;
const pieces = fc.array(fc.constantFrom('a', 'b', '/', '*', '?', '+', '#', VARIABLE), { minLength: 1, maxLength: 6 });
const drawnStatement: fc.Arbitrary<Drawn> = fc.record(
  {
    deny: fc.boolean(),
    action: fc.constantFrom('iot:Publish', 'iot:P*', 'iot:?ublish', '*', 'iot:Subscribe'),
    notAction: fc.boolean(),
    resources: fc.array(
      pieces.map((list) => `topic/${list.join('')}`),
      { minLength: 1, maxLength: 3 },
    ),
    notResource: fc.boolean(),
    condition: fc.tuple(fc.constantFrom('StringEquals' as const, 'StringNotEquals' as const), fc.constantFrom('a', 'b', 'a+')),
  },
  { requiredKeys: ['deny', 'action', 'notAction', 'resources', 'notResource'] },
);
const clientIds = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'a/b'),
  fc
    .array(fc.constantFrom('a', 'b', '/', '*', '?', '+', '#', '$', '{', '}', ':', VARIABLE), { maxLength: 4 })
    .map((list) => list.join('')),
);
const topics = fc.array(fc.constantFrom('a', 'b', '/', '+', '#', 'ab'), { maxLength: 6 }).map((list) => `topic/${list.join('')}`);

/** The decision without its words. */
const decided = ({ explain: _, ...decision }: Decision): Decision => decision;

test('a compiled decision is the one that the reference evaluator makes', () => {
  fc.assert(
    fc.property(
      fc.array(drawnStatement, { minLength: 1, maxLength: 4 }),
      clientIds,
      fc.array(topics, { minLength: 1, maxLength: 4 }),
      (drawn, clientId, asked) => {
        const permissions = permissionsOf(drawn.map(written), clientId);
        for (const topic of asked) {
          for (const action of ['iot:Publish', 'iot:Subscribe', 'iot:publish']) {
            const expected = reference(drawn, clientId, action, topic);
            assert.equal(permissions.decide(action, HEAD + topic).effect, expected);
            assert.equal(permissions.decideUnder(HEAD, action, topic).effect, expected);
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('no client id widens a policy: what is granted is the id itself, to the letter', () => {
  const texts = fc.oneof(clientIds, fc.string({ unit: 'grapheme', maxLength: 12 }));
  fc.assert(
    fc.property(texts, texts, (clientId, asked) => {
      const permissions = permissionsOf([{ Effect: 'Allow', Action: 'iot:*', Resource: `${HEAD}topic/${VARIABLE}/x` }], clientId);
      const { effect } = permissions.decide('iot:Publish', `${HEAD}topic/${asked}/x`);
      if (effect === 'ALLOWED') assert.equal(asked, clientId);
      else if (asked === clientId) assert.match(clientId, /^$|[*$+?#]/);
    }),
    { numRuns: 3000 },
  );
});

test('no client id slips a deny that names it', () => {
  fc.assert(
    fc.property(clientIds, (clientId) => {
      const permissions = permissionsOf(
        [
          { Effect: 'Allow', Action: '*', Resource: '*' },
          { Effect: 'Deny', Action: '*', Resource: `${HEAD}topic/${VARIABLE}/x` },
        ],
        clientId,
      );
      assert.equal(permissions.decide('iot:Publish', `${HEAD}topic/${clientId}/x`).effect, 'EXPLICIT_DENY');
    }),
  );
});

test('a further deny never adds a permission, a further allow never takes one', () => {
  const order = ['EXPLICIT_DENY', 'IMPLICIT_DENY', 'ALLOWED'];
  fc.assert(
    fc.property(
      fc.array(drawnStatement, { minLength: 1, maxLength: 3 }),
      drawnStatement,
      clientIds,
      topics,
      (drawn, more, clientId, topic) => {
        const before = order.indexOf(permissionsOf(drawn.map(written), clientId).decide('iot:Publish', HEAD + topic).effect);
        const after = order.indexOf(
          permissionsOf([...drawn, more].map(written), clientId).decide('iot:Publish', HEAD + topic).effect,
        );
        assert.ok(more.deny ? after <= before : after >= before);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a decision names the policy and the statement that made it', () => {
  const statement = (Sid: string | undefined, Effect: string, Resource: string) => ({
    Sid,
    Effect,
    Action: 'iot:Publish',
    Resource: HEAD + Resource,
  });
  const document = (statements: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const permissions = bindPermissions(
    compilePolicies([
      { policyName: 'A', document: document([statement(undefined, 'Allow', 'topic/x'), statement('Own', 'Allow', 'topic/y')]) },
      { policyName: 'B', document: document([statement('Never', 'Deny', 'topic/y')]) },
    ]),
    context('lamp'),
  );
  assert.deepEqual(permissions.decide('iot:Publish', `${HEAD}topic/x`), { effect: 'ALLOWED', policyName: 'A', statement: '#1' });
  assert.deepEqual(decided(permissions.decide('iot:Publish', `${HEAD}topic/y`)), {
    effect: 'EXPLICIT_DENY',
    policyName: 'B',
    statement: 'Never',
  });
  assert.deepEqual(decided(permissions.decide('iot:Publish', `${HEAD}topic/z`)), { effect: 'IMPLICIT_DENY' });
});

test('no policy and an unreadable policy deny; an unreadable one beside others denies everything, by name', () => {
  const everything = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
  assert.equal(
    bindPermissions(compilePolicies([]), context('lamp')).decide('iot:Connect', `${HEAD}client/lamp`).effect,
    'IMPLICIT_DENY',
  );
  for (const broken of ['', ' ', '{}', 'null', '[]', '{"Version":"2012-10-17","Statement":[]}', everything.slice(0, -1)]) {
    const compiled = compilePolicies([
      { policyName: 'Good', document: everything },
      { policyName: 'Broken', document: broken },
    ]);
    const permissions = bindPermissions(compiled, context('lamp'));
    assert.deepEqual(permissions.unreadable, ['Broken']);
    assert.deepEqual(decided(permissions.decide('iot:Connect', `${HEAD}client/lamp`)), {
      effect: 'EXPLICIT_DENY',
      policyName: 'Broken',
    });
    assert.deepEqual(permissions.decideUnder(HEAD, 'iot:Connect', 'client/lamp'), {
      effect: 'EXPLICIT_DENY',
      policyName: 'Broken',
    });
  }
});

test('permissions that read the clock say so, and take the time of each decision', () => {
  const until = { DateLessThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } };
  const permissions = permissionsOf([{ Effect: 'Allow', Action: 'iot:Publish', Resource: '*', Condition: until }]);
  assert.equal(permissions.timeDependent, true);
  const at = (iso: string) => permissions.decide('iot:Publish', `${HEAD}topic/a`, timeKeys(Date.parse(iso))).effect;
  assert.equal(at('2025-12-31T23:59:59Z'), 'ALLOWED');
  assert.equal(at('2026-01-01T00:00:00Z'), 'IMPLICIT_DENY');
  assert.equal(permissionsOf([{ Effect: 'Allow', Action: '*', Resource: '*' }]).timeDependent, false);
});

test('keys of one decision come before those of the connection', () => {
  const permissions = permissionsOf([
    { Effect: 'Allow', Action: 'iot:Publish', Resource: '*', Condition: { StringEquals: { 'iot:ClientId': 'other' } } },
  ]);
  assert.equal(permissions.decide('iot:Publish', `${HEAD}topic/a`).effect, 'IMPLICIT_DENY');
  assert.equal(permissions.decide('iot:Publish', `${HEAD}topic/a`, contextKeys([['IOT:clientid', 'other']])).effect, 'ALLOWED');
});

test('each Permissions has a generation of its own, and decisions of many heads and actions stay right', () => {
  const first = permissionsOf([{ Effect: 'Allow', Action: 'iot:Publish', Resource: 'arn:aws:iot:*:1*:topic/a' }]);
  assert.notEqual(first.generation, permissionsOf([{ Effect: 'Deny', Action: '*', Resource: '*' }]).generation);
  for (let round = 0; round < 600; round += 1) {
    const account = round % 2 === 0 ? '1' : '2';
    const expected = account === '1' ? 'ALLOWED' : 'IMPLICIT_DENY';
    assert.equal(first.decide('iot:Publish', `arn:aws:iot:eu-west-1:${account}${round}:topic/a`).effect, expected);
    assert.equal(first.decide(`iot:Odd${round}`, `${HEAD}topic/a`).effect, 'IMPLICIT_DENY');
  }
});
