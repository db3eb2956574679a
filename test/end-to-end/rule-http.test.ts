/** The http action and its destinations against real receivers (fact sheet 6.7, 6.8; developer guide, https-rule-action). */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Action,
  CreateTopicRuleCommand,
  CreateTopicRuleDestinationCommand,
  ConfirmTopicRuleDestinationCommand,
  DeleteTopicRuleDestinationCommand,
  GetTopicRuleDestinationCommand,
  ListTopicRuleDestinationsCommand,
  type TopicRulePayload,
  UpdateTopicRuleDestinationCommand,
} from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { HttpReceiver } from './http-receiver.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/not-kept-here`;
const isConfirmation = ({ headers }: { headers: object }): boolean => 'x-amz-rules-engine-message-type' in headers;

const rule = (server: TestServer, ruleName: string, topic: string, actions: Action[], more: Partial<TopicRulePayload> = {}) =>
  server.iot.send(
    new CreateTopicRuleCommand({
      ruleName,
      topicRulePayload: { sql: `SELECT * FROM '${topic}'`, awsIotSqlVersion: '2016-03-23', actions, ...more },
    }),
  );

/** A destination that its owner has confirmed by following the link. */
async function confirmed(server: TestServer, receiver: HttpReceiver): Promise<string> {
  const { topicRuleDestination } = await server.iot.send(
    new CreateTopicRuleDestinationCommand({
      destinationConfiguration: { httpUrlConfiguration: { confirmationUrl: `${receiver.url}/` } },
    }),
  );
  const { arn = '' } = topicRuleDestination ?? {};
  const { body } = await receiver.got((request) => request.headers['x-amz-rules-engine-destination-arn'] === arn);
  const answer = await fetch((JSON.parse(body) as { enableUrl: string }).enableUrl);
  assert.equal(answer.status, 200);
  return arn;
}

async function open(args: readonly string[] = []): Promise<{ server: TestServer; device: Device }> {
  const server = await startServer({ args: ['--log-level', 'warn', ...args] });
  await makePolicy(server, 'all', ALLOW_ALL);
  return { server, device: await makeDevice(server, 'device', 'all') };
}

async function publish(device: DeviceConnection, topic: string, text: string): Promise<void> {
  device.publish(topic, text, { qos: 1 });
  assert.equal((await device.next()).cmd, 'puback');
}

