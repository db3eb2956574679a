/**
 * Decisions as data: statements, who asks, and what each request must come to. `source` names the page that says so.
 * A resource is written from its type on (`topic/a`); a line that begins with `arn:` or is `*` stands as it is.
 */
import type { DeviceFacts } from './variables.ts';

export type Expected = 'ALLOWED' | 'EXPLICIT_DENY' | 'IMPLICIT_DENY';
export type Check = readonly [action: string, resource: string, expected: Expected];

export interface CaseGroup {
  readonly name: string;
  readonly source: string;
  readonly statements: readonly object[];
  readonly version?: string;
  readonly facts?: Partial<DeviceFacts>;
  readonly checks: readonly Check[];
}

export const HEAD = 'arn:aws:iot:us-east-1:123456789012:';
/** A variable, written without a template literal's own dollar sign. */
const v = (name: string): string => `\${${name}}`;

type Rest = Record<string, unknown>;
const statement = (effect: string, action: string | string[], resource: string | string[], rest: Rest = {}): object => ({
  Effect: effect,
  Action: action,
  Resource: 'NotResource' in rest ? undefined : [resource].flat().map((r) => (r === '*' || r.startsWith('arn:') ? r : HEAD + r)),
  ...rest,
});
const allow = (action: string | string[], resource: string | string[], rest?: Rest) => statement('Allow', action, resource, rest);
const deny = (action: string | string[], resource: string | string[], rest?: Rest) => statement('Deny', action, resource, rest);
const when = (operator: string, key: string, values: unknown) => ({ Condition: { [operator]: { [key]: values } } });

const YES = 'ALLOWED';
const NO = 'IMPLICIT_DENY';
const DENIED = 'EXPLICIT_DENY';
const GUIDE = 'AWS IoT developer guide, page ';
const IAM = 'IAM user guide, page ';
const CONNECT = 'iot:Connect';
const PUBLISH = 'iot:Publish';
const SUBSCRIBE = 'iot:Subscribe';

const connectWith = (name: string, statements: readonly object[], by: Readonly<Record<string, Expected>>): readonly CaseGroup[] =>
  Object.entries(by).map(([features, expected]) => ({
    name: `${name}: CONNECT with ${features}`,
    source: `${GUIDE}connect-policy`,
    statements,
    facts: { connectAttributes: features === 'nothing' ? [] : features.split('+') },
    checks: [[CONNECT, 'client/x', expected]],
  }));

const attributes = (operator: string, values: string[]) => when(operator, 'iot:ConnectAttributes', values);

const condition = (
  name: string,
  operator: string,
  key: string,
  values: unknown,
  facts: Partial<DeviceFacts>,
  expected: boolean,
): readonly CaseGroup[] => [
  {
    name: `Allow when ${operator} ${key} ${JSON.stringify(values)}: ${name}`,
    source: `${IAM}reference_policies_elements_condition_operators`,
    statements: [allow(PUBLISH, '*', when(operator, key, values))],
    facts,
    checks: [[PUBLISH, 'topic/a', expected ? YES : NO]],
  },
  {
    name: `Deny when ${operator} ${key} ${JSON.stringify(values)}: ${name}`,
    source: `${IAM}reference_policies_elements_condition_operators`,
    statements: [allow(PUBLISH, '*'), deny(PUBLISH, '*', when(operator, key, values))],
    facts,
    checks: [[PUBLISH, 'topic/a', expected ? DENIED : YES]],
  },
];

const id = (clientId: string): Partial<DeviceFacts> => ({ clientId });
const ip = (sourceIp: string): Partial<DeviceFacts> => ({ sourceIp });
const at = (iso: string): Partial<DeviceFacts> => ({ now: Date.parse(iso) });
const lamp = {
  thingName: 'lamp',
  thingTypeName: 'bulb',
  attributes: { room: 'hall', Room: 'attic', watts: '40', odd: 'a#b', __proto__x: 'p' },
};
const attached: Partial<DeviceFacts> = { clientId: 'lamp', thing: lamp, isAttached: true };
const WILL = `${HEAD}topic/will/lamp`;

