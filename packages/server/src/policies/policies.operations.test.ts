import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorCode, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Store } from '../store/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { caller, recordTags, tickingClock } from '../testing/operations-fixture.ts';
import { CompiledPolicyCache, effectivePolicies } from './effective.ts';
import { policyAttachmentOperations } from './policy-attachments.operations.ts';
import { authorizationOperations } from './authorization-tests.operations.ts';
import { policyListingOperations } from './policy-listings.operations.ts';
import { policyVersionOperations } from './policy-versions.operations.ts';
import { policyOperations } from './policies.operations.ts';
import type { PolicyTargets, PrincipalFacts, ThingFacts } from './principals.ts';

const HEAD = 'arn:aws:iot:us-east-1:123456789012:';
const CERT = `${HEAD}cert/${'a'.repeat(64)}`;
const OTHER = `${HEAD}cert/${'b'.repeat(64)}`;
const PARENT = `${HEAD}thinggroup/parent`;
const CHILD = `${HEAD}thinggroup/child`;
/** On its way to another account. */
const LEAVING = `${HEAD}cert/${'d'.repeat(64)}`;
const DYNAMIC = `${HEAD}thinggroup/dynamic`;
const COGNITO = 'us-east-1:0a1b2c3d-0000-1111-2222-333344445555';

const text = (Effect: string, Action: string, Resource: string): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource }] });
const CONNECT = text('Allow', 'iot:Connect', `${HEAD}client/\${iot:ClientId}`);

/** A fleet of one thing: `lamp` in the group `child` below `parent`, with CERT attached. */
const LAMP: ThingFacts = { thingName: 'lamp', attributes: {}, groupArns: [CHILD, PARENT] };
const targets: PolicyTargets = {
  exists: async (_tx, _accountId, arn) => [CERT, OTHER, LEAVING, PARENT, CHILD, DYNAMIC].includes(arn),
  isBeingTransferred: async (_tx, _accountId, arn) => arn === LEAVING,
  isDynamicGroup: async (_tx, _accountId, arn) => arn === DYNAMIC,
  inheritsFrom: async (_tx, _accountId, arn) => (arn === CHILD ? [PARENT] : arn === CERT ? [CHILD, PARENT] : []),
};
const facts: PrincipalFacts = {
  certificateDer: async () => undefined,
  thing: async (_tx, _accountId, thingName) => (thingName === 'lamp' ? LAMP : undefined),
  isAttached: async (_tx, _accountId, thingName, principal) => thingName === 'lamp' && principal === CERT,
};

function api(store: Store) {
  const clock = tickingClock(Date.parse('2026-01-01T00:00:00Z'));
  const tags = recordTags();
  const operations = {
    ...policyOperations({ store, clock, tags }),
    ...policyVersionOperations({ store, clock }),
    ...policyAttachmentOperations({ store, clock, targets }),
    ...policyListingOperations({ store, targets }),
    ...authorizationOperations({ store, clock, targets, facts }),
  } as Required<
    ReturnType<typeof policyOperations> &
      ReturnType<typeof policyVersionOperations> &
      ReturnType<typeof policyAttachmentOperations> &
      ReturnType<typeof policyListingOperations> &
      ReturnType<typeof authorizationOperations>
  >;
  return { operations, tagged: tags.tagged };
}