test('a destination is asked for its confirmation, enabled by the link or by the API, and only then sent to', async () => {
  await using receiver = await HttpReceiver.open();
  const { server, device } = await open();
  await using _ = server;
  const { iot } = server;
  const created = await iot.send(
    new CreateTopicRuleDestinationCommand({
      destinationConfiguration: { httpUrlConfiguration: { confirmationUrl: `${receiver.url}/hook` } },
    }),
  );
  const { arn = '', status } = created.topicRuleDestination ?? {};
  assert.match(arn, new RegExp(`^arn:aws:iot:us-east-1:${ACCOUNT}:ruledestination/http/[0-9a-f-]{36}$`));
  assert.equal(status, 'IN_PROGRESS');
  const asked = await receiver.got(isConfirmation);
  const document = JSON.parse(asked.body) as Record<string, string>;
  assert.equal(asked.path, `/hook/?confirmationToken=${document.confirmationToken}`);
  assert.equal(asked.headers['x-amz-rules-engine-message-type'], 'DestinationConfirmation');
  assert.equal(asked.headers['x-amz-rules-engine-destination-arn'], arn);
  assert.deepEqual([document.arn, document.messageType], [arn, 'DestinationConfirmation']);

  await rule(server, 'hook', 'in', [
    {
      http: {
        url: `${receiver.url}/hook/\${n}`,
        confirmationUrl: `${receiver.url}/hook`,
        headers: [{ key: 'x-n', value: '${n}' }],
      },
    },
  ]);
  using sender = await DeviceConnection.admitted(server, 4, 's', device);
  await publish(sender, 'in', '{"n":1}');
  await server.logged((line) => line.event === 'rule-failed' && /no destination that is ENABLED/.test(String(line.reason)));
  await assert.rejects(iot.send(new UpdateTopicRuleDestinationCommand({ arn, status: 'ENABLED' })), {
    name: 'InvalidRequestException',
  });
  await assert.rejects(iot.send(new ConfirmTopicRuleDestinationCommand({ confirmationToken: 'x'.repeat(43) })), {
    name: 'InvalidRequestException',
  });
  await iot.send(new ConfirmTopicRuleDestinationCommand({ confirmationToken: document.confirmationToken }));
  const known = await iot.send(new GetTopicRuleDestinationCommand({ arn }));
  assert.equal(known.topicRuleDestination?.status, 'ENABLED');
  const listed = await iot.send(new ListTopicRuleDestinationsCommand({}));
  assert.deepEqual(
    listed.destinationSummaries?.map((each) => each.httpUrlSummary),
    [{ confirmationUrl: `${receiver.url}/hook` }],
  );

  await publish(sender, 'in', '{"n":2}');
  const got = await receiver.got(({ path }) => path === '/hook/2');
  assert.deepEqual(
    [got.method, got.body, got.headers['x-n'], got.headers['content-type']],
    ['POST', '{"n":2}', '2', 'application/json'],
  );
  await iot.send(new UpdateTopicRuleDestinationCommand({ arn, status: 'DISABLED' }));
  await iot.send(new UpdateTopicRuleDestinationCommand({ arn, status: 'ENABLED' }));
  await publish(sender, 'in', 'not JSON, n is nothing');
  const raw = await receiver.got(({ path }) => path === '/hook/');
  assert.deepEqual([raw.body, raw.headers['content-type']], ['not JSON, n is nothing', 'application/octet-stream']);
  await iot.send(new DeleteTopicRuleDestinationCommand({ arn }));
  await assert.rejects(iot.send(new GetTopicRuleDestinationCommand({ arn })), { name: 'UnauthorizedException' });
});

test('three tries for 429 and 5xx, one for anything else; then the error action has the document (6.7, 6.8)', async () => {
  await using receiver = await HttpReceiver.open();
  const { server, device } = await open();
  await using _ = server;
  await confirmed(server, receiver);
  receiver.status = ({ path }) => Number(path.slice(1));
  await rule(server, 'post', 'post', [{ http: { url: `${receiver.url}/\${status}`, confirmationUrl: `${receiver.url}/` } }], {
    errorAction: { republish: { roleArn: ROLE, topic: 'failed' } },
  });
  using listener = await DeviceConnection.admitted(server, 4, 'l', device);
  listener.subscribe('failed');
  assert.equal((await listener.next()).cmd, 'suback');
  using sender = await DeviceConnection.admitted(server, 4, 's', device);
  for (const [status, tries] of [
    [404, 1],
    [503, 3],
    [429, 3],
  ] as const) {
    await publish(sender, 'post', JSON.stringify({ status }));
    const { payload } = (await listener.next()) as IPublishPacket;
    const { failures } = JSON.parse(payload.toString()) as { failures: unknown };
    const errorMessage = `HTTP status ${status} from ${new URL(receiver.url).host}`;
    assert.deepEqual(failures, [{ failedAction: 'HttpAction', failedResource: `${receiver.url}/${status}`, errorMessage }]);
    assert.equal(receiver.received.filter(({ path }) => path === `/${status}`).length, tries);
  }
});

test('batches are arrays, as large and as late as batchConfig says (http_batching)', async () => {
  await using receiver = await HttpReceiver.open();
  const { server, device } = await open(['--http-destinations', receiver.url]);
  await using _ = server;
  await rule(server, 'batched', 'b/#', [
    {
      http: {
        url: `${receiver.url}/batch`,
        enableBatching: true,
        batchConfig: { maxBatchSize: 3, maxBatchOpenMs: 200, batchAcrossTopics: true },
      },
    },
  ]);
  using sender = await DeviceConnection.admitted(server, 4, 's', device);
  for (let n = 1; n <= 7; n += 1) sender.publish(`b/${n}`, `{"n":${n}}`);
  await until('seven elements', () =>
    receiver.received.flatMap(({ body }) => JSON.parse(body) as object[]).length === 7 ? true : undefined,
  );
  assert.deepEqual(
    receiver.received.map(({ body }) => body),
    ['[{"n":1},{"n":2},{"n":3}]', '[{"n":4},{"n":5},{"n":6}]', '[{"n":7}]'],
  );
});

