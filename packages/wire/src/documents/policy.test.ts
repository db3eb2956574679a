import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThingkeepError } from '../errors.ts';
import { checkNewPolicy, parsePolicyDocument } from './policy.ts';

const ARN = 'arn:aws:iot:us-east-1:123456789012:topic/a';
const VARIABLE = `\${iot:ClientId}`;
const policy = (statement: unknown, rest: object = { Version: '2012-10-17' }): string =>
  JSON.stringify({ ...rest, Statement: statement });
const plain = { Effect: 'Allow', Action: 'iot:Publish', Resource: ARN };

const refusal = (document: string): string => {
  try {
    parsePolicyDocument(document);
  } catch (error) {
    assert.ok(error instanceof ThingkeepError, String(error));
    assert.equal(error.code, 'MalformedPolicyException');
    assert.match(error.message, /^Policy document is Malformed: /);
    return error.message;
  }
  return assert.fail(`accepted: ${document.slice(0, 200)}`);
};

test('a statement may stand alone or in a list, and so may actions and resources (IAM user guide, policy grammar)', () => {
  const one = parsePolicyDocument(policy(plain));
  assert.deepEqual(one, parsePolicyDocument(policy([{ ...plain, Action: ['iot:Publish'], Resource: [ARN] }])));
  assert.deepEqual(one, {
    version: '2012-10-17',
    statements: [
      { effect: 'Allow', actions: ['iot:Publish'], notActions: false, resources: [ARN], notResources: false, conditions: [] },
    ],
  });
});

test('every element is taken over', () => {
  const parsed = parsePolicyDocument(
    policy(
      {
        Sid: 'S',
        Effect: 'Deny',
        NotAction: 'iot:*',
        NotResource: ['*'],
        Condition: { 'ForAnyValue:StringNotLikeIfExists': { 'iot:ClientId': ['a', 1, true] }, Null: { x: 'true' } },
      },
      { Version: '2008-10-17', Id: 'I' },
    ),
  );
  assert.deepEqual(parsed, {
    version: '2008-10-17',
    id: 'I',
    statements: [
      {
        sid: 'S',
        effect: 'Deny',
        actions: ['iot:*'],
        notActions: true,
        resources: ['*'],
        notResources: true,
        conditions: [
          {
            family: 'StringLike',
            operator: 'ForAnyValue:StringNotLikeIfExists',
            negated: true,
            ifExists: true,
            quantifier: 'ForAnyValue',
            key: 'iot:ClientId',
            values: ['a', '1', 'true'],
          },
          { family: 'Null', operator: 'Null', negated: false, ifExists: false, key: 'x', values: ['true'] },
        ],
      },
    ],
  });
});