export const CASES: readonly CaseGroup[] = [
  {
    name: 'nothing is allowed that no statement allows',
    source: `${GUIDE}iot-policies`,
    statements: [allow(CONNECT, 'client/lamp')],
    checks: [
      [CONNECT, 'client/lamp', YES],
      [CONNECT, 'client/lam', NO],
      [CONNECT, 'client/lamps', NO],
      [CONNECT, 'client/Lamp', NO],
      [CONNECT, 'client/', NO],
      [PUBLISH, 'topic/a', NO],
      [SUBSCRIBE, 'topicfilter/a', NO],
      ['iot:ConnectX', 'client/lamp', NO],
    ],
  },
  {
    name: 'an explicit deny wins, wherever it stands',
    source: `${GUIDE}connect-policy`,
    statements: [
      deny(CONNECT, ['client/client1', 'client/client2']),
      allow(CONNECT, '*'),
      allow(PUBLISH, 'topic/*'),
      deny('iot:*', 'topic/secret/*'),
    ],
    checks: [
      [CONNECT, 'client/client1', DENIED],
      [CONNECT, 'client/client2', DENIED],
      [CONNECT, 'client/client3', YES],
      [PUBLISH, 'topic/a', YES],
      [PUBLISH, 'topic/secret/a', DENIED],
      [PUBLISH, 'topic/secret', YES],
      ['iot:Receive', 'topic/secret/a', DENIED],
      ['iot:Receive', 'topic/a', NO],
    ],
  },
  {
    name: 'actions match without case, with wildcards',
    source: `${IAM}reference_policies_elements_action`,
    statements: [
      allow('IOT:publish', 'topic/p'),
      allow('iot:Sub*', 'topicfilter/s'),
      allow('iot:R?ceive', 'topic/r'),
      allow('*', 'client/any'),
    ],
    checks: [
      [PUBLISH, 'topic/p', YES],
      ['iot:PUBLISH', 'topic/p', YES],
      ['iot:RetainPublish', 'topic/p', NO],
      [SUBSCRIBE, 'topicfilter/s', YES],
      ['iot:Sub', 'topicfilter/s', YES],
      ['iot:Receive', 'topic/r', YES],
      ['iot:Reeceive', 'topic/r', NO],
      [CONNECT, 'client/any', YES],
      ['iotjobsdata:DescribeJobExecution', 'client/any', YES],
    ],
  },
  {
    name: 'NotAction is every other action',
    source: `${IAM}reference_policies_elements_notaction`,
    statements: [{ Effect: 'Allow', NotAction: ['iot:Connect', 'iot:Sub*'], Resource: '*' }],
    checks: [
      [CONNECT, 'client/a', NO],
      [SUBSCRIBE, 'topicfilter/a', NO],
      [PUBLISH, 'topic/a', YES],
      ['iot:Receive', 'topic/a', YES],
    ],
  },
  {
    name: 'Deny by NotAction',
    source: `${IAM}reference_policies_elements_notaction`,
    statements: [allow('iot:*', '*'), { Effect: 'Deny', NotAction: 'iot:Connect', Resource: '*' }],
    checks: [
      [CONNECT, 'client/a', YES],
      [PUBLISH, 'topic/a', DENIED],
    ],
  },
  {
    name: 'NotResource is every other resource',
    source: `${IAM}reference_policies_elements_notresource`,
    statements: [allow(PUBLISH, '', { NotResource: [`${HEAD}topic/a/*`, `${HEAD}topic/b`] })],
    checks: [
      [PUBLISH, 'topic/a/1', NO],
      [PUBLISH, 'topic/b', NO],
      [PUBLISH, 'topic/a', YES],
      [PUBLISH, 'topic/c', YES],
      [CONNECT, 'client/a', NO],
    ],
  },
  {
    name: 'Deny by NotResource confines',
    source: `${IAM}reference_policies_elements_notresource`,
    statements: [allow('iot:*', '*'), deny(PUBLISH, '', { NotResource: `${HEAD}topic/own/*` })],
    checks: [
      [PUBLISH, 'topic/own/1', YES],
      [PUBLISH, 'topic/other', DENIED],
      [SUBSCRIBE, 'topicfilter/other', YES],
    ],
  },
  {
    name: 'NotResource of everything is nothing',
    source: `${IAM}reference_policies_elements_notresource`,
    statements: [allow(PUBLISH, '', { NotResource: '*' })],
    checks: [[PUBLISH, 'topic/a', NO]],
  },
  {
    name: 'in a resource, * is any run with slashes, ? one character',
    source: `${GUIDE}pub-sub-policy`,
    statements: [allow(PUBLISH, ['topic/run/*', 'topic/one/?', 'topic/mid/*/end', 'topic/two/??', 'topic/both/?*'])],
    checks: [
      [PUBLISH, 'topic/run/', YES],
      [PUBLISH, 'topic/run/a', YES],
      [PUBLISH, 'topic/run/a/b/c', YES],
      [PUBLISH, 'topic/run', NO],
      [PUBLISH, 'topic/one/a', YES],
      [PUBLISH, 'topic/one/', NO],
      [PUBLISH, 'topic/one/ab', NO],
      [PUBLISH, 'topic/one//', YES],
      [PUBLISH, 'topic/one/😀', YES],
      [PUBLISH, 'topic/two/😀', NO],
      [PUBLISH, 'topic/two/ab', YES],
      [PUBLISH, 'topic/both/', NO],
      [PUBLISH, 'topic/both/a', YES],
      [PUBLISH, 'topic/mid/x/y/end', YES],
      [PUBLISH, 'topic/mid/end', NO],
      [PUBLISH, 'topic/mid//end', YES],
    ],
  },
  {
    name: 'MQTT wildcards are literal in a policy',
    source: `${GUIDE}pub-sub-policy`,
    statements: [
      allow(SUBSCRIBE, ['topicfilter/some/+/topic', 'topicfilter/all/#']),
      allow(SUBSCRIBE, 'topicfilter/glob/*/topic'),
    ],
    checks: [
      [SUBSCRIBE, 'topicfilter/some/+/topic', YES],
      [SUBSCRIBE, 'topicfilter/some/x/topic', NO],
      [SUBSCRIBE, 'topicfilter/all/#', YES],
      [SUBSCRIBE, 'topicfilter/all/x', NO],
      [SUBSCRIBE, 'topicfilter/glob/+/topic', YES],
      [SUBSCRIBE, 'topicfilter/glob/x/topic', YES],
      [SUBSCRIBE, 'topicfilter/#', NO],
    ],
  },
  {
    name: 'a deny on a filter does not reach a wider filter; on Receive it does',
    source: `${GUIDE}pub-sub-policy`,
    statements: [
      allow(SUBSCRIBE, 'topicfilter/*'),
      deny(SUBSCRIBE, 'topicfilter/a/restricted/*'),
      allow('iot:Receive', 'topic/*'),
      deny('iot:Receive', 'topic/a/restricted/*'),
    ],
    checks: [
      [SUBSCRIBE, 'topicfilter/a/restricted/x', DENIED],
      [SUBSCRIBE, 'topicfilter/a/#', YES],
      ['iot:Receive', 'topic/a/restricted/x', DENIED],
      ['iot:Receive', 'topic/a/free', YES],
    ],
  },
  {
    name: 'escapes stand for the characters',
    source: `${IAM}reference_policies_variables`,
    statements: [allow(PUBLISH, [`topic/star/${v('*')}`, `topic/ask/${v('?')}`, `topic/cash/${v('$')}{x}`])],
    checks: [
      [PUBLISH, 'topic/star/*', YES],
      [PUBLISH, 'topic/star/a', NO],
      [PUBLISH, 'topic/ask/?', YES],
      [PUBLISH, 'topic/ask/a', NO],
      [PUBLISH, `topic/cash/${v('x')}`, YES],
    ],
  },
  {
    name: 'a wildcard stays within its part of the ARN',
    source: `${IAM}reference_policies_elements_resource`,
    statements: [allow(CONNECT, 'arn:aws:iot:*:*:client/sensor'), allow(PUBLISH, 'arn:aws:iot:us-*-?:123456789012:topic/a')],
    checks: [
      [CONNECT, 'client/sensor', YES],
      [CONNECT, 'client/x:client/sensor', NO],
      [CONNECT, 'arn:aws:iot:eu-west-1:999999999999:client/sensor', YES],
      [CONNECT, 'arn:aws:s3:eu-west-1:999999999999:client/sensor', NO],
      [PUBLISH, 'topic/a', YES],
      [PUBLISH, 'arn:aws:iot:us-west-2:123456789012:topic/a', YES],
      [PUBLISH, 'arn:aws:iot:us-west-2:123456789013:topic/a', NO],
      [PUBLISH, 'arn:aws:iot:us-west-22:123456789012:topic/a', NO],
    ],
  },
  {
    name: 'an ARN that stops early with a wildcard goes on with wildcards',
    source: `${IAM}reference_policies_elements_resource`,
    statements: [allow(PUBLISH, 'arn:aws:iot:us-east-1:*'), allow(CONNECT, 'arn:aws:iot:eu-*')],
    checks: [
      [PUBLISH, 'topic/a', YES],
      [PUBLISH, 'arn:aws:iot:us-west-1:123456789012:topic/a', NO],
      [CONNECT, 'client/a', NO],
      [CONNECT, 'arn:aws:iot:eu-west-1:123456789012:client/a', YES],
    ],
  },
  {
    name: 'what is no ARN is matched by * alone',
    source: `${GUIDE}iot-policy-actions`,
    statements: [allow('iot:ListRetainedMessages', '*'), allow('iot:GetRetainedMessage', 'topic/*'), allow('iot:Odd', 'arn:*')],
    checks: [
      ['iot:ListRetainedMessages', '*', YES],
      ['iot:GetRetainedMessage', '*', NO],
      ['iot:GetRetainedMessage', 'topic/a', YES],
      ['iot:Odd', '*', NO],
      ['iot:Odd', 'arn:aws:iot:us-east-1', NO],
    ],
  },
  {
    name: 'the client id in a resource',
    source: `${GUIDE}basic-policy-variables`,
    statements: [
      allow(CONNECT, `client/${v('iot:ClientId')}`),
      allow(PUBLISH, [`topic/${v('iot:ClientId')}/*`, `topic/$aws/things/${v('IOT:clientid')}/shadow/*`]),
      allow(SUBSCRIBE, `topicfilter/${v('iot:ClientId')}/#`),
    ],
    facts: id('ski01'),
    checks: [
      [CONNECT, 'client/ski01', YES],
      [CONNECT, 'client/other', NO],
      [PUBLISH, 'topic/ski01/a', YES],
      [PUBLISH, 'topic/ski01', NO],
      [PUBLISH, 'topic/ski011/a', NO],
      [PUBLISH, 'topic/$aws/things/ski01/shadow/update', YES],
      [PUBLISH, 'topic/$aws/things/other/shadow/update', NO],
      [SUBSCRIBE, 'topicfilter/ski01/#', YES],
      [SUBSCRIBE, 'topicfilter/ski01/a', NO],
    ],
  },
  ...['+', '#', '*', '?', '$', v('iot:ClientId'), 'a*', 'a+b', `${v('*')}`].map((clientId) => ({
    name: `a client id of ${clientId} is not substituted`,
    source: `${GUIDE}use-policy-variables, limits; CVE-2017-7650`,
    statements: [
      allow('iot:*', [
        `topic/my/${v('iot:ClientId')}`,
        `topicfilter/my/${v('iot:ClientId')}/topic`,
        `client/${v('iot:ClientId')}`,
      ]),
    ],
    facts: id(clientId),
    checks: [
      [PUBLISH, 'topic/my/other', NO],
      [SUBSCRIBE, `topicfilter/my/${clientId}/topic`, NO],
      [CONNECT, `client/${clientId}`, NO],
    ] as const,
  })),
  {
    name: 'a colon or slash in a value stays text',
    source: `${IAM}reference_policies_elements_resource`,
    statements: [allow(PUBLISH, [`arn:aws:iot:${v('iot:ClientId')}:123456789012:topic/a`, `topic/${v('iot:ClientId')}/x`])],
    facts: id('us-east-1:123456789012:topic/a'),
    checks: [
      [PUBLISH, 'topic/a', NO],
      [PUBLISH, 'topic/us-east-1:123456789012:topic/a/x', YES],
    ],
  },
  {
    name: 'Version 2008-10-17 knows no variables',
    source: `${IAM}reference_policies_elements_version`,
    version: '2008-10-17',
    statements: [allow(PUBLISH, `topic/${v('iot:ClientId')}`)],
    facts: id('lamp'),
    checks: [
      [PUBLISH, 'topic/lamp', NO],
      [PUBLISH, `topic/${v('iot:ClientId')}`, YES],
    ],
  },
  {
    name: 'an unresolved variable grants nothing, and lifts no deny',
    source: `${GUIDE}thing-policy-variables`,
    statements: [
      allow(PUBLISH, [`topic/${v('iot:Connection.Thing.ThingName')}`, `topic/x/${v('no:such')}`, 'topic/free']),
      allow(SUBSCRIBE, '*'),
      deny(SUBSCRIBE, `topicfilter/own/${v('no:such')}/x`),
      allow('iot:Receive', '', { NotResource: `${HEAD}topic/own/${v('no:such')}` }),
      allow('iot:RetainPublish', '*'),
      deny('iot:RetainPublish', '', { NotResource: `${HEAD}topic/${v('no:such')}` }),
    ],
    facts: id('lamp'),
    checks: [
      [PUBLISH, 'topic/lamp', NO],
      [PUBLISH, `topic/${v('iot:Connection.Thing.ThingName')}`, NO],
      [PUBLISH, 'topic/', NO],
      [PUBLISH, 'topic/x/', NO],
      [PUBLISH, 'topic/free', YES],
      [SUBSCRIBE, 'topicfilter/own/a/x', DENIED],
      [SUBSCRIBE, 'topicfilter/own/a/y', YES],
      ['iot:Receive', 'topic/own/a', NO],
      ['iot:Receive', 'topic/other', YES],
      ['iot:RetainPublish', 'topic/a', DENIED],
    ],
  },
  {
    name: 'thing variables of an attached thing',
    source: `${GUIDE}thing-policy-variables`,
    statements: [
      allow(CONNECT, `client/${v('iot:Connection.Thing.ThingName')}`, when('Bool', 'iot:Connection.Thing.IsAttached', ['true'])),
      allow(PUBLISH, [
        `topic/type/${v('iot:Connection.Thing.ThingTypeName')}`,
        `topic/room/${v('iot:Connection.Thing.Attributes[room]')}`,
        `topic/Room/${v('iot:connection.thing.attributes[Room]')}`,
        `topic/none/${v('iot:Connection.Thing.Attributes[none]')}`,
        `topic/odd/${v('iot:Connection.Thing.Attributes[odd]')}`,
        `topic/proto/${v('iot:Connection.Thing.Attributes[__proto__]')}`,
      ]),
    ],
    facts: attached,
    checks: [
      [CONNECT, 'client/lamp', YES],
      [CONNECT, 'client/other', NO],
      [PUBLISH, 'topic/type/bulb', YES],
      [PUBLISH, 'topic/room/hall', YES],
      [PUBLISH, 'topic/room/attic', NO],
      [PUBLISH, 'topic/Room/attic', YES],
      [PUBLISH, 'topic/none/', NO],
      [PUBLISH, 'topic/odd/a#b', NO],
      [PUBLISH, 'topic/proto/[object Object]', NO],
    ],
  },
  {
    name: 'thing variables stay unresolved when the certificate is not attached',
    source: `${GUIDE}thing-policy-variables`,
    statements: [
      allow(CONNECT, `client/${v('iot:Connection.Thing.ThingName')}`),
      allow(PUBLISH, '*', when('Bool', 'iot:Connection.Thing.IsAttached', 'true')),
      allow(SUBSCRIBE, '*', when('Bool', 'iot:Connection.Thing.IsAttached', false)),
    ],
    facts: { clientId: 'lamp', thing: lamp, isAttached: false },
    checks: [
      [CONNECT, 'client/lamp', NO],
      [PUBLISH, 'topic/a', NO],
      [SUBSCRIBE, 'topicfilter/a', YES],
    ],
  },
  {
    name: 'thing variables and the client id do not exist over HTTP',
    source: `${GUIDE}thing-policy-variables`,
    statements: [
      allow(PUBLISH, [`topic/${v('iot:Connection.Thing.ThingName')}`, `topic/id/${v('iot:ClientId')}`]),
      allow(SUBSCRIBE, '*', when('Bool', 'iot:Connection.Thing.IsAttached', 'true')),
    ],
    facts: { ...attached, protocol: 'http' },
    checks: [
      [PUBLISH, 'topic/lamp', NO],
      [PUBLISH, 'topic/id/lamp', NO],
      [SUBSCRIBE, 'topicfilter/a', NO],
    ],
  },
  {
    name: 'connect keys belong to iot:Connect alone',
    source: `${GUIDE}connect-policy`,
    statements: [allow('iot:*', '*', attributes('ForAnyValue:StringEquals', ['LastWill']))],
    facts: { connectAttributes: ['LastWill'] },
    checks: [
      [CONNECT, 'client/a', YES],
      [PUBLISH, 'topic/a', NO],
    ],
  },
  {
    name: 'the will topic is compared as an ARN',
    source: `${GUIDE}connect-policy`,
    statements: [
      allow(CONNECT, 'client/a', when('ArnEquals', 'iot:LastWillTopic', WILL)),
      allow(CONNECT, 'client/b', when('ArnLike', 'iot:LastWillTopic', `${HEAD}topic/will/*`)),
    ],
    facts: { connectAttributes: ['LastWill'], lastWillTopicArn: WILL },
    checks: [
      [CONNECT, 'client/a', YES],
      [CONNECT, 'client/b', YES],
      [CONNECT, 'client/c', NO],
    ],
  },
  {
    name: 'another will topic, or none',
    source: `${GUIDE}connect-policy`,
    statements: [
      allow(CONNECT, 'client/a', when('ArnEquals', 'iot:LastWillTopic', `${HEAD}topic/other`)),
      allow(CONNECT, 'client/b', when('ArnNotEquals', 'iot:LastWillTopic', `${HEAD}topic/other`)),
    ],
    facts: { connectAttributes: ['LastWill'], lastWillTopicArn: WILL },
    checks: [
      [CONNECT, 'client/a', NO],
      [CONNECT, 'client/b', YES],
    ],
  },
  ...connectWith('no condition admits every feature', [allow(CONNECT, '*')], {
    nothing: YES,
    PersistentConnect: YES,
    'PersistentConnect+LastWill': YES,
  }),
  ...connectWith(
    'persistence removed by a deny',
    [allow(CONNECT, '*'), deny(CONNECT, '*', attributes('ForAnyValue:StringEquals', ['PersistentConnect']))],
    {
      nothing: YES,
      LastWill: YES,
      PersistentConnect: DENIED,
      'PersistentConnect+LastWill': DENIED,
    },
  ),
  ...connectWith(
    'either feature, nothing new',
    [allow(CONNECT, '*', attributes('ForAllValues:StringEquals', ['PersistentConnect', 'LastWill']))],
    {
      nothing: YES,
      PersistentConnect: YES,
      'PersistentConnect+LastWill': YES,
      'PersistentConnect+Novelty': NO,
    },
  ),
  ...connectWith('default features only', [allow(CONNECT, '*', attributes('ForAllValues:StringEquals', []))], {
    nothing: YES,
    PersistentConnect: NO,
    LastWill: NO,
  }),
  ...connectWith('persistence required', [allow(CONNECT, '*', attributes('ForAnyValue:StringEquals', ['PersistentConnect']))], {
    nothing: NO,
    LastWill: NO,
    PersistentConnect: YES,
    'PersistentConnect+Novelty': YES,
  }),
  ...connectWith(
    'persistence forbidden by NotEquals',
    [allow(CONNECT, '*', attributes('ForAllValues:StringNotEquals', ['PersistentConnect']))],
    {
      nothing: YES,
      LastWill: YES,
      PersistentConnect: NO,
      'PersistentConnect+LastWill': NO,
    },
  ),
  ...connectWith(
    'both features required',
    [
      allow(CONNECT, '*', attributes('ForAllValues:StringEquals', ['PersistentConnect', 'LastWill'])),
      deny(CONNECT, '*', attributes('ForAllValues:StringEquals', ['PersistentConnect'])),
      deny(CONNECT, '*', attributes('ForAllValues:StringEquals', ['LastWill'])),
      deny(CONNECT, '*', attributes('ForAllValues:StringEquals', [])),
    ],
    { nothing: DENIED, LastWill: DENIED, PersistentConnect: DENIED, 'PersistentConnect+LastWill': YES },
  ),
  ...condition('equal', 'StringEquals', 'iot:ClientId', 'lamp', id('lamp'), true),
  ...condition('other case', 'StringEquals', 'iot:ClientId', 'Lamp', id('lamp'), false),
  ...condition('key in other case', 'StringEquals', 'IOT:CLIENTID', 'lamp', id('lamp'), true),
  ...condition('one of several', 'StringEquals', 'iot:ClientId', ['x', 'lamp'], id('lamp'), true),
  ...condition('a wildcard is text', 'StringEquals', 'iot:ClientId', 'la*', id('lamp'), false),
  ...condition('missing key', 'StringEquals', 'aws:PrincipalOrgID', 'lamp', id('lamp'), false),
  ...condition('an odd client id compares as it is', 'StringEquals', 'iot:ClientId', 'a+b', id('a+b'), true),
  ...condition('no values', 'StringEquals', 'iot:ClientId', [], id('lamp'), false),
  ...condition('none of several', 'StringNotEquals', 'iot:ClientId', ['x', 'y'], id('lamp'), true),
  ...condition('one of several', 'StringNotEquals', 'iot:ClientId', ['x', 'lamp'], id('lamp'), false),
  ...condition('missing key', 'StringNotEquals', 'aws:PrincipalOrgID', 'lamp', id('lamp'), true),
  ...condition('case folded', 'StringEqualsIgnoreCase', 'iot:ClientId', 'LAMP', id('lamp'), true),
  ...condition('case folded', 'StringNotEqualsIgnoreCase', 'iot:ClientId', 'LAMP', id('lamp'), false),
  ...condition('run', 'StringLike', 'iot:ClientId', 'la*', id('lamp'), true),
  ...condition('one', 'StringLike', 'iot:ClientId', 'l?mp', id('lamp'), true),
  ...condition('by case', 'StringLike', 'iot:ClientId', 'LA*', id('lamp'), false),
  ...condition('run', 'StringNotLike', 'iot:ClientId', 'la*', id('lamp'), false),
  ...condition('missing key', 'StringNotLike', 'aws:PrincipalOrgID', '*', id('lamp'), true),
  ...condition('missing key', 'StringEqualsIfExists', 'aws:PrincipalOrgID', 'lamp', id('lamp'), true),
  ...condition('present key', 'StringEqualsIfExists', 'iot:ClientId', 'x', id('lamp'), false),
  ...condition('present', 'Null', 'iot:ClientId', 'false', id('lamp'), true),
  ...condition('present', 'Null', 'iot:ClientId', 'true', id('lamp'), false),
  ...condition('absent', 'Null', 'aws:PrincipalOrgID', true, id('lamp'), true),
  ...condition('absent', 'Null', 'aws:PrincipalOrgID', 'false', id('lamp'), false),
  ...condition('missing key', 'ForAllValues:StringEquals', 'aws:PrincipalOrgID', 'x', id('lamp'), true),
  ...condition('missing key', 'ForAnyValue:StringEquals', 'aws:PrincipalOrgID', 'x', id('lamp'), false),
  ...condition('missing key', 'ForAnyValue:StringNotEquals', 'aws:PrincipalOrgID', 'x', id('lamp'), false),
  ...condition('missing key', 'ForAnyValue:StringLikeIfExists', 'aws:PrincipalOrgID', 'x', id('lamp'), true),
  ...condition('equal', 'NumericEquals', 'iot:Connection.Thing.Attributes[watts]', 40, attached, true),
  ...condition('equal in another form', 'NumericEquals', 'iot:Connection.Thing.Attributes[watts]', '40.0', attached, true),
  ...condition('less', 'NumericLessThan', 'iot:Connection.Thing.Attributes[watts]', 41, attached, true),
  ...condition('not less', 'NumericLessThan', 'iot:Connection.Thing.Attributes[watts]', 40, attached, false),
  ...condition('at most', 'NumericLessThanEquals', 'iot:Connection.Thing.Attributes[watts]', 40, attached, true),
  ...condition('greater, not as text', 'NumericGreaterThan', 'iot:Connection.Thing.Attributes[watts]', 5, attached, true),
  ...condition('at least', 'NumericGreaterThanEquals', 'iot:Connection.Thing.Attributes[watts]', '41', attached, false),
  ...condition('unequal', 'NumericNotEquals', 'iot:Connection.Thing.Attributes[watts]', 41, attached, true),
  ...condition('before', 'DateLessThan', 'aws:CurrentTime', '2026-01-02T00:00:00Z', at('2026-01-01T00:00:00Z'), true),
  ...condition('after', 'DateLessThan', 'aws:CurrentTime', '2026-01-02', at('2026-01-03T00:00:00Z'), false),
  ...condition(
    'with an offset',
    'DateGreaterThan',
    'aws:CurrentTime',
    '2026-01-01T02:00:00+03:00',
    at('2025-12-31T23:30:00Z'),
    true,
  ),
  ...condition(
    'without a zone it is UTC',
    'DateEquals',
    'aws:CurrentTime',
    '2026-01-01T00:00:00',
    at('2026-01-01T00:00:00Z'),
    true,
  ),
  ...condition('seconds of the epoch', 'DateGreaterThanEquals', 'aws:EpochTime', '1767225600', at('2026-01-01T00:00:00Z'), true),
  ...condition('seconds of the epoch', 'NumericLessThan', 'aws:EpochTime', '1767225600', at('2026-01-01T00:00:00Z'), false),
  ...condition('unequal', 'DateNotEquals', 'aws:CurrentTime', '2026-01-02', at('2026-01-01T00:00:00Z'), true),
  ...condition('TLS', 'Bool', 'aws:SecureTransport', 'true', {}, true),
  ...condition('TLS', 'Bool', 'aws:SecureTransport', 'FALSE', { secureTransport: false }, true),
  ...condition('equal bytes', 'BinaryEquals', 'iot:ClientId', 'bGFtcA==', id('bGFtcA'), true),
  ...condition('in range', 'IpAddress', 'aws:SourceIp', '203.0.113.0/24', ip('203.0.113.9'), true),
  ...condition('out of range', 'IpAddress', 'aws:SourceIp', '203.0.113.0/24', ip('203.0.114.9'), false),
  ...condition('one address', 'IpAddress', 'aws:SourceIp', '203.0.113.9', ip('203.0.113.9'), true),
  ...condition('mapped peer', 'IpAddress', 'aws:SourceIp', '203.0.113.0/24', ip('::ffff:203.0.113.9'), true),
  ...condition('mapped range', 'IpAddress', 'aws:SourceIp', '::ffff:203.0.113.0/120', ip('203.0.113.9'), true),
  ...condition('IPv6', 'IpAddress', 'aws:SourceIp', '2001:DB8:1234:5678::/64', ip('2001:db8:1234:5678:9::1'), true),
  ...condition('IPv6 outside', 'IpAddress', 'aws:SourceIp', '2001:DB8:1234:5678::/64', ip('2001:db8:1234:5679::1'), false),
  ...condition('no IPv4 in an IPv6 range', 'IpAddress', 'aws:SourceIp', '::/0', ip('203.0.113.9'), false),
  ...condition('every IPv4', 'IpAddress', 'aws:SourceIp', '0.0.0.0/0', ip('203.0.113.9'), true),
  ...condition('outside', 'NotIpAddress', 'aws:SourceIp', ['203.0.113.0/24', '198.51.100.0/24'], ip('192.0.2.1'), true),
  ...condition('inside one', 'NotIpAddress', 'aws:SourceIp', ['203.0.113.0/24', '198.51.100.0/24'], ip('198.51.100.1'), false),
  ...condition('name', 'StringEquals', 'iot:DomainName', 'iot.example.com', { domainName: 'iot.example.com' }, true),
  ...condition('a variable as the value', 'StringEquals', 'iot:ClientId', v('iot:Connection.Thing.ThingName'), attached, true),
  {
    name: 'doubt in a condition fails an Allow',
    source: `${GUIDE}use-policy-variables, missing policy variables`,
    statements: [
      allow(PUBLISH, 'topic/1', when('StringEquals', 'iot:ClientId', v('no:such'))),
      allow(PUBLISH, 'topic/2', when('StringNotEquals', 'iot:ClientId', v('no:such'))),
      allow(PUBLISH, 'topic/3', when('NotIpAddress', 'aws:SourceIp', '300.0.0.0/8')),
      allow(PUBLISH, 'topic/4', when('NumericNotEquals', 'iot:ClientId', 5)),
      allow(PUBLISH, 'topic/5', when('DateLessThan', 'aws:CurrentTime', 'soon')),
    ],
    facts: { clientId: 'lamp', sourceIp: '192.0.2.1' },
    checks: ['1', '2', '3', '4', '5'].map((n) => [PUBLISH, `topic/${n}`, NO] as const),
  },
  {
    name: 'doubt in a condition keeps a Deny',
    source: `${GUIDE}use-policy-variables, missing policy variables`,
    statements: [
      allow(PUBLISH, '*'),
      deny(PUBLISH, 'topic/1', when('StringEquals', 'iot:ClientId', v('no:such'))),
      deny(PUBLISH, 'topic/2', when('StringNotEquals', 'iot:ClientId', v('no:such'))),
      deny(PUBLISH, 'topic/3', when('IpAddress', 'aws:SourceIp', '300.0.0.0/8')),
      deny(PUBLISH, 'topic/4', when('NumericEquals', 'iot:ClientId', 5)),
    ],
    facts: { clientId: 'lamp', sourceIp: '192.0.2.1' },
    checks: ['1', '2', '3', '4'].map((n) => [PUBLISH, `topic/${n}`, DENIED] as const),
  },
  {
    name: 'a key that is not known here fails an Allow and keeps a Deny, whatever the operator',
    source: `${IAM}reference_policies_condition-keys`,
    statements: [
      allow(PUBLISH, 'topic/1', when('StringEquals', 'iot:Missing', 'x')),
      allow(PUBLISH, 'topic/2', when('StringNotEquals', 'iot:Missing', 'x')),
      allow(PUBLISH, 'topic/3', when('Null', 'iot:Missing', true)),
      allow(PUBLISH, 'topic/denied/*'),
      deny(PUBLISH, 'topic/denied/1', when('StringEquals', 'iot:Missing', 'x')),
      deny(PUBLISH, 'topic/denied/2', when('StringNotEquals', 'aws:UserAgent', 'x')),
      deny(PUBLISH, 'topic/denied/3', when('ForAnyValue:StringEquals', 'iot:Missing', 'x')),
    ],
    facts: { clientId: 'lamp' },
    checks: [
      ...['1', '2', '3'].map((n) => [PUBLISH, `topic/${n}`, NO] as const),
      ...['1', '2', '3'].map((n) => [PUBLISH, `topic/denied/${n}`, DENIED] as const),
    ],
  },
  {
    name: 'every condition of a statement must hold',
    source: `${IAM}reference_policies_multi-value-conditions`,
    statements: [
      allow(PUBLISH, 'topic/both', {
        Condition: { StringEquals: { 'iot:ClientId': 'lamp' }, IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
      }),
      allow(PUBLISH, 'topic/half', { Condition: { StringEquals: { 'iot:ClientId': 'lamp', 'iot:DomainName': 'x' } } }),
    ],
    facts: { clientId: 'lamp', sourceIp: '192.0.2.1' },
    checks: [
      [PUBLISH, 'topic/both', YES],
      [PUBLISH, 'topic/half', NO],
    ],
  },
  {
    name: 'the policy of the just-in-time kit, indented and with a literal # in a resource',
    source: `${GUIDE}pub-sub-policy`,
    statements: [
      allow(CONNECT, 'client/0a1b'),
      allow([PUBLISH, 'iot:Receive'], [`topic/${v('iot:ClientId')}/*`, `topic/$aws/things/${v('iot:ClientId')}/shadow/*`]),
      allow(SUBSCRIBE, [`topicfilter/${v('iot:ClientId')}/#`, `topicfilter/$aws/things/${v('iot:ClientId')}/shadow/*`]),
    ],
    facts: id('0a1b'),
    checks: [
      [CONNECT, 'client/0a1b', YES],
      [SUBSCRIBE, 'topicfilter/$aws/things/0a1b/shadow/update/delta', YES],
      [PUBLISH, 'topic/$aws/things/0a1b/shadow/update', YES],
      ['iot:Receive', 'topic/$aws/things/0a1b/shadow/update/delta', YES],
      [PUBLISH, 'topic/$aws/things/ffff/shadow/update', NO],
    ],
  },
];