test('a rule with an http action asks for the confirmation of its URL; a URL of templates needs one to begin with (https-rule-action)', async () => {
  await using receiver = await HttpReceiver.open();
  const { server, device } = await open();
  await using _ = server;
  const { iot } = server;
  await rule(server, 'asks', 'in', [{ http: { url: `${receiver.url}/a/b`, confirmationUrl: `${receiver.url}/a` } }]);
  const { body } = await receiver.got(isConfirmation);
  const { arn, confirmationToken, enableUrl } = JSON.parse(body) as Record<string, string>;
  const listed = await iot.send(new ListTopicRuleDestinationsCommand({}));
  assert.deepEqual(
    listed.destinationSummaries?.map(({ arn: known, status, httpUrlSummary }) => [
      known,
      status,
      httpUrlSummary?.confirmationUrl,
    ]),
    [[arn, 'IN_PROGRESS', `${receiver.url}/a`]],
  );
  await assert.rejects(iot.send(new UpdateTopicRuleDestinationCommand({ arn, status: 'DISABLED' })), {
    name: 'InvalidRequestException',
  });
  // The same URL again is the same destination.
  await rule(server, 'again', 'in', [{ http: { url: `${receiver.url}/a` } }]);
  assert.equal((await iot.send(new ListTopicRuleDestinationsCommand({}))).destinationSummaries?.length, 1);
  for (const http of [
    { url: `${receiver.url}/\${n}` },
    { url: `${receiver.url}/a`, confirmationUrl: `${receiver.url}/b` },
    { url: 'ftp://example.com/' },
    { url: 'https://user:secret@example.com/' },
  ])
    await assert.rejects(rule(server, 'bad', 'in', [{ http }]), { name: 'InvalidRequestException' }, http.url);
  await assert.rejects(
    rule(server, 'bad', 'in', [], { errorAction: { http: { url: `${receiver.url}/a`, enableBatching: true } } }),
    { name: 'InvalidRequestException' },
  );
  assert.equal((await fetch(enableUrl ?? '')).status, 200);
  await assert.rejects(iot.send(new ConfirmTopicRuleDestinationCommand({ confirmationToken })), {
    name: 'InvalidRequestException',
  });
  using sender = await DeviceConnection.admitted(server, 4, 's', device);
  await publish(sender, 'in', '{"n":1}');
  await receiver.got(({ path }) => path === '/a/b');
  await receiver.got(({ path }) => path === '/a');
});

