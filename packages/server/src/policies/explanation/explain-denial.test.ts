import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { compilePolicies } from '../compile.ts';
import { bindPermissions } from '../evaluate.ts';
import { Pattern } from '../pattern.ts';
import { type DeviceFacts, deviceContext } from '../variables.ts';

const ACCOUNT = '123456789012';
const HEAD = `arn:aws:iot:us-east-1:${ACCOUNT}:`;
/** A variable, written without a template literal's own dollar sign. */
const v = (name: string): string => `\${${name}}`;

type Statement = Readonly<Record<string, unknown>>;
const statement = (Effect: string, Action: string | string[], resource: string, Condition?: object): Statement => ({
  Effect,
  Action,
  Resource: resource === '*' || resource.startsWith('arn:') ? resource : HEAD + resource,
  ...(Condition === undefined ? {} : { Condition }),
});
const allow = (action: string | string[], resource: string, when?: object) => statement('Allow', action, resource, when);
const deny = (action: string | string[], resource: string, when?: object) => statement('Deny', action, resource, when);

const FACTS: DeviceFacts = {
  protocol: 'mqtt',
  clientId: 'lamp',
  sourceIp: '10.0.0.1',
  isAttached: false,
  now: Date.UTC(2026, 0, 1),
};

/** The words for a request that the statements do not allow; `resource` is written from its type on. */
function explained(
  statements: readonly Statement[],
  action: string,
  resource: string,
  facts: Partial<DeviceFacts> = {},
): string | undefined {
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const compiled = compilePolicies(statements.length === 0 ? [] : [{ policyName: 'p', document }]);
  const decision = bindPermissions(compiled, deviceContext({ ...FACTS, ...facts })).decide(action, HEAD + resource);
  assert.notEqual(decision.effect, 'ALLOWED');
  return decision.explain?.();
}

const NEAREST = 'the nearest is statement #1 of policy p: its ';
const thing = (attributes: Record<string, string>) => ({ isAttached: true, thing: { thingName: 'lamp', attributes } });

type Row = readonly [
  statements: readonly Statement[],
  asked: readonly [action: string, resource: string, facts?: Partial<DeviceFacts>],
  words: string,
];