const refused = (call: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<void> =>
  assert.rejects(call, (error) => {
    assert.ok(error instanceof ThingkeepError, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });

const names = (list: readonly { policyName?: string | undefined }[] | undefined) => list?.map((entry) => entry.policyName);

describe('policies and their versions', () => {
  test('a document comes back byte for byte, and a taken name is refused even with the same document', async () => {
    await using store = await openMemoryStore();
    const { operations, tagged } = api(store);
    // The clock is asked once for each run of a write, and a write runs twice here.
    const createdAt = new Date('2026-01-01T00:00:02Z');
    const document = ` {\n\t"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Action":["iot:Connect"],"Resource":["*"],"Sid":"é"}] }\n`;
    const created = await operations.CreatePolicy(
      { policyName: 'P', policyDocument: document, tags: [{ Key: 'k', Value: 'v' }] },
      caller,
    );
    assert.deepEqual(created, { policyName: 'P', policyArn: `${HEAD}policy/P`, policyDocument: document, policyVersionId: '1' });
    assert.deepEqual([...tagged.keys()], [`${HEAD}policy/P`]);
    await refused(
      operations.CreatePolicy({ policyName: 'P', policyDocument: document }, caller),
      'ResourceAlreadyExistsException',
    );
    assert.deepEqual(await operations.GetPolicy({ policyName: 'P' }, caller), {
      policyName: 'P',
      policyArn: `${HEAD}policy/P`,
      policyDocument: document,
      defaultVersionId: '1',
      creationDate: createdAt,
      lastModifiedDate: createdAt,
      generationId: '1',
    });
    await operations.DeletePolicy({ policyName: 'P' }, caller);
    assert.deepEqual([...tagged], []);
    await refused(operations.GetPolicy({ policyName: 'P' }, caller), 'ResourceNotFoundException');
    await refused(operations.DeletePolicy({ policyName: 'P' }, caller), 'ResourceNotFoundException');
  });

  test('a malformed document is refused and nothing is stored', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    await refused(
      operations.CreatePolicy({ policyName: 'P', policyDocument: './policy.json' }, caller),
      'MalformedPolicyException',
      /^Policy document is Malformed/,
    );
    await refused(operations.GetPolicy({ policyName: 'P' }, caller), 'ResourceNotFoundException');
  });

  test('five versions at most, numbers never used again, the default stays until it is set (API reference CreatePolicyVersion)', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    await operations.CreatePolicy({ policyName: 'P', policyDocument: CONNECT }, caller);
    for (let version = 2; version <= 5; version += 1) {
      const made = await operations.CreatePolicyVersion(
        { policyName: 'P', policyDocument: CONNECT, setAsDefault: version === 3 },
        caller,
      );
      assert.equal(made.policyVersionId, String(version));
      assert.equal(made.isDefaultVersion, version === 3);
    }
    await refused(
      operations.CreatePolicyVersion({ policyName: 'P', policyDocument: CONNECT }, caller),
      'VersionsLimitExceededException',
      /already has the maximum number of versions \(5\)/,
    );
    await refused(operations.CreatePolicyVersion({ policyName: 'P', policyDocument: '{' }, caller), 'MalformedPolicyException');
    await refused(
      operations.CreatePolicyVersion({ policyName: 'Q', policyDocument: CONNECT }, caller),
      'ResourceNotFoundException',
    );
    await refused(operations.DeletePolicyVersion({ policyName: 'P', policyVersionId: '3' }, caller), 'DeleteConflictException');
    await refused(operations.DeletePolicyVersion({ policyName: 'P', policyVersionId: '9' }, caller), 'ResourceNotFoundException');
    await refused(
      operations.SetDefaultPolicyVersion({ policyName: 'P', policyVersionId: '9' }, caller),
      'ResourceNotFoundException',
    );
    await operations.DeletePolicyVersion({ policyName: 'P', policyVersionId: '5' }, caller);
    assert.equal(
      (await operations.CreatePolicyVersion({ policyName: 'P', policyDocument: CONNECT }, caller)).policyVersionId,
      '6',
    );
    const { policyVersions } = await operations.ListPolicyVersions({ policyName: 'P' }, caller);
    assert.deepEqual(
      policyVersions?.map((version) => [version.versionId, version.isDefaultVersion]),
      [
        ['6', false],
        ['4', false],
        ['3', true],
        ['2', false],
        ['1', false],
      ],
    );
    const version = await operations.GetPolicyVersion({ policyName: 'P', policyVersionId: '1' }, caller);
    assert.equal(version.policyDocument, CONNECT);
    assert.equal(version.isDefaultVersion, false);
    await refused(operations.DeletePolicy({ policyName: 'P' }, caller), 'DeleteConflictException', /versions/);
  });

  test('listing pages through, newest first unless ascending', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    for (const policyName of ['A', 'B', 'C']) await operations.CreatePolicy({ policyName, policyDocument: CONNECT }, caller);
    const first = await operations.ListPolicies({ pageSize: 2, ascendingOrder: true }, caller);
    assert.deepEqual(names(first.policies), ['A', 'B']);
    const second = await operations.ListPolicies({ pageSize: 2, ascendingOrder: true, marker: first.nextMarker }, caller);
    assert.deepEqual(names(second.policies), ['C']);
    assert.equal(second.nextMarker, undefined);
    assert.deepEqual(names((await operations.ListPolicies({}, caller)).policies), ['C', 'B', 'A']);
    assert.deepEqual(names((await operations.ListPolicies({}, { ...caller, accountId: '999999999999' })).policies), []);
    await refused(operations.ListPolicies({ marker: 'bm9uc2Vuc2U=' }, caller), 'InvalidRequestException');
  });
});

