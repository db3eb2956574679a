/** What a rule's record says of its author goes with each action: exempt hosts, roles that IAM does not keep. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRule } from './compiled-rule.ts';
import { checkRegions } from './rule-region.ts';
import { rolesInText, rolesNamed } from './roles-named.ts';

const roleArn = 'arn:aws:iam::000000000000:role/r';
const sqs = { sqs: { roleArn, queueUrl: 'http://q/1' } };
const http = (url: string) => ({ http: { url, confirmationUrl: url } });
const given = { sql: "SELECT * FROM 'a'", awsIotSqlVersion: '2016-03-23' } as const;

test('a host is the root’s word when the root wrote the rule and no template stands there', () => {
  const of = (url: string, byRoot: boolean | undefined): boolean | undefined =>
    parseRule({ ...given, byRoot, actions: [http(url)] }).actions[0]?.hostByRoot;
  assert.equal(of('http://127.0.0.1/${a}', true), true);
  assert.equal(of('http://${a}/', true), false);
  assert.equal(of('http://127.0.0.1/', false), false);
  // A record of before authors were kept.
  assert.equal(of('http://127.0.0.1/', undefined), false);
});

test('a rule is read once for all that is asked of it', () => {
  const record = { ...given, sql: "SELECT a AS once FROM 'a'", actions: [sqs] };
  const { query } = parseRule(record);
  rolesInText('CreateTopicRule', { topicRulePayload: { ...structuredClone(record), description: undefined } });
  assert.equal(parseRule({ ...structuredClone(record), byRoot: true }).query, query);
  assert.notEqual(parseRule({ ...record, actions: [] }).query, query);
});

test('an action has one member; an error action may have more, and the first by name is done (probe pf-iot-topicrule-action-exactly-one)', () => {
  const refused = (action: object, message: string): void =>
    assert.throws(() => parseRule({ ...given, actions: [action] }), { code: 'InvalidRequestException', message });
  refused({}, 'Empty actions are not allowed. Please define one type of action');
  const two = { sqs: sqs.sqs, republish: { roleArn, topic: 't' } };
  refused(two, 'Each object in the actions list can only have one action defined');
  const { errorAction } = parseRule({ ...given, actions: [sqs], errorAction: two });
  assert.equal(errorAction?.key, 'republish');
  assert.throws(() => parseRule({ ...given, actions: [sqs], errorAction: {} }), { code: 'InvalidRequestException' });
});

test('a function and a topic are of the region of the rule that names them (page accessing-cross-account-resources-using-rules)', () => {
  const functionArn = 'arn:aws:lambda:eu-west-1:000000000000:function:f';
  const targetArn = 'arn:aws:sns:eu-west-1:111122223333:t';
  const place = { region: 'us-east-1', accountId: '000000000000' };
  const sns = { sns: { targetArn, roleArn } };
  for (const rule of [{ actions: [{ lambda: { functionArn } }] }, { actions: [sns] }, { actions: [sqs], errorAction: sns }]) {
    assert.throws(() => checkRegions(rule, place), {
      code: 'InvalidRequestException',
      message: /eu-west-1 can not be used by a rule of us-east-1/,
    });
    checkRegions(rule, { ...place, region: 'eu-west-1' });
  }
  const template = 'arn:aws:lambda:${region}:000000000000:function:f';
  for (const name of [template, 'http://127.0.0.1/f', 'f', undefined])
    checkRegions({ actions: [{ lambda: { functionArn: name } }] }, place);
});

test('a role is foreign when the record says so, for every kind of action and the error action', () => {
  const parsed = parseRule({
    ...given,
    foreignRoles: [roleArn],
    actions: [sqs, { republish: { roleArn: `${roleArn}2`, topic: 't' } }],
    errorAction: sqs,
  });
  assert.deepEqual(
    [...parsed.actions, parsed.errorAction].map((action) => action?.foreignRole),
    [true, false, true],
  );
  assert.equal(parseRule({ ...given, actions: [sqs] }).actions[0]?.foreignRole, false);
});

test('roles are found in actions and text; a rule that can not be read names none here', () => {
  const auth = { sigv4: { signingRegion: 'us-east-1', serviceName: 's', roleArn: `${roleArn}-sigv4` } };
  const topic = `\${get_registry_data('DescribeThing', 't', '${roleArn}-text').thingName}`;
  const actions = [sqs, { http: { url: 'https://a/', auth } }, { republish: { roleArn, topic } }];
  assert.deepEqual(new Set(rolesNamed({ ...given, actions })), new Set([roleArn, `${roleArn}-sigv4`, `${roleArn}-text`]));
  assert.deepEqual(rolesInText('CreateTopicRule', { topicRulePayload: { ...given, actions } }).length, 3);
  for (const payload of [
    { ...given, sql: 'SELECT', actions },
    { ...given, awsIotSqlVersion: '2020-01-01', actions },
    { ...given, awsIotSqlVersion: 'toString', actions },
    { ...given, actions: [{}] },
    {},
    undefined,
  ])
    assert.deepEqual(rolesInText('ReplaceTopicRule', { topicRulePayload: payload }), []);
  assert.deepEqual(rolesInText('CreateThing', { topicRulePayload: { ...given, actions } }), []);
});