const rows: Readonly<Record<string, Row>> = {
  'nothing attached': [
    [],
    ['iot:Connect', 'client/lamp'],
    `no policy is attached: attach one that allows iot:Connect on ${HEAD}client/lamp`,
  ],
  'no such action': [
    [allow('iot:Publish', '*')],
    ['iot:Receive', 'topic/a'],
    'no statement of policy p has the Action iot:Receive (there is iot:Publish)',
  ],
  'many other actions': [
    [allow(['iot:A', 'iot:B', 'iot:C', 'iot:D', 'iot:E', 'iot:F'], '*')],
    ['iot:Receive', 'topic/a'],
    'no statement of policy p has the Action iot:Receive (there is iot:A, iot:B, iot:C, iot:D and 2 more)',
  ],
  NotAction: [
    [{ Effect: 'Allow', NotAction: 'iot:Publish', Resource: '*' }],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}NotAction iot:Publish excludes iot:Publish`,
  ],
  'a misspelt action': [
    [allow('iot:Publsh', '*')],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Action is iot:Publsh: write iot:Publish`,
  ],
  'two letters exchanged': [
    [allow('iot:Susbcribe', '*')],
    ['iot:Subscribe', 'topicfilter/a'],
    `${NEAREST}Action is iot:Susbcribe: write iot:Subscribe`,
  ],
  'topics for topic': [
    [allow('iot:Publish', 'topics/a')],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource ${HEAD}topics/a begins with topics/, and iot:Publish takes topic/: write topic/`,
  ],
  'topic for topicfilter': [
    [allow('iot:Subscribe', 'topic/a')],
    ['iot:Subscribe', 'topicfilter/a'],
    `${NEAREST}Resource ${HEAD}topic/a begins with topic/, and iot:Subscribe takes topicfilter/: write topicfilter/`,
  ],
  'thing for client': [
    [allow('iot:Connect', 'thing/lamp')],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}thing/lamp begins with thing/, and iot:Connect takes client/: write client/`,
  ],
  'no type': [
    [allow('iot:Connect', 'lamp')],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}lamp begins with lamp, and iot:Connect takes client/NAME`,
  ],
  'MQTT wildcards': [
    [allow('iot:Publish', 'topic/a/#')],
    ['iot:Publish', 'topic/a/b'],
    `${NEAREST}Resource ${HEAD}topic/a/# has MQTT wildcards, which match themselves alone in a policy: write * for them`,
  ],
  'upper case': [
    [allow('iot:Publish', 'topic/Kitchen')],
    ['iot:Publish', 'topic/kitchen'],
    `${NEAREST}Resource ${HEAD}topic/Kitchen differs in upper and lower case from topic/kitchen`,
  ],
  'a slash too many': [
    [allow('iot:Publish', 'topic//a')],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource ${HEAD}topic//a has a slash too many at the begin of the name: topic/a was asked for`,
  ],
  'a slash too few': [
    [allow('iot:Publish', 'topic/a')],
    ['iot:Publish', 'topic//a'],
    `${NEAREST}Resource ${HEAD}topic/a has no slash at the begin of the name, and topic//a has one`,
  ],
  'no wildcard at the end': [
    [allow('iot:Publish', 'topic/a')],
    ['iot:Publish', 'topic/a/b'],
    `${NEAREST}Resource ${HEAD}topic/a ends before the end of topic/a/b: end it with * for all that begin with it`,
  ],
  'the level above a wildcard': [
    [allow('iot:Publish', 'topic/a/*')],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource ${HEAD}topic/a/* needs a name that goes on behind topic/a/`,
  ],
  'no wildcard at the end, and a ? before': [
    [allow('iot:Publish', 'topic/room?/light')],
    ['iot:Publish', 'topic/room1/light/on'],
    `${NEAREST}Resource ${HEAD}topic/room?/light ends before the end of topic/room1/light/on: end it with * for all that begin with it`,
  ],
  'an escaped wildcard': [
    [allow('iot:Publish', `topic/a${v('*')}`)],
    ['iot:Publish', 'topic/ab'],
    `${NEAREST}Resource ${HEAD}topic/a${v('*')} is not for the topic ab`,
  ],
  'a variable without its braces': [
    [allow('iot:Connect', 'client/$iot:ClientId')],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}client/$iot:ClientId has $iot:ClientId, which is no variable: write ${v('iot:ClientId')}`,
  ],
  'a variable in braces of another kind': [
    [allow('iot:Connect', 'client/{iot:ClientId}')],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}client/{iot:ClientId} has {iot:ClientId}, which is no variable: write ${v('iot:ClientId')}`,
  ],
  'a space': [
    [allow('iot:Connect', 'client/lamp ')],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource "${HEAD}client/lamp " has a space that the name does not have`,
  ],
  'the group of a shared subscription': [
    [allow('iot:Subscribe', 'topicfilter/a')],
    ['iot:Subscribe', 'topicfilter/$share/g/a'],
    `${NEAREST}Resource ${HEAD}topicfilter/a leaves out the group of a shared subscription: write topicfilter/$share/g/a`,
  ],
  'another region': [
    [allow('iot:Publish', `arn:aws:iot:eu-west-1:${ACCOUNT}:topic/a`)],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource arn:aws:iot:eu-west-1:${ACCOUNT}:topic/a has the region eu-west-1, and us-east-1 was asked for`,
  ],
  'another account': [
    [allow('iot:Publish', 'arn:aws:iot:us-east-1:210987654321:topic/a')],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource arn:aws:iot:us-east-1:210987654321:topic/a has the account 210987654321, and ${ACCOUNT} was asked for`,
  ],
  'no account': [
    [allow('iot:Publish', 'arn:aws:iot:us-east-1::topic/a')],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource arn:aws:iot:us-east-1::topic/a has the account left empty, and ${ACCOUNT} was asked for`,
  ],
  'another partition, and another name': [
    [allow('iot:Publish', `arn:aws-cn:iot:us-east-1:${ACCOUNT}:topic/b`)],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource arn:aws-cn:iot:us-east-1:${ACCOUNT}:topic/b has the partition aws-cn, and aws was asked for, ` +
      'and is not for the topic a',
  ],
  'another service': [
    [allow('iot:Publish', `arn:aws:iotdata:us-east-1:${ACCOUNT}:topic/a`)],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}Resource arn:aws:iotdata:us-east-1:${ACCOUNT}:topic/a has the service iotdata, and iot was asked for`,
  ],
  'another client id': [
    [allow('iot:Connect', 'client/lamp1')],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}client/lamp1 is not for the client id lamp`,
  ],
  'the value of a variable': [
    [allow('iot:Publish', `topic/${v('iot:ClientId')}/x`)],
    ['iot:Publish', 'topic/other/x'],
    `${NEAREST}Resource ${HEAD}topic/${v('iot:ClientId')}/x is not for the topic other/x (here topic/lamp/x)`,
  ],
  'a value that is not put in': [
    [allow('iot:Publish', `topic/${v('iot:ClientId')}/x`)],
    ['iot:Publish', 'topic/a+/x', { clientId: 'a+' }],
    `${NEAREST}Resource ${HEAD}topic/${v('iot:ClientId')}/x matches nothing, as the variable ${v('iot:ClientId')} is a+ here, ` +
      'which is not put in (empty, too long, or one of * $ + ? #)',
  ],
  'no client id': [
    [allow('iot:Publish', `topic/${v('iot:ClientId')}`)],
    ['iot:Publish', 'topic/lamp', { protocol: 'http' }],
    `${NEAREST}Resource ${HEAD}topic/${v('iot:ClientId')} matches nothing, as the variable ${v('iot:ClientId')} ` +
      'has no value here: the request has no client id, as over HTTPS',
  ],
  'no thing': [
    [allow('iot:Connect', `client/${v('iot:Connection.Thing.ThingName')}`)],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}client/${v('iot:Connection.Thing.ThingName')} matches nothing, as the variable ` +
      `${v('iot:Connection.Thing.ThingName')} has no value here: the client id is not the name of a thing that the ` +
      'certificate is attached to (aws iot attach-thing-principal)',
  ],
  'no attribute': [
    [allow('iot:Connect', `client/${v('iot:Connection.Thing.Attributes[room]')}`)],
    ['iot:Connect', 'client/lamp', thing({})],
    `${NEAREST}Resource ${HEAD}client/${v('iot:Connection.Thing.Attributes[room]')} matches nothing, as the variable ` +
      `${v('iot:Connection.Thing.Attributes[room]')} has no value here: the thing has no attribute room`,
  ],
  'a misspelt variable': [
    [allow('iot:Connect', `client/${v('iot:ClientIdd')}`)],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}Resource ${HEAD}client/${v('iot:ClientIdd')} matches nothing, as the variable ${v('iot:ClientIdd')} ` +
      `has no value here: ${v('iot:ClientId')} may be meant`,
  ],
  'a condition on the address': [
    [allow('iot:Connect', '*', { IpAddress: { 'aws:SourceIp': ['192.168.0.0/16', '172.16.0.0/12'] } })],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}condition IpAddress aws:SourceIp wants 192.168.0.0/16 or 172.16.0.0/12, and the request has 10.0.0.1`,
  ],
  'a condition on a key that is absent': [
    [allow('iot:Connect', '*', { StringEquals: { 'iot:LastWillTopic': 'x' } })],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}condition StringEquals iot:LastWillTopic wants x, and the request has no iot:LastWillTopic`,
  ],
  'a condition on the features of CONNECT': [
    [allow('iot:Connect', '*', { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill'] } })],
    ['iot:Connect', 'client/lamp', { connectAttributes: ['PersistentConnect'] }],
    `${NEAREST}condition ForAllValues:StringEquals iot:ConnectAttributes wants LastWill, and the request has PersistentConnect`,
  ],
  'a condition on a key that is not known': [
    [allow('iot:Connect', '*', { StringEquals: { 'iot:Nothing': 'x' } })],
    ['iot:Connect', 'client/lamp'],
    `${NEAREST}condition StringEquals iot:Nothing wants x, and no request has the key iot:Nothing here`,
  ],
  'the nearest of several': [
    [allow('iot:Connect', 'client/lamp'), allow('iot:Publish', 'topic/dt/*'), allow('iot:Publish', 'topic/cmd/tv')],
    ['iot:Publish', 'topic/cmd/lamp'],
    `the nearest is statement #3 of policy p: its Resource ${HEAD}topic/cmd/tv is not for the topic cmd/lamp`,
  ],
  NotResource: [
    [{ Effect: 'Allow', Action: 'iot:Publish', NotResource: `${HEAD}topic/a` }],
    ['iot:Publish', 'topic/a'],
    `${NEAREST}NotResource ${HEAD}topic/a excludes ${HEAD}topic/a`,
  ],
  'Deny alone': [[deny('iot:Publish', 'topic/b')], ['iot:Publish', 'topic/a'], 'no statement of policy p has Effect Allow'],
  'a Deny': [
    [allow('iot:*', '*'), { ...deny('iot:Publish', 'topic/a'), Sid: 'quiet' }],
    ['iot:Publish', 'topic/a'],
    `statement quiet of policy p has Effect Deny and Resource ${HEAD}topic/a`,
  ],
  'a Deny by a condition': [
    [allow('iot:*', '*'), deny('iot:Connect', '*', { StringNotLike: { 'iot:ClientId': 'factory-*' } })],
    ['iot:Connect', 'client/lamp'],
    'statement #2 of policy p has Effect Deny and Resource *; its condition StringNotLike iot:ClientId factory-* holds, as the ' +
      'request has lamp',
  ],
  'a Deny by NotAction': [
    [allow('iot:*', '*'), { Effect: 'Deny', NotAction: ['iot:Connect'], Resource: '*' }],
    ['iot:Publish', 'topic/a'],
    'statement #2 of policy p has Effect Deny and Resource *; its NotAction is iot:Connect, which covers all other actions',
  ],
  'the right action, and all else wrong': [
    [allow(['iot:Connect', 'iot:Publish'], 'arn:aws-cn:iot:cn-north-1:999999999999:topic/x')],
    ['iot:Publish', 'topic/devices/lamp/temperature'],
    `${NEAREST}Resource arn:aws-cn:iot:cn-north-1:999999999999:topic/x has the partition aws-cn, and aws was asked for, and has ` +
      `the region cn-north-1, and us-east-1 was asked for, and has the account 999999999999, and ${ACCOUNT} was asked for, ` +
      'and is not for the topic devices/lamp/temperature',
  ],
  'a Deny in doubt': [
    [allow('iot:*', '*'), deny('iot:Publish', `topic/${v('iot:Certificate.SerialNumber')}`)],
    ['iot:Publish', 'topic/a'],
    `statement #2 of policy p has Effect Deny and Resource ${HEAD}topic/${v('iot:Certificate.SerialNumber')}; it counts as ` +
      `denying, as the variable ${v('iot:Certificate.SerialNumber')} has no value here: the client has shown no certificate ` +
      'that holds it',
  ],
};

for (const [name, [statements, [action, resource, facts], words]] of Object.entries(rows))
  test(`the words of a refusal: ${name}`, () => assert.equal(explained(statements, action, resource, facts), words));

test('a policy that can not be read is named', () => {
  const compiled = compilePolicies([{ policyName: 'lost', document: '' }]);
  const decision = bindPermissions(compiled, deviceContext(FACTS)).decide('iot:Connect', `${HEAD}client/lamp`);
  assert.equal(decision.explain?.(), 'policy lost is attached, and is missing or can not be read');
});

test('what is compared is bounded, however many policies and resources there are', () => {
  const resources = Array.from({ length: 36 }, (_, n) => `${HEAD}topic/${n}/*/${'?'.repeat(20)}`);
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'iot:Publish', Resource: resources }],
  });
  const compiled = compilePolicies(Array.from({ length: 300 }, (_, n) => ({ policyName: `p${n}`, document })));
  const made = mock.method(Pattern.prototype, 'matches');
  const decision = bindPermissions(compiled, deviceContext(FACTS)).decide('iot:Publish', `${HEAD}topic/${'x/'.repeat(100)}`);
  made.mock.resetCalls();
  decision.explain?.();
  assert.ok(made.mock.callCount() < 1_500, String(made.mock.callCount()));
  made.mock.restore();
});

test('long texts of a policy are cut', () => {
  const words = explained([allow('iot:Publish', `topic/${'x'.repeat(900)}`)], 'iot:Publish', `topic/${'y'.repeat(900)}`) ?? '';
  assert.ok(words.length < 500, String(words.length));
});