describe('attachments', () => {
  test('attach, list both ways, detach', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    await operations.CreatePolicy({ policyName: 'P', policyDocument: CONNECT }, caller);
    await operations.AttachPolicy({ policyName: 'P', target: CERT }, caller);
    await operations.AttachPolicy({ policyName: 'P', target: CERT }, caller);
    await operations.AttachPrincipalPolicy({ policyName: 'P', principal: COGNITO }, caller);
    await operations.AttachPolicy({ policyName: 'P', target: PARENT }, caller);

    assert.deepEqual((await operations.ListTargetsForPolicy({ policyName: 'P' }, caller)).targets, [CERT, COGNITO, PARENT]);
    assert.deepEqual((await operations.ListPolicyPrincipals({ policyName: 'P', ascendingOrder: true }, caller)).principals, [
      CERT,
      COGNITO,
    ]);
    assert.deepEqual(names((await operations.ListPrincipalPolicies({ principal: CERT }, caller)).policies), ['P']);
    assert.deepEqual(names((await operations.ListAttachedPolicies({ target: CERT }, caller)).policies), ['P']);
    await refused(operations.DeletePolicy({ policyName: 'P' }, caller), 'DeleteConflictException', /attached/);

    const made = await operations.CreatePolicyVersion({ policyName: 'P', policyDocument: CONNECT }, caller);
    await operations.SetDefaultPolicyVersion({ policyName: 'P', policyVersionId: made.policyVersionId }, caller);

    await operations.DetachPolicy({ policyName: 'P', target: CERT }, caller);
    // The model of DetachPolicy declares no ResourceNotFoundException: what is not attached is answered with 200.
    await operations.DetachPolicy({ policyName: 'P', target: CERT }, caller);
    await operations.DetachPolicy({ policyName: 'None', target: CERT }, caller);
    await operations.DetachPrincipalPolicy({ policyName: 'P', principal: COGNITO }, caller);
    await operations.DetachPolicy({ policyName: 'P', target: PARENT }, caller);
    assert.deepEqual((await operations.ListTargetsForPolicy({ policyName: 'P' }, caller)).targets, []);
  });

  test('what can carry no policy is refused', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    await operations.CreatePolicy({ policyName: 'P', policyDocument: CONNECT }, caller);
    const missing = `${HEAD}cert/${'c'.repeat(64)}`;
    await refused(operations.AttachPolicy({ policyName: 'P', target: missing }, caller), 'ResourceNotFoundException');
    await refused(operations.AttachPolicy({ policyName: 'None', target: CERT }, caller), 'ResourceNotFoundException');
    await refused(operations.AttachPrincipalPolicy({ policyName: 'P', principal: missing }, caller), 'ResourceNotFoundException');
    await refused(operations.AttachPrincipalPolicy({ policyName: 'P', principal: PARENT }, caller), 'InvalidRequestException');
    await refused(operations.DetachPrincipalPolicy({ policyName: 'None', principal: CERT }, caller), 'ResourceNotFoundException');
    await refused(operations.ListPrincipalPolicies({ principal: missing }, caller), 'ResourceNotFoundException');
    await refused(operations.ListTargetsForPolicy({ policyName: 'None' }, caller), 'ResourceNotFoundException');
    await refused(operations.ListPolicyPrincipals({ policyName: 'None' }, caller), 'ResourceNotFoundException');
    await refused(operations.ListAttachedPolicies({ target: missing }, caller), 'ResourceNotFoundException');
    for (const target of [
      'x',
      `${HEAD}thing/lamp`,
      CERT.replace('us-east-1', 'eu-west-1'),
      CERT.replace('123456789012', '123456789013'),
      '__proto__',
    ]) {
      await refused(operations.AttachPolicy({ policyName: 'P', target }, caller), 'InvalidRequestException');
      await refused(operations.DetachPolicy({ policyName: 'P', target }, caller), 'InvalidRequestException');
    }
  });

  test('a dynamic thing group can have no policy (developer guide, page dynamic-thing-groups)', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    await operations.CreatePolicy({ policyName: 'P', policyDocument: CONNECT }, caller);
    await refused(operations.AttachPolicy({ policyName: 'P', target: DYNAMIC }, caller), 'InvalidRequestException');
    assert.deepEqual((await operations.ListAttachedPolicies({ target: DYNAMIC }, caller)).policies, []);
  });

  test('a certificate that is being transferred gets none (facts 28)', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    await operations.CreatePolicy({ policyName: 'P', policyDocument: CONNECT }, caller);
    await refused(operations.AttachPolicy({ policyName: 'P', target: LEAVING }, caller), 'InvalidRequestException');
    await refused(operations.AttachPrincipalPolicy({ policyName: 'P', principal: LEAVING }, caller), 'InvalidRequestException');
  });

  test('ten policies on a principal, two on a group (General Reference, quotas)', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    for (let index = 0; index <= 10; index += 1) {
      await operations.CreatePolicy({ policyName: `P${index}`, policyDocument: CONNECT }, caller);
      if (index < 10) await operations.AttachPolicy({ policyName: `P${index}`, target: CERT }, caller);
      if (index < 2) await operations.AttachPolicy({ policyName: `P${index}`, target: CHILD }, caller);
    }
    await refused(operations.AttachPolicy({ policyName: 'P10', target: CERT }, caller), 'LimitExceededException');
    await refused(operations.AttachPrincipalPolicy({ policyName: 'P10', principal: CERT }, caller), 'LimitExceededException');
    await refused(operations.AttachPolicy({ policyName: 'P10', target: CHILD }, caller), 'LimitExceededException');
    await operations.AttachPolicy({ policyName: 'P9', target: CERT }, caller);
    const first = await operations.ListAttachedPolicies({ target: CERT, pageSize: 7 }, caller);
    const second = await operations.ListAttachedPolicies({ target: CERT, pageSize: 7, marker: first.nextMarker }, caller);
    assert.deepEqual(
      [...(names(first.policies) ?? []), ...(names(second.policies) ?? [])],
      Array.from({ length: 10 }, (_, i) => `P${i}`),
    );
    assert.equal(second.nextMarker, undefined);
    await refused(operations.ListAttachedPolicies({ target: CERT, marker: 'AAA' }, caller), 'InvalidRequestException');
    const newest = await operations.ListPrincipalPolicies({ principal: CERT, pageSize: 1 }, caller);
    assert.deepEqual(names(newest.policies), ['P9']);
  });

  test('recursively, a target shows what it inherits', async () => {
    await using store = await openMemoryStore();
    const { operations } = api(store);
    for (const [policyName, target] of [
      ['Own', CERT],
      ['Near', CHILD],
      ['Far', PARENT],
    ] as const) {
      await operations.CreatePolicy({ policyName, policyDocument: CONNECT }, caller);
      await operations.AttachPolicy({ policyName, target }, caller);
    }
    assert.deepEqual(names((await operations.ListAttachedPolicies({ target: CHILD }, caller)).policies), ['Near']);
    assert.deepEqual(names((await operations.ListAttachedPolicies({ target: CHILD, recursive: true }, caller)).policies), [
      'Far',
      'Near',
    ]);
    assert.deepEqual(names((await operations.ListAttachedPolicies({ target: CERT, recursive: true }, caller)).policies), [
      'Far',
      'Near',
      'Own',
    ]);
  });
});