test('what is no policy is refused, with what and where', () => {
  const table: readonly (readonly [document: string, says: RegExp])[] = [
    ['', /not valid JSON at line 1, column 1/],
    ['nothing', /not valid JSON/],
    ['./policy.json', /not valid JSON/],
    ['null', /not a JSON object/],
    ['[]', /not a JSON object/],
    ['"x"', /not a JSON object/],
    ['{}', /has no statements/],
    ['{"Version":"2012-10-17"}', /has no statements/],
    [`${policy(plain)} x`, /behind the end/],
    [policy(plain).slice(0, -1), /not closed/],
    ['{"Statement":[1,]}', /not valid JSON/],
    ["{'Statement':[]}", /name in quotes/],
    ['{"a" 1}', /colon/],
    ['{"Statement":"\\x"}', /escape/],
    ['{"Statement":"\\ud800"}', /surrogate/],
    ['{"Statement":"a\nb"}', /string that does not end/],
    ['{\n "Version": "2012-10-17",\n "Version": "2012-10-17" }', /"Version" stands twice in one object at line 3/],
    [`{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}`, /"Effect" stands twice/],
    [`{"Statement":${'['.repeat(100)}${']'.repeat(100)}}`, /nested too deeply/],
    [policy(plain, { Version: '2012-10-18' }), /policy document version/],
    [policy(plain, { Version: 20121017 }), /policy document version/],
    [policy(plain, { Version: null }), /policy document version/],
    [policy(plain, { version: '2012-10-17' }), /unknown element "version"/],
    [policy(plain, { __proto__x: 1 }), /unknown element/],
    [`{"__proto__":{},"Statement":${JSON.stringify(plain)}}`, /unknown element "__proto__"/],
    [policy(plain, { Id: 1 }), /Id is not a string/],
    [policy([]), /has no statements/],
    [policy('x'), /Statement\[0\] is not an object/],
    [policy([plain, null]), /Statement\[1\] is not an object/],
    [policy({ ...plain, Sid: 1 }), /Sid/],
    [policy({ ...plain, Effect: 'allow' }), /Invalid effect: allow/],
    [policy({ ...plain, Effect: undefined }), /Effect/],
    [policy({ ...plain, effect: 'Allow' }), /unknown element "effect"/],
    [policy({ ...plain, Principal: '*' }), /unknown element "Principal"/],
    [policy({ ...plain, NotPrincipal: '*' }), /unknown element "NotPrincipal"/],
    [policy({ ...plain, NotAction: 'iot:Publish' }), /exactly one of Action/],
    [policy({ Effect: 'Allow', Resource: '*' }), /exactly one of Action/],
    [policy({ Effect: 'Allow', Action: '*' }), /exactly one of Resource/],
    [policy({ ...plain, NotResource: '*' }), /exactly one of Resource/],
    [policy({ ...plain, Action: [] }), /Action is empty/],
    [policy({ ...plain, Action: '' }), /Action/],
    [policy({ ...plain, Action: [1] }), /not a string/],
    [policy({ ...plain, Action: { a: 1 } }), /not a string/],
    [policy({ ...plain, Action: 'Publish' }), /actions are invalid : Publish/],
    [policy({ ...plain, Action: 's3:GetObject' }), /actions are invalid/],
    [policy({ ...plain, Action: 'iot:' }), /actions are invalid/],
    [policy({ ...plain, Action: 'iot:a:b' }), /actions are invalid/],
    [policy({ ...plain, Action: `iot:${VARIABLE}` }), /actions are invalid/],
    [policy({ ...plain, Resource: [] }), /Resource is empty/],
    [policy({ ...plain, Resource: 'topic/a' }), /The resource topic\/a is not in valid ARN format/],
    [policy({ ...plain, Resource: '**' }), /not in valid ARN format/],
    [policy({ ...plain, Resource: `["${ARN}"]` }), /not in valid ARN format/],
    [policy({ ...plain, Resource: 'arn:aws:iot:us-east-1:123456789012' }), /not in valid ARN format/],
    [policy({ ...plain, Resource: 'arn:aws:iot:us-east-1:123456789012:' }), /not in valid ARN format/],
    [policy({ ...plain, Resource: 'arn' }), /not in valid ARN format/],
    [policy({ ...plain, Resource: `${ARN}/\${` }), /variable that is empty or does not end/],
    [policy({ ...plain, Resource: `${ARN}/\${}` }), /variable that is empty or does not end/],
    [policy({ ...plain, Condition: [] }), /Condition is not an object/],
    [policy({ ...plain, Condition: { StringEqual: { a: 'b' } } }), /unknown condition operator "StringEqual"/],
    [policy({ ...plain, Condition: { stringequals: { a: 'b' } } }), /unknown condition operator/],
    [policy({ ...plain, Condition: { NullIfExists: { a: 'true' } } }), /unknown condition operator/],
    [policy({ ...plain, Condition: { 'ForSomeValues:StringEquals': { a: 'b' } } }), /unknown condition operator/],
    [policy({ ...plain, Condition: { constructor: { a: 'b' } } }), /unknown condition operator/],
    [policy({ ...plain, Condition: { StringEquals: {} } }), /names no condition key/],
    [policy({ ...plain, Condition: { StringEquals: 'a' } }), /names no condition key/],
    [policy({ ...plain, Condition: { StringEquals: { a: null } } }), /neither a string/],
    [policy({ ...plain, Condition: { StringEquals: { a: [['b']] } } }), /neither a string/],
    [policy({ ...plain, Condition: { StringEquals: { a: `\${b` } } }), /variable/],
    [policy({ ...plain, Condition: { Null: { a: 'maybe' } } }), /"true" or "false"/],
  ];
  for (const [document, says] of table) assert.match(refusal(document), says, document.slice(0, 120));
});

test('accepted, as the guides print them', () => {
  const accepted: readonly string[] = [
    policy(plain, {}),
    policy({
      ...plain,
      Action: ['*', 'IOT:Publish', 'iot:Sub*', 'iot:Des?ribe', 'iotjobsdata:GetPendingJobExecutions', 'greengrass:Discover'],
    }),
    policy({
      ...plain,
      Resource: [
        '*',
        'arn:aws:iot:*',
        'arn:aws:iot:us-east-1:123456789012:*',
        'arn:aws-cn:iot:::x',
        `arn:aws:iot:r:a:client/${VARIABLE}`,
      ],
    }),
    // Developer guide, page connect-policy: an empty list admits only the default features.
    policy({ ...plain, Condition: { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': [] } } }),
    policy({ ...plain, Condition: {} }),
    policy({ ...plain, Sid: '' }),
    ` \r\n\t${policy(plain)}\n`,
  ];
  for (const document of accepted) assert.doesNotThrow(() => parsePolicyDocument(document), document);
});

test('the older version is read, and refused in a new policy; without a version nothing is said (pf-iot-policy-document-version)', () => {
  const older = policy(plain, { Version: '2008-10-17' });
  assert.equal(parsePolicyDocument(older).version, '2008-10-17');
  const message = 'Policy document is Malformed: Unknown policy document version. It must be version 2012-10-17';
  assert.throws(() => checkNewPolicy(older), { code: 'MalformedPolicyException', message });
  assert.throws(() => checkNewPolicy(policy(plain, { Version: '2012-10-18' })), { message });
  checkNewPolicy(policy(plain, {}));
  checkNewPolicy(policy(plain));
});

test('2048 characters without whitespace are the most (API reference CreatePolicyVersion)', () => {
  const base = policy({ ...plain, Sid: '' }).length;
  const sized = (length: number) => policy({ ...plain, Sid: 'x'.repeat(length - base) });
  parsePolicyDocument(sized(2048));
  parsePolicyDocument(sized(2048).replaceAll(',', ',   \n  '));
  assert.match(refusal(sized(2049)), /2049 characters/);
  assert.match(refusal(`${' '.repeat(404_600)}x`), /not valid JSON/);
});

test('keys that JavaScript knows are keys like any other', () => {
  const document = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"__proto__":"a","constructor":"b"}}}}`;
  const [statement] = parsePolicyDocument(document).statements;
  assert.deepEqual(
    statement?.conditions.map((condition) => condition.key),
    ['__proto__', 'constructor'],
  );
});
