/** Actions of rules against running peers: moto's services where it has them, else a receiver that looks at the request (6.7). */
// needs: moto
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CloudWatchClient, DescribeAlarmsCommand, ListMetricsCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { type Action, CreateTopicRuleCommand, DeleteTopicRuleCommand } from '@aws-sdk/client-iot';
import { CreateStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateStateMachineCommand, DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { HttpReceiver } from './http-receiver.ts';
import { type Moto, MOTO_ACCOUNT, startMoto } from './moto.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const roleArn = `arn:aws:iam::${MOTO_ACCOUNT}:role/actions`;
/** Services that moto does not have. */
const RECEIVED = ['iotevents', 'iotsitewise', 'geo', 'iotanalytics', 'es', 'timestream'];

describe('actions', () => {
  let moto: Moto;
  let receiver: HttpReceiver;
  let server: TestServer;
  let device: Device;
  let sender: DeviceConnection;
  const client = () => ({
    endpoint: moto.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

  before(async () => {
    moto = await startMoto();
    receiver = await HttpReceiver.open();
    const others = RECEIVED.map((service) => `${service}=${receiver.url}`);
    const known = ['dynamodb', 'firehose', 'kinesis', 'logs', 'monitoring', 's3', 'sns', 'sqs', 'states'];
    const args = ['--account-id', MOTO_ACCOUNT, '--log-level', 'warn'];
    const named = [...known.map((service) => `${service}=${moto.url}`), ...others].join(',');
    server = await startServer({ args: [...args, '--action-endpoints', named] });
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'device', 'all');
    sender = await DeviceConnection.admitted(server, 4, 'sender', device);
  });

  after(async () => {
    sender.socket.destroy();
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
    await moto[Symbol.asyncDispose]();
  });

  /** A rule with the one action, and a message for it. */
  async function act(action: Action, message: string | Buffer, sql = "SELECT * FROM 'in'"): Promise<void> {
    const ruleName = `rule_${Object.keys(action)[0]}`;
    await server.iot.send(
      new CreateTopicRuleCommand({ ruleName, topicRulePayload: { sql, actions: [action], awsIotSqlVersion: '2016-03-23' } }),
    );
    sender.send({ cmd: 'publish', topic: 'in', payload: message, qos: 1, messageId: 1, dup: false, retain: false });
    assert.equal((await sender.next()).cmd, 'puback');
    // The order is the rule's no more: it is done all the same.
    await server.iot.send(new DeleteTopicRuleCommand({ ruleName }));
  }

  test('sqs, as text and as Base64', async () => {
    const sqs = new SQSClient(client());
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'q' }));
    const received = () =>
      until('a message', async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0]?.Body);
    await act({ sqs: { roleArn, queueUrl: QueueUrl } }, '{"a":1}');
    assert.equal(await received(), '{"a":1}');
    await act({ sqs: { roleArn, queueUrl: QueueUrl, useBase64: true } }, Buffer.of(0, 255, 1));
    assert.equal(await received(), Buffer.of(0, 255, 1).toString('base64'));
    // Where the queue is said to be does not lead the server elsewhere.
    await act({ sqs: { roleArn, queueUrl: QueueUrl.replace(moto.url, 'http://192.0.2.1') } }, '{"b":1}');
    assert.equal(await received(), '{"b":1}');
  });

  test('sns', async () => {
    const sns = new SNSClient(client());
    const sqs = new SQSClient(client());
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 't' }));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'of-t' }));
    const Endpoint = `arn:aws:sqs:us-east-1:${MOTO_ACCOUNT}:of-t`;
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } }));
    await act({ sns: { roleArn, targetArn: TopicArn, messageFormat: 'RAW' } }, '{"a":1}');
    const body = () => until('it', async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0]?.Body);
    assert.equal(await body(), '{"a":1}');
    await act({ sns: { roleArn, targetArn: TopicArn, messageFormat: 'JSON' } }, '{"default":"d","sqs":"for sqs"}');
    assert.match((await body()) ?? '', /for sqs|^d$/);
  });

  test('s3, with a key of templates and bytes as they are', async () => {
    const s3 = new S3Client({ ...client(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    await act(
      { s3: { roleArn, bucketName: 'bucket', key: '${topic()}/${clientid()}', cannedAcl: 'public-read' } },
      Buffer.of(0, 200, 3),
    );
    await until('the object', async () => (await s3.send(new ListObjectsV2Command({ Bucket: 'bucket' }))).Contents?.[0]);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'in/sender' }));
    assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), Buffer.of(0, 200, 3));
  });

  test('kinesis', async () => {
    const kinesis = new KinesisClient({ ...client(), requestHandler: new NodeHttpHandler() });
    await kinesis.send(new CreateStreamCommand({ StreamName: 's', ShardCount: 1 }));
    await act({ kinesis: { roleArn, streamName: 's', partitionKey: '${topic()}' } }, '{"a":1}');
    const iterator = { StreamName: 's', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' } as const;
    const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(iterator));
    const record = await until(
      'a record',
      async () => (await kinesis.send(new GetRecordsCommand({ ShardIterator }))).Records?.[0],
    );
    assert.deepEqual([record.PartitionKey, Buffer.from(record.Data ?? []).toString()], ['in', '{"a":1}']);
  });

  test('firehose, an array as records, with a separator', async () => {
    const s3 = new S3Client({ ...client(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'hose' }));
    const destination = { RoleARN: roleArn, BucketARN: 'arn:aws:s3:::hose' };
    await new FirehoseClient(client()).send(
      new CreateDeliveryStreamCommand({ DeliveryStreamName: 'f', ExtendedS3DestinationConfiguration: destination }),
    );
    await act(
      { firehose: { roleArn, deliveryStreamName: 'f', separator: '\n', batchMode: true } },
      '[{"n":1},{"n":2}]',
      "SELECT VALUE * FROM 'in'",
    );
    const { Key } = await until(
      'the object',
      async () => (await s3.send(new ListObjectsV2Command({ Bucket: 'hose' }))).Contents?.[0],
    );
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'hose', Key }));
    assert.equal(await Body?.transformToString(), '{"n":1}\n{"n":2}\n');
  });

  test('dynamoDB and dynamoDBv2', async () => {
    const dynamo = new DynamoDBClient(client());
    const table = async (TableName: string, KeyType: 'N' | 'S'): Promise<void> => {
      await dynamo.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: KeyType }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        }),
      );
    };
    const item = (TableName: string, id: { N: string } | { S: string }) =>
      dynamo.send(new GetItemCommand({ TableName, Key: { id } })).then(({ Item }) => Item);
    await table('one', 'N');
    const one = { roleArn, tableName: 'one', hashKeyField: 'id', hashKeyValue: '${id}', hashKeyType: 'NUMBER' } as const;
    await act({ dynamoDB: { ...one, payloadField: 'data' } }, '{"id":7,"t":{"c":1.5}}');
    assert.deepEqual(await until('the item', () => item('one', { N: '7' })), {
      id: { N: '7' },
      data: { M: { id: { N: '7' }, t: { M: { c: { N: '1.5' } } } } },
    });
    await act({ dynamoDB: { ...one, operation: 'UPDATE', payloadField: 'data' } }, '{"id":7}');
    await until('the change', async () =>
      Object.keys((await item('one', { N: '7' }))?.data?.M ?? {}).length === 1 ? true : undefined,
    );
    await act({ dynamoDB: { ...one, operation: 'DELETE' } }, '{"id":7}');
    await until('the end', async () => ((await item('one', { N: '7' })) === undefined ? true : undefined));
    await table('two', 'S');
    await act(
      { dynamoDBv2: { roleArn, putItem: { tableName: 'two' } } },
      '{"id":"x","n":1,"big":12345678901234567890123,"l":[true,null,"s"]}',
    );
    assert.deepEqual(await until('the item', () => item('two', { S: 'x' })), {
      // More digits than a double has.
      id: { S: 'x' },
      n: { N: '1' },
      big: { N: '12345678901234567890123' },
      l: { L: [{ BOOL: true }, { NULL: true }, { S: 's' }] },
    });
  });

  test('cloudwatchMetric and cloudwatchAlarm', async () => {
    const cloudwatch = new CloudWatchClient(client());
    const metric = { metricNamespace: 'ns', metricName: 'temperature', metricValue: '${t}', metricUnit: 'None' };
    await act({ cloudwatchMetric: { roleArn, ...metric } }, '{"t":21.5}');
    const found = async () => (await cloudwatch.send(new ListMetricsCommand({ Namespace: 'ns' }))).Metrics?.[0]?.MetricName;
    assert.equal(await until('the metric', found), 'temperature');
    await cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName: 'a',
        Namespace: 'ns',
        MetricName: 'temperature',
        Period: 60,
        Statistic: 'Average',
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
    await act({ cloudwatchAlarm: { roleArn, alarmName: 'a', stateReason: 'r ${t}', stateValue: 'ALARM' } }, '{"t":1}');
    const state = async () => {
      const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: ['a'] }));
      return MetricAlarms[0]?.StateValue === 'ALARM' ? MetricAlarms[0].StateReason : undefined;
    };
    assert.equal(await until('the alarm', state), 'r 1');
  });

  test('cloudwatchLogs: the stream comes with the first event; batches too', async () => {
    const logs = new CloudWatchLogsClient(client());
    await logs.send(new CreateLogGroupCommand({ logGroupName: 'g' }));
    await logs.send(new PutRetentionPolicyCommand({ logGroupName: 'g', retentionInDays: 1 }));
    const messages = async (count: number) => {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: 'g' }));
      return events.length >= count ? events.map(({ message }) => message) : undefined;
    };
    await act({ cloudwatchLogs: { roleArn, logGroupName: 'g' } }, '{"a":1}');
    assert.deepEqual(await until('the event', () => messages(1)), ['{"a":1}']);
    const now = Date.now();
    const batch = JSON.stringify([
      { timestamp: now + 2, message: 'second' },
      { timestamp: now + 1, message: 'first' },
    ]);
    await act({ cloudwatchLogs: { roleArn, logGroupName: 'g', batchMode: true } }, batch, "SELECT VALUE * FROM 'in'");
    assert.deepEqual(new Set(await until('the events', () => messages(3))), new Set(['{"a":1}', 'first', 'second']));
  });

  test('stepFunctions', async () => {
    const states = new SFNClient(client());
    const definition = '{"StartAt":"p","States":{"p":{"Type":"Pass","End":true}}}';
    const { stateMachineArn } = await states.send(new CreateStateMachineCommand({ name: 'machine', definition, roleArn }));
    await act({ stepFunctions: { roleArn, stateMachineName: 'machine', executionNamePrefix: 'from' } }, '{"a":1}');
    const execution = await until(
      'the execution',
      async () => (await states.send(new ListExecutionsCommand({ stateMachineArn }))).executions?.[0],
    );
    assert.match(execution.name ?? '', /^from-[0-9a-f-]{36}$/);
    const { executionArn } = execution;
    assert.equal((await states.send(new DescribeExecutionCommand({ executionArn }))).input, '{"a":1}');
  });

  test('timestream: a measure for each member, with the type of its value', async () => {
    const body = async (): Promise<unknown> =>
      JSON.parse((await receiver.got(({ headers }) => headers['x-amz-target'] === 'Timestream_20181101.WriteRecords')).body);
    const dimensions = [{ name: 'device', value: '${clientid()}' }];
    const timestamp = { value: '${at}', unit: 'MILLISECONDS' };
    await act(
      { timestream: { roleArn, databaseName: 'db', tableName: 't', dimensions, timestamp } },
      '{"at":1700000000000,"t":21.5,"ok":true,"name":"x"}',
      "SELECT t, ok, name, 3 AS n FROM 'in'",
    );
    assert.deepEqual(await body(), {
      DatabaseName: 'db',
      TableName: 't',
      CommonAttributes: { Dimensions: [{ Name: 'device', Value: 'sender' }], Time: '1700000000000', TimeUnit: 'MILLISECONDS' },
      Records: [
        { MeasureName: 't', MeasureValueType: 'DOUBLE', MeasureValue: '21.5' },
        { MeasureName: 'ok', MeasureValueType: 'BOOLEAN', MeasureValue: 'true' },
        { MeasureName: 'name', MeasureValueType: 'VARCHAR', MeasureValue: 'x' },
        { MeasureName: 'n', MeasureValueType: 'BIGINT', MeasureValue: '3' },
      ],
    });
  });

  test('openSearch and elasticsearch put signed documents, and nowhere else than the operator has said', async () => {
    const search = { roleArn, index: 'i', type: '_doc', id: '${id}' };
    await act({ openSearch: { ...search, endpoint: receiver.url } }, '{"id":"o 1"}');
    const put = await receiver.got(({ path }) => path === '/i/_doc/o%201');
    assert.deepEqual([put.method, put.body], ['PUT', '{"id":"o 1"}']);
    assert.match(put.headers.authorization ?? '', /^AWS4-HMAC-SHA256 Credential=.*\/us-east-1\/es\/aws4_request/);
    await act({ elasticsearch: { ...search, endpoint: `${receiver.url}/` } }, '{"id":2}');
    await receiver.got(({ path }) => path === '/i/_doc/2');
    await act({ openSearch: { ...search, endpoint: moto.url } }, '{"id":3}');
    await server.logged((line) => line.event === 'rule-failed' && /the endpoint is none/.test(String(line.reason)));
    // What a device says is a name, and no way to another host or another index.
    const template = { roleArn, index: '${i}', type: '${t}', id: '${id}', endpoint: `${receiver.url}/below` };
    const before = receiver.received.length;
    const sql = "SELECT * FROM 'search'";
    const errorAction = { republish: { roleArn, topic: 'refused' } };
    const topicRulePayload = { sql, actions: [{ openSearch: template }], errorAction, awsIotSqlVersion: '2016-03-23' };
    await server.iot.send(new CreateTopicRuleCommand({ ruleName: 'search', topicRulePayload }));
    using listener = await DeviceConnection.admitted(server, 4, 'refused', device);
    listener.subscribe('refused');
    assert.equal((await listener.next()).cmd, 'suback');
    for (const [hostile, reason] of [
      [{ id: '127.0.0.1' }, /the index is empty/],
      [{ i: '..', t: '..', id: 'x' }, /the index is "\.\."/],
      [{ i: 'a', t: '.', id: '..' }, /the type is "\."/],
    ] as const) {
      sender.publish('search', JSON.stringify(hostile));
      const { payload } = (await listener.next()) as IPublishPacket;
      const { failures } = JSON.parse(payload.toString()) as { failures: { errorMessage: string }[] };
      assert.match(failures[0]?.errorMessage ?? '', reason);
    }
    await act({ openSearch: template }, '{"i":"../up","t":"t?x","id":"%2e%2e"}');
    await receiver.got(({ path }) => path === '/below/..%2Fup/t%3Fx/%252e%252e');
    assert.equal(receiver.received.length, before + 1);
  });

  test('iotEvents, iotAnalytics, iotSiteWise, location', async () => {
    const body = async (path: RegExp): Promise<unknown> =>
      JSON.parse((await receiver.got((request) => path.test(request.path))).body);
    await act({ iotEvents: { roleArn, inputName: 'input', messageId: 'm-${n}' } }, '{"n":1}');
    assert.deepEqual(await body(/^\/inputs\/messages/), {
      messages: [{ messageId: 'm-1', inputName: 'input', payload: Buffer.from('{"n":1}').toString('base64') }],
    });
    await act({ iotAnalytics: { roleArn, channelName: 'c', batchMode: true } }, '[1,2]', "SELECT VALUE * FROM 'in'");
    const sent = (await body(/^\/messages\/batch/)) as { channelName: string; messages: { payload: string }[] };
    assert.deepEqual(
      [sent.channelName, sent.messages.map(({ payload }) => Buffer.from(payload, 'base64').toString())],
      ['c', ['1', '2']],
    );
    await act(
      {
        iotSiteWise: {
          roleArn,
          putAssetPropertyValueEntries: [
            {
              entryId: 'e',
              propertyAlias: '/a/${site}',
              propertyValues: [
                {
                  value: { doubleValue: '${t}' },
                  timestamp: { timeInSeconds: '${floor(at / 1000)}', offsetInNanos: '5' },
                  quality: 'GOOD',
                },
              ],
            },
          ],
        },
      },
      '{"site":"s1","t":"21.5","at":1700000000123}',
    );
    assert.deepEqual(await body(/^\/properties/), {
      entries: [
        {
          entryId: 'e',
          propertyAlias: '/a/s1',
          propertyValues: [
            { value: { doubleValue: 21.5 }, timestamp: { timeInSeconds: 1_700_000_000, offsetInNanos: 5 }, quality: 'GOOD' },
          ],
        },
      ],
    });
    const place = { latitude: '${lat}', longitude: '${lon}', timestamp: { value: '${at}', unit: 'MILLISECONDS' } };
    await act(
      { location: { roleArn, trackerName: 'tracker', deviceId: '${clientid()}', ...place } },
      '{"lat":52.5,"lon":13.4,"at":1700000000000}',
    );
    assert.deepEqual(await body(/^\/tracking\/v0\/trackers\/tracker\/positions/), {
      Updates: [{ DeviceId: 'sender', SampleTime: '2023-11-14T22:13:20Z', Position: [13.4, 52.5] }],
    });
  });

  test('a peer that stands still slows nobody down, and gets its messages when it goes on', async () => {
    const sqs = new SQSClient(client());
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'slow' }));
    const sql = "SELECT * FROM 'slow'";
    const actions = [{ sqs: { roleArn, queueUrl: QueueUrl } }];
    await server.iot.send(new CreateTopicRuleCommand({ ruleName: 'slow', topicRulePayload: { sql, actions } }));
    using listener = await DeviceConnection.admitted(server, 4, 'listener', device);
    listener.subscribe('slow');
    assert.equal((await listener.next()).cmd, 'suback');
    moto.pause();
    try {
      for (let n = 0; n < 50; n += 1) {
        sender.send({ cmd: 'publish', topic: 'slow', payload: String(n), qos: 1, messageId: 1, dup: false, retain: false });
        assert.equal((await sender.next()).cmd, 'puback');
        assert.equal(((await listener.next()) as IPublishPacket).payload.toString(), String(n));
      }
    } finally {
      moto.goOn();
    }
    const got = new Set<string>();
    await until(
      'all messages',
      async () => {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        for (const { Body = '' } of Messages) got.add(Body);
        return got.size === 50 ? true : undefined;
      },
      30_000,
    );
  });
});