describe('what would be decided', () => {
  const fleet = async (store: Store) => {
    const { operations } = api(store);
    const make = (policyName: string, policyDocument: string) => operations.CreatePolicy({ policyName, policyDocument }, caller);
    await make('Connect', CONNECT);
    await make('Publish', text('Allow', 'iot:Publish', `${HEAD}topic/\${iot:Connection.Thing.ThingName}/*`));
    await make('NoSecrets', text('Deny', 'iot:Publish', `${HEAD}topic/*/secret`));
    await make('Spare', text('Allow', 'iot:Subscribe', '*'));
    await operations.AttachPolicy({ policyName: 'Connect', target: CERT }, caller);
    await operations.AttachPolicy({ policyName: 'Publish', target: CHILD }, caller);
    await operations.AttachPolicy({ policyName: 'NoSecrets', target: PARENT }, caller);
    return operations;
  };

  test('effective policies of a principal, a thing, both, and a group', async () => {
    await using store = await openMemoryStore();
    const operations = await fleet(store);
    const effective = async (input: { principal?: string; thingName?: string }) =>
      names((await operations.GetEffectivePolicies(input, caller)).effectivePolicies);
    assert.deepEqual(await effective({ principal: CERT }), ['Connect']);
    assert.deepEqual(await effective({ thingName: 'lamp' }), ['Publish', 'NoSecrets']);
    assert.deepEqual(await effective({ principal: CERT, thingName: 'lamp' }), ['Connect', 'Publish', 'NoSecrets']);
    assert.deepEqual(await effective({ principal: OTHER, thingName: 'lamp' }), []);
    assert.deepEqual(await effective({ principal: CHILD }), ['Publish', 'NoSecrets']);
    await refused(effective({}), 'InvalidRequestException');
    await refused(effective({ thingName: 'none' }), 'ResourceNotFoundException');
    const { effectivePolicies: found } = await operations.GetEffectivePolicies({ principal: CERT }, caller);
    assert.deepEqual(found, [{ policyName: 'Connect', policyArn: `${HEAD}policy/Connect`, policyDocument: CONNECT }]);
    const documents = await store.read((tx) => effectivePolicies(tx, caller.accountId, CERT, LAMP.groupArns));
    assert.deepEqual(names(documents), ['Connect', 'Publish', 'NoSecrets']);
  });

  test('TestAuthorization says what is allowed, what is denied, and by which policy', async () => {
    await using store = await openMemoryStore();
    const operations = await fleet(store);
    const summary = (...list: string[]) => list.map((policyName) => ({ policyName, policyArn: `${HEAD}policy/${policyName}` }));
    const { authResults } = await operations.TestAuthorization(
      {
        principal: CERT,
        clientId: 'lamp',
        authInfos: [
          { actionType: 'CONNECT', resources: [`${HEAD}client/lamp`] },
          { actionType: 'PUBLISH', resources: [`${HEAD}topic/lamp/a`, `${HEAD}topic/lamp/secret`] },
          { actionType: 'PUBLISH', resources: [`${HEAD}topic/lamp/a`] },
          { actionType: 'RECEIVE', resources: [`${HEAD}topic/lamp/a`] },
        ],
      },
      caller,
    );
    assert.deepEqual(
      authResults?.map((result) => result.authDecision),
      ['ALLOWED', 'EXPLICIT_DENY', 'ALLOWED', 'IMPLICIT_DENY'],
    );
    assert.deepEqual(authResults?.[1], {
      authInfo: { actionType: 'PUBLISH', resources: [`${HEAD}topic/lamp/a`, `${HEAD}topic/lamp/secret`] },
      allowed: { policies: summary('Publish') },
      denied: { implicitDeny: { policies: summary('Connect') }, explicitDeny: { policies: summary('NoSecrets') } },
      authDecision: 'EXPLICIT_DENY',
      missingContextValues: [],
    });
  });

  test('policies to add and to skip, and what the context lacks', async () => {
    await using store = await openMemoryStore();
    const operations = await fleet(store);
    const ask = async (rest: object) => {
      const { authResults } = await operations.TestAuthorization(
        {
          authInfos: [
            { actionType: 'SUBSCRIBE', resources: [`${HEAD}topicfilter/#`] },
            { actionType: 'CONNECT', resources: [`${HEAD}client/x`] },
          ],
          ...rest,
        },
        caller,
      );
      return authResults?.map((result) => result.authDecision);
    };
    assert.deepEqual(await ask({ principal: CERT, clientId: 'x' }), ['IMPLICIT_DENY', 'ALLOWED']);
    assert.deepEqual(await ask({ principal: CERT, clientId: 'x', policyNamesToAdd: ['Spare'] }), ['ALLOWED', 'ALLOWED']);
    assert.deepEqual(await ask({ policyNamesToAdd: ['Spare'] }), ['ALLOWED', 'IMPLICIT_DENY']);
    assert.deepEqual(await ask({ principal: CERT, clientId: 'x', policyNamesToSkip: ['Connect'] }), [
      'IMPLICIT_DENY',
      'IMPLICIT_DENY',
    ]);
    await refused(ask({ policyNamesToAdd: ['None'] }), 'ResourceNotFoundException');
    const { authResults } = await operations.TestAuthorization(
      { principal: CERT, authInfos: [{ actionType: 'CONNECT', resources: [`${HEAD}client/x`] }] },
      caller,
    );
    assert.deepEqual(authResults?.[0]?.missingContextValues, ['iot:ClientId']);
  });
});

test('the compile cache is bounded, and a policy made anew under its name is compiled anew', () => {
  const cache = new CompiledPolicyCache(2);
  const compile = (policyName: string, document: string) => cache.compile([{ policyName, document }]).statements[0];
  const first = compile('A', CONNECT);
  assert.equal(compile('A', CONNECT), first);
  assert.notEqual(compile('A', text('Deny', '*', '*')), first);
  assert.equal(compile('A', CONNECT), first);
  compile('B', CONNECT);
  assert.equal(cache.size, 2);
  assert.equal(compile('A', CONNECT), first);
  compile('C', CONNECT);
  assert.notEqual(compile('B', CONNECT), undefined);
  assert.equal(cache.size, 2);
});
