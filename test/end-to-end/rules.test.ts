/** Topic rules from the API to the subscribers, with real connections (fact sheet section 6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Action,
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  type IoTServiceException,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
} from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT } from './devices.ts';
import { message, republish, ROLE, RuleBench } from './rule-bench.ts';
import { until } from './until.ts';

test('a rule selects, filters and sends on; templates see the message as it came (6.2, 6.6)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule(
    'hot',
    "SELECT temperature AS t, topic(2) AS who, clientid() AS id FROM 'sensors/+/data' WHERE temperature > 50",
    [republish('alarms/${topic(2)}/${temperature}', { qos: 1 })],
  );
  using listener = await bench.listener('alarms/#');
  using device = await bench.connect('boiler');
  device.publish('sensors/boiler/data', '{"temperature": 20}');
  device.publish('sensors/boiler/other', '{"temperature": 90}');
  device.publish('sensors/boiler/data', 'no JSON');
  device.publish('sensors/boiler/data', '{"temperature": 51, "more": [1, 2]}', { qos: 1 });
  assert.deepEqual(await message(listener), ['alarms/boiler/51', '{"t":51,"who":"boiler","id":"boiler"}']);
  assert.ok(await listener.nothingCame());
  const labels = `account="${ACCOUNT}",region="us-east-1",rule="hot"`;
  assert.equal(await bench.metric(new RegExp(`thingkeep_rule_topic_match_total\\{${labels}\\}`)), 3);
  assert.equal(await bench.metric(new RegExp(`thingkeep_rule_passed_total\\{${labels}\\}`)), 1);
  assert.equal(
    await bench.metric(new RegExp(`thingkeep_rule_action_success_total\\{${labels},action="0",type="RepublishAction"\\}`)),
    1,
  );
});

test('republish sets headers of MQTT 5, from templates too (6.7)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('with_headers', "SELECT * FROM 'in'", [
    republish('out', {
      headers: {
        contentType: 'application/json',
        payloadFormatIndicator: 'UTF8_DATA',
        responseTopic: 'answers/${clientid()}',
        correlationData: Buffer.from('c-1').toString('base64'),
        messageExpiry: '60',
        userProperties: [{ key: 'n', value: '${n}' }],
      },
    }),
  ]);
  using listener = await bench.listener('out', 5);
  using device = await bench.connect('sender', 5);
  device.publish('in', '{"n":7}');
  const { properties, payload } = (await listener.next()) as IPublishPacket;
  assert.equal(payload.toString(), '{"n":7}');
  assert.deepEqual(
    { ...properties, userProperties: { ...properties?.userProperties } },
    {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'application/json',
      responseTopic: 'answers/sender',
      correlationData: Buffer.from('c-1'),
      userProperties: { n: '7' },
    },
  );
});

test('Basic Ingest goes to its rule alone, without its prefix; a rule that is not there is counted (6.9)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('ingest', "SELECT *, topic() AS topic FROM 'elsewhere'", [republish('got')]);
  await bench.rule('without_from', 'SELECT topic(1) AS first', [republish('got')]);
  using listener = await bench.listener('got');
  using device = await bench.connect('ingester');
  device.publish('$aws/rules/ingest/a/b', '{"x":1}');
  assert.deepEqual(await message(listener), ['got', '{"x":1,"topic":"a/b"}']);
  device.publish('$aws/rules/without_from/only', '{}');
  assert.deepEqual(await message(listener), ['got', '{"first":"only"}']);
  device.publish('$aws/rules/nobody/a', '{}', { qos: 1 });
  assert.equal((await device.next()).cmd, 'puback');
  assert.equal(await bench.metric(/thingkeep_rule_not_found_total/), 1);
});

test('disabled, replaced, deleted: what counts is the rule of the moment (6.1)', async () => {
  await using bench = await RuleBench.open();
  const { iot } = bench.server;
  await bench.rule('r', "SELECT 1 AS v FROM 'in'", [republish('out')], { ruleDisabled: true });
  using listener = await bench.listener('out');
  using device = await bench.connect('d');
  const publish = async (): Promise<void> => {
    device.publish('in', '{}', { qos: 1 });
    assert.equal((await device.next()).cmd, 'puback');
  };
  await publish();
  assert.ok(await listener.nothingCame());
  await iot.send(new EnableTopicRuleCommand({ ruleName: 'r' }));
  await publish();
  assert.deepEqual(await message(listener), ['out', '{"v":1}']);
  const topicRulePayload = { sql: "SELECT 2 AS v FROM 'in'", actions: [republish('out')] };
  await iot.send(new ReplaceTopicRuleCommand({ ruleName: 'r', topicRulePayload }));
  await publish();
  assert.deepEqual(await message(listener), ['out', '{"v":2}']);
  await iot.send(new DisableTopicRuleCommand({ ruleName: 'r' }));
  await publish();
  await iot.send(new EnableTopicRuleCommand({ ruleName: 'r' }));
  await iot.send(new DeleteTopicRuleCommand({ ruleName: 'r' }));
  await publish();
  assert.ok(await listener.nothingCame());
});

test('the odd answers of the API (6.1)', async () => {
  await using bench = await RuleBench.open();
  const { iot } = bench.server;
  const get = (ruleName: string) => iot.send(new GetTopicRuleCommand({ ruleName }));
  await bench.rule('known', "SELECT * FROM 'a/b'", [republish('x')], { awsIotSqlVersion: undefined, description: 'd' });
  const { rule, ruleArn } = await get('known');
  assert.equal(ruleArn, `arn:aws:iot:us-east-1:${ACCOUNT}:rule/known`);
  assert.equal(rule?.awsIotSqlVersion, '2015-10-08');
  assert.deepEqual(
    [rule?.sql, rule?.description, rule?.ruleDisabled, rule?.actions],
    ["SELECT * FROM 'a/b'", 'd', false, [republish('x')]],
  );
  const refused = await get('unknown').then(
    () => assert.fail('an unknown rule was found'),
    (error: IoTServiceException) => error,
  );
  assert.deepEqual(
    [refused.name, refused.message, refused.$metadata.httpStatusCode],
    ['UnauthorizedException', "Access to topic rule 'unknown' was denied", 401],
  );
  await assert.rejects(bench.rule('known', "SELECT * FROM 'a'", []), { name: 'ResourceAlreadyExistsException' });
  await assert.rejects(bench.rule('bad', "SELECT FROM 'a'", []), { name: 'SqlParseException' });
  await assert.rejects(bench.rule('bad', "SELECT * FROM 'a'", [{} as Action]), { name: 'InvalidRequestException' });
  await assert.rejects(bench.rule('bad', "SELECT * FROM 'a'", [republish('${1 +}')]), { name: 'SqlParseException' });
  await iot.send(new DeleteTopicRuleCommand({ ruleName: 'unknown' }));
  for (const ruleName of ['b', 'c', 'd']) await bench.rule(ruleName, `SELECT * FROM '${ruleName}'`, []);
  const first = await iot.send(new ListTopicRulesCommand({ maxResults: 3 }));
  assert.deepEqual(
    first.rules?.map((each) => each.ruleName),
    ['b', 'c', 'd'],
  );
  const second = await iot.send(new ListTopicRulesCommand({ maxResults: 3, nextToken: first.nextToken }));
  assert.deepEqual(
    second.rules?.map((each) => [each.ruleName, each.topicPattern]),
    [['known', 'a/b']],
  );
  assert.equal(second.nextToken, undefined);
  const some = await iot.send(new ListTopicRulesCommand({ topic: 'c' }));
  assert.deepEqual(
    some.rules?.map((each) => each.ruleName),
    ['c'],
  );
});

test("a rule's failure goes to its error action with AWS's document, and to whoever watches (6.8)", async () => {
  await using bench = await RuleBench.open();
  await bench.rule(
    'failing',
    "SELECT * FROM 'in'",
    [republish('bad/+/topic'), { sqs: { roleArn: ROLE, queueUrl: 'http://q/1' } }],
    {
      errorAction: republish('errors/${topic()}'),
    },
  );
  using listener = await bench.listener('errors/#');
  using watcher = await bench.listener('$thingkeep/events/rules/#');
  using device = await bench.connect('d-1');
  device.publish('in', '{"a":1}', { qos: 1 });
  const [topic, text] = await message(listener);
  assert.equal(topic, 'errors/in');
  const { cloudwatchTraceId, failures, ...rest } = JSON.parse(text) as Record<string, unknown>;
  assert.match(String(cloudwatchTraceId), /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, {
    ruleName: 'failing',
    topic: 'in',
    clientId: 'd-1',
    sourceIp: '127.0.0.1',
    base64OriginalPayload: Buffer.from('{"a":1}').toString('base64'),
  });
  assert.deepEqual(failures, [
    {
      failedAction: 'RepublishAction',
      failedResource: 'bad/+/topic',
      errorMessage: 'the topic is not valid: + and # are for filters, where each is a level of its own and # the last one',
    },
    {
      failedAction: 'SqsAction',
      failedResource: 'http://q/1',
      errorMessage: 'the server has no endpoint for sqs: it is started with --action-endpoints sqs=URL',
    },
  ]);
  const [place, told] = await message(watcher);
  assert.equal(place, '$thingkeep/events/rules/failing/failed');
  assert.match(told, /"ruleName":"failing"/);
});

test('rules that feed themselves are stopped, and it is said', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('circle', "SELECT n + 1 AS n FROM 'round'", [republish('round')], { errorAction: republish('stopped') });
  await bench.rule(
    'flood',
    "SELECT * FROM 'many'",
    Array.from({ length: 10 }, () => republish('many')),
  );
  using listener = await bench.listener('round');
  using stopped = await bench.listener('stopped');
  using device = await bench.connect('d');
  device.publish('round', '{"n":0}');
  for (let n = 0; n <= 10; n += 1) assert.deepEqual(await message(listener), ['round', `{"n":${n}}`]);
  const [, text] = await message(stopped);
  assert.match(text, /too many rules/);
  assert.ok(await listener.nothingCame());
  device.publish('many', '{}', { qos: 1 });
  assert.equal((await device.next()).cmd, 'puback');
  await until('the flood to be counted', async () =>
    (await bench.metric(/thingkeep_rule_loops_total\{.*rule="flood"\}/)) > 0 ? true : undefined,
  );
});

test('rules see lifecycle events, retained messages, wills and messages over HTTP', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('presence', "SELECT clientId FROM '$aws/events/presence/connected/#'", [republish('seen/presence')]);
  await bench.rule('rest', "SELECT *, clientid() AS by FROM 'from/#'", [republish('seen/rest')]);
  using listener = await bench.listener('seen/#');
  using device = await DeviceConnection.admitted(bench.server, 4, 'mortal', bench.device, {
    will: { topic: 'from/will', payload: Buffer.from('{"w":1}'), qos: 0, retain: false },
  });
  assert.deepEqual(await message(listener), ['seen/presence', '{"clientId":"mortal"}']);
  device.publish('from/retained', '{"r":1}', { retain: true });
  assert.deepEqual(await message(listener), ['seen/rest', '{"r":1,"by":"mortal"}']);
  device.socket.destroy();
  assert.deepEqual(await message(listener), ['seen/rest', '{"w":1,"by":"mortal"}']);
  const { PublishCommand } = await import('@aws-sdk/client-iot-data-plane');
  await bench.server.iotData.send(new PublishCommand({ topic: 'from/http', payload: Buffer.from('{"h":1}') }));
  const [, text] = await message(listener);
  assert.match(text, /"h":1/);
});