test('a batch goes to one URL with the headers of its last message; what fails as one is told as one (http_batching)', async () => {
  await using receiver = await HttpReceiver.open();
  const { server, device } = await open(['--http-destinations', receiver.url]);
  await using _ = server;
  receiver.status = ({ path }) => (path === '/failing' ? 400 : 200);
  const http = {
    url: `${receiver.url}/\${topic(2)}`,
    confirmationUrl: receiver.url,
    enableBatching: true,
    batchConfig: { maxBatchSize: 3, maxBatchOpenMs: 200 },
    headers: [{ key: 'x-n', value: '${n}' }],
  };
  await rule(server, 'batches', 'b/#', [{ http }], { errorAction: { republish: { roleArn: ROLE, topic: 'failed' } } });
  using listener = await DeviceConnection.admitted(server, 4, 'l', device);
  listener.subscribe('failed');
  assert.equal((await listener.next()).cmd, 'suback');
  using sender = await DeviceConnection.admitted(server, 4, 's', device);
  for (let n = 1; n <= 3; n += 1) for (const to of ['one', 'two', 'failing']) sender.publish(`b/${to}`, `{"n":${n}}`);
  for (const to of ['one', 'two']) {
    const { body, headers } = await receiver.got(({ path }) => path === `/${to}`);
    assert.deepEqual([body, headers['x-n'], headers['content-type']], ['[{"n":1},{"n":2},{"n":3}]', '3', 'application/json']);
  }
  const { payload } = (await listener.next()) as IPublishPacket;
  const document = JSON.parse(payload.toString()) as {
    topic: string;
    payloadsWithMetadata: { id: number; clientId: string; sourceIp: string; base64OriginalPayload: string }[];
    failures: unknown;
  };
  assert.equal(document.topic, 'b/failing');
  assert.deepEqual(
    document.payloadsWithMetadata.map(({ id, clientId, sourceIp, base64OriginalPayload }) => [
      ...[id, clientId, sourceIp],
      Buffer.from(base64OriginalPayload, 'base64').toString(),
    ]),
    [1, 2, 3].map((n) => [n, 's', '127.0.0.1', `{"n":${n}}`]),
  );
  assert.deepEqual(document.failures, [
    {
      affectedIds: [1, 2, 3],
      failedAction: 'HttpAction',
      failedResource: `${receiver.url}/failing`,
      errorMessage: `HTTP status 400 from ${new URL(receiver.url).host}`,
    },
  ]);
  assert.ok(await listener.nothingCame());
});

test('a message can not say what URL a function is at, unless its owner has agreed', async () => {
  await using receiver = await HttpReceiver.open();
  // The address is the message's word, and not that of the rule's author.
  const { server, device } = await open(['--outgoing-allow', '127.0.0.1']);
  await using _ = server;
  const out = { republish: { roleArn: ROLE, topic: 'out' } };
  const asking = "SELECT get_or_default(aws_lambda(url, *), 'refused') AS f FROM 'ask'";
  await rule(server, 'asks', 'ask', [out, { lambda: { functionArn: '${url}' } }], { sql: asking });
  using listener = await DeviceConnection.admitted(server, 4, 'l', device);
  listener.subscribe('out');
  assert.equal((await listener.next()).cmd, 'suback');
  using sender = await DeviceConnection.admitted(server, 4, 's', device);
  const answer = async (): Promise<string> => {
    sender.publish('ask', JSON.stringify({ url: `${receiver.url}/f` }));
    return ((await listener.next()) as IPublishPacket).payload.toString();
  };
  assert.equal(await answer(), '{"f":"refused"}');
  await server.logged(({ reason }) => /no destination that is ENABLED/.test(String(reason)));
  assert.deepEqual(receiver.received, []);
  await confirmed(server, receiver);
  receiver.answer = ({ path }) => (path === '/f' ? '"asked"' : '');
  assert.equal(await answer(), '{"f":"asked"}');
});

test('what was acknowledged reaches a peer that was away, over the end of the server too; nothing slows the broker meanwhile', async () => {
  const dataDir = temporaryFolder();
  await using receiver = await HttpReceiver.open();
  const args = ['--http-destinations', receiver.url, '--log-level', 'error'];
  let server = await startServer({ dataDir, args });
  try {
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    await rule(server, 'kept', 'kept', [{ http: { url: `${receiver.url}/kept` } }], {});
    await receiver.end();
    const acknowledged = new Set<string>();
    const send = async (from: number, to: number): Promise<void> => {
      using sender = await DeviceConnection.admitted(server, 4, 's', device);
      for (let n = from; n < to; n += 1) {
        await publish(sender, 'kept', `{"n":${n}}`);
        acknowledged.add(`{"n":${n}}`);
      }
    };
    await send(0, 150);
    await server.signal('SIGKILL');
    server = await startServer({ dataDir, args });
    await send(150, 200);
    await receiver.begin();
    await until(
      'all of them',
      () => (new Set(receiver.received.map(({ body }) => body)).size === 200 ? true : undefined),
      30_000,
    );
    assert.deepEqual(new Set(receiver.received.map(({ body }) => body)), acknowledged);
  } finally {
    await server[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
