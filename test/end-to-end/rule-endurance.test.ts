/**
 * Rules under what is too much: peers that never answer, SQL that costs all it may, rules that change while orders wait,
 * the end of the server by `kill -9`. What was acknowledged is done or told; the others notice nothing; memory is bounded.
 */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { type Action, DisableTopicRuleCommand, ReplaceTopicRuleCommand } from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { HttpReceiver } from './http-receiver.ts';
import { message, republish, ROLE, RuleBench } from './rule-bench.ts';
import { startServer, temporaryFolder } from './test-core.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;
/** AWS: messages of QoS 1 that may be unacknowledged. */
const IN_FLIGHT = 100;

/** Publishes as QoS 1, as many at a time as may be in flight; resolves when all are acknowledged. */
async function publishAll(device: DeviceConnection, topic: string, payloads: readonly string[]): Promise<void> {
  for (let from = 0; from < payloads.length; from += IN_FLIGHT) {
    const some = payloads.slice(from, from + IN_FLIGHT);
    for (const [i, payload] of some.entries())
      device.send({ cmd: 'publish', topic, payload, qos: 1, messageId: i + 1, dup: false, retain: false });
    for (const _ of some) assert.equal((await device.next(30_000)).cmd, 'puback');
  }
}

const numbered = (count: number, more = ''): string[] => Array.from({ length: count }, (_, n) => `{"n":${n}${more}}`);
/** The beginning is enough. */
const nOf = (text: string): number => Number(/^\{"n":(\d+)/.exec(text)?.[1]);
const original = (text: string): string =>
  Buffer.from(/"base64OriginalPayload":"([^"]+)/.exec(text)?.[1] ?? '', 'base64').toString();

test('a receiver that never answers: 20,000 of each QoS wait in bounded memory, and of the promised ones none is lost', {
  timeout: 180_000,
}, async (t) => {
  await using receiver = await HttpReceiver.open();
  await using bench = await RuleBench.open(['--http-destinations', receiver.url]);
  const COUNT = 20_000;
  let silent = true;
  receiver.keeps = 400;
  receiver.status = ({ path }) => (/promised/.test(path) && silent ? undefined : 200);
  await bench.rule('promised', "SELECT * FROM 'promised'", [{ http: { url: `${receiver.url}/promised` } }], {
    errorAction: { http: { url: `${receiver.url}/told` } },
  });
  await bench.rule('unpromised', "SELECT * FROM 'unpromised'", [{ http: { url: `${receiver.url}/unpromised` } }]);
  await bench.rule('bystander', "SELECT * FROM 'other'", [{ http: { url: `${receiver.url}/other` } }]);
  using device = await bench.connect('d');
  const resident = (): Promise<number> => bench.metric(/process_resident_memory_bytes/);
  const before = await resident();
  // All of it would be 800 MB, and as orders without a bound 600 MB.
  const padding = `,"padding":"${'x'.repeat(20_000)}"`;
  await publishAll(device, 'promised', numbered(COUNT, padding));
  for (const payload of numbered(COUNT, padding)) device.publish('unpromised', payload);
  device.send({ cmd: 'pingreq' });
  assert.equal((await device.next(60_000)).cmd, 'pingresp');

  assert.ok((await bench.metric(/thingkeep_rule_order_bytes\{in="memory"\}/)) <= 32 * MIB);
  const waiting = await bench.actionsWaiting();
  assert.ok(waiting > COUNT, `${waiting} orders wait`);
  // Two queues of at most 16 MiB, what the orders take beside their payloads, and what the collector has not seen yet.
  const grown = (await resident()) - before;
  t.diagnostic(`${waiting} orders wait; resident memory has grown by ${Math.round(grown / MIB)} MiB`);
  assert.ok(grown < 450 * MIB, `resident memory has grown by ${grown} bytes`);
  device.publish('other', '{"n":1}');
  await receiver.got(({ path }) => path === '/other');

  silent = false;
  await until('all that waits', async () => ((await bench.actionsWaiting()) === 0 ? true : undefined), 120_000);
  const ended = (): number => {
    const numbers = new Set<number>();
    for (const { path, body } of receiver.received) {
      if (path === '/promised') numbers.add(nOf(body));
      if (path === '/told') numbers.add(nOf(original(body)));
    }
    return numbers.size;
  };
  // Between the end of an order and the one that tells of it, none may be there to be counted.
  await until('all to be delivered or told', () => (ended() === COUNT ? true : undefined), 30_000);
  const succeeded = await bench.metric(/thingkeep_rule_action_success_total\{.*rule="promised",action="0",type="HttpAction"\}/);
  const given = await bench.metric(/thingkeep_rule_action_failure_total\{.*rule="promised",action="0",type="HttpAction"\}/);
  const untold = (): Promise<number> =>
    bench.metric(/thingkeep_rule_action_failure_total\{.*rule="promised",action="1",type="HttpAction"\}/);
  const told = (): number =>
    new Set(receiver.received.flatMap(({ path, body }) => (path === '/told' ? [nOf(original(body))] : []))).size;
  // The error action has a time of its own, in which a busy receiver may not have answered.
  await until('all failures to be told', async () => (told() + (await untold()) >= given ? true : undefined), 30_000);
  t.diagnostic(`${succeeded} done, ${given} given up, ${told()} told`);
  assert.ok(succeeded + given >= COUNT);
});

test('SQL that costs all it may does not hold up the others, and is done after `kill -9` where it was acknowledged', {
  timeout: 120_000,
}, async () => {
  await using receiver = await HttpReceiver.open();
  const dataDir = temporaryFolder();
  const args = ['--http-destinations', receiver.url];
  try {
    await using bench = await RuleBench.open(args, dataDir);
    const { server, device } = bench;
    const numbers = `[${'1.5,'.repeat(1500)}1.5]`;
    // Some milliseconds for each message, however small: the work is in the statement.
    const costly = `SELECT n, (SELECT VALUE 1.234567890123456789 * 9.87654321987654321 / 3.3333333333333333333 FROM ${numbers} WHERE 1.5 > 2.000000000000000001 * 3.0000000000000000001) AS none FROM 'costly'`;
    await bench.rule('costly', costly, [{ http: { url: `${receiver.url}/\${n}`, confirmationUrl: receiver.url } }]);
    await bench.rule(
      'ruinous',
      `SELECT (SELECT VALUE (SELECT VALUE 1.5 * 2.5 FROM ${numbers}) FROM ${numbers}) AS none FROM 'ruinous'`,
      [],
    );
    using sender = await bench.connect('sender');
    using flooder = await bench.connect('flooder');
    using other = await bench.connect('other');
    for (const payload of numbered(200)) flooder.publish('ruinous', payload);
    let slowest = 0;
    const parsed = (): Promise<number> => bench.metric(/thingkeep_rule_parse_error_total\{.*rule="ruinous"\}/);
    await until(
      'the flood to be over',
      async () => {
        const began = performance.now();
        assert.ok(await other.nothingCame());
        slowest = Math.max(slowest, performance.now() - began);
        return (await parsed()) === 200 ? true : undefined;
      },
      60_000,
    );
    assert.ok(slowest < 2_000, `another client waited ${slowest} ms`);

    await publishAll(sender, 'costly', numbered(IN_FLIGHT));
    const soon = new Set(receiver.received.map(({ path }) => path)).size;
    await server.signal('SIGKILL');
    assert.ok(soon < IN_FLIGHT, 'the server is ended while it has something to do');
    await using again = await startServer({ dataDir, args: [...args, '--log-level', 'warn'] });
    await until(
      'all that was acknowledged',
      () => (new Set(receiver.received.map(({ path }) => path)).size === IN_FLIGHT ? true : undefined),
      60_000,
    );
    using back = await DeviceConnection.admitted(again, 4, 'back', device);
    assert.ok(await back.nothingCame());
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a message that waits for a function when the server is killed is evaluated by the next one', async () => {
  await using receiver = await HttpReceiver.open();
  const dataDir = temporaryFolder();
  const args = ['--http-destinations', receiver.url];
  try {
    await using bench = await RuleBench.open(args, dataDir);
    receiver.status = ({ path }) => (path === '/f' ? undefined : 200);
    await bench.rule('asks', `SELECT n, aws_lambda('${receiver.url}/f', n) AS f FROM 'asks'`, [
      { http: { url: `${receiver.url}/done` } },
    ]);
    using device = await bench.connect('d', 5);
    for (let n = 1; n <= 3; n += 1)
      device.send({
        cmd: 'publish',
        topic: 'asks',
        payload: `{"n":${n}}`,
        qos: 1,
        messageId: n,
        dup: false,
        retain: false,
        properties: { contentType: 'application/json' },
      });
    for (let n = 1; n <= 3; n += 1) assert.equal((await device.next()).cmd, 'puback');
    await bench.server.signal('SIGKILL');
    assert.deepEqual(
      receiver.received.filter(({ path }) => path === '/done'),
      [],
    );
    receiver.status = () => 200;
    await using _ = await startServer({ dataDir, args: [...args, '--log-level', 'warn'] });
    await until('all of them', () => (receiver.received.filter(({ path }) => path === '/done').length === 3 ? true : undefined));
    const bodies = receiver.received.filter(({ path }) => path === '/done').map(({ body }) => nOf(body));
    assert.deepEqual(bodies.sort(), [1, 2, 3]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('the server ends well with orders under way, waiting and being evaluated, and the next one does them', async () => {
  await using receiver = await HttpReceiver.open();
  const dataDir = temporaryFolder();
  const args = ['--http-destinations', receiver.url];
  try {
    const bench = await RuleBench.open(args, dataDir);
    const { server } = bench;
    receiver.status = () => undefined;
    await bench.rule('posts', "SELECT * FROM 'posts'", [{ http: { url: `${receiver.url}/posts` } }], {
      errorAction: { http: { url: `${receiver.url}/told` } },
    });
    await bench.rule('asks', `SELECT n, aws_lambda('${receiver.url}/f', n) AS f FROM 'asks'`, [
      { http: { url: `${receiver.url}/asked` } },
    ]);
    using device = await bench.connect('d');
    await publishAll(device, 'posts', numbered(40));
    await publishAll(device, 'asks', numbered(40));
    await receiver.got(({ path }) => path === '/posts');
    assert.equal(await server.stop(), 0);
    assert.deepEqual(
      server.log.filter(({ level }) => Number(level) >= 50),
      [],
    );
    receiver.received.length = 0;
    receiver.status = () => 200;
    receiver.answer = ({ path }) => (path === '/f' ? '"answer"' : '');
    await using _ = await startServer({ dataDir, args: [...args, '--log-level', 'warn'] });
    const done = (path: string): Set<string> =>
      new Set(receiver.received.filter((request) => request.path === path).map(({ body }) => body));
    await until('all of them', () => (done('/posts').size === 40 && done('/asked').size === 40 ? true : undefined));
    assert.deepEqual(done('/asked'), new Set(numbered(40, ',"f":"answer"')));
    assert.equal(done('/told').size, 0);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a rule whose action becomes another while orders wait: each order is done as it was given (6.1)', async () => {
  await using receiver = await HttpReceiver.open();
  await using bench = await RuleBench.open(['--http-destinations', receiver.url]);
  let silent = true;
  receiver.status = () => (silent ? undefined : 200);
  const http = (path: string) => ({ http: { url: `${receiver.url}/${path}/\${n}`, confirmationUrl: receiver.url } });
  await bench.rule('changing', "SELECT * FROM 'in'", [http('first')]);
  using listener = await bench.listener('failed');
  using device = await bench.connect('d');
  const replace = (actions: Action[]) =>
    bench.server.iot.send(
      new ReplaceTopicRuleCommand({
        ruleName: 'changing',
        topicRulePayload: {
          sql: "SELECT * FROM 'in'",
          awsIotSqlVersion: '2016-03-23',
          actions,
          errorAction: republish('failed'),
        },
      }),
    );
  await publishAll(device, 'in', numbered(20));
  await replace([{ http: { url: `${receiver.url}/second`, enableBatching: true, batchConfig: { maxBatchSize: 2 } } }]);
  await publishAll(device, 'in', numbered(2));
  await replace([{ sqs: { roleArn: ROLE, queueUrl: 'http://q/1' } }]);
  await publishAll(device, 'in', numbered(1));
  const [, text] = await message(listener);
  assert.match(text, /"failedAction":"SqsAction"/);
  silent = false;
  await until('no order to be left', async () => ((await bench.actionsWaiting()) === 0 ? true : undefined), 30_000);
  const paths = new Set(receiver.received.map(({ path }) => path));
  for (let n = 0; n < 20; n += 1) assert.ok(paths.has(`/first/${n}`), `/first/${n}`);
  const batch = receiver.received.find(({ path }) => path === '/second');
  assert.equal(batch?.body, '[{"n":0},{"n":1}]');
});

test('republished as QoS 1 to a session that is away: on disk before the PUBACK of what caused it', async () => {
  const dataDir = temporaryFolder();
  try {
    await using bench = await RuleBench.open([], dataDir);
    const { server, device } = bench;
    await bench.rule('r', "SELECT * FROM 'in'", [republish('out', { qos: 1 })]);
    const away = await DeviceConnection.admitted(server, 4, 'away', device, { clean: false });
    away.subscribe('out', 1);
    assert.equal((await away.next()).cmd, 'suback');
    away.send({ cmd: 'disconnect' });
    assert.equal((await away.next()).cmd, 'closed');
    using sender = await bench.connect('sender');
    await publishAll(sender, 'in', numbered(300));
    await server.signal('SIGKILL');
    await using again = await startServer({ dataDir, args: ['--log-level', 'warn'] });
    using back = await DeviceConnection.admitted(again, 4, 'away', device, { clean: false });
    const got = new Set<number>();
    while (got.size < 300) {
      const packet = (await back.next()) as IPublishPacket;
      assert.equal(packet.cmd, 'publish');
      got.add(nOf(packet.payload.toString()));
      back.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a thousand rules see one topic, and there is no thousand-and-first (section 12)', { timeout: 120_000 }, async () => {
  await using bench = await RuleBench.open();
  const names = Array.from({ length: 1000 }, (_, n) => `r${n}`);
  for (let from = 0; from < names.length; from += 25)
    await Promise.all(
      names
        .slice(from, from + 25)
        .map((name, i) => bench.rule(name, "SELECT * FROM 'in'", from + i < 999 ? [republish('out')] : [republish('last')])),
    );
  await assert.rejects(bench.rule('one_more', "SELECT * FROM 'in'", []), { name: 'InvalidRequestException' });
  using listener = await bench.listener('+');
  using device = await bench.connect('d');
  device.publish('in', '{"n":1}', { qos: 1 });
  const count = new Map<string, number>();
  for (let i = 0; i < 1001; i += 1) {
    const [topic] = await message(listener);
    count.set(topic, (count.get(topic) ?? 0) + 1);
  }
  assert.deepEqual([...count].sort(), [
    ['in', 1],
    ['last', 1],
    ['out', 999],
  ]);
  assert.ok(await listener.nothingCame());
  await bench.server.iot.send(new DisableTopicRuleCommand({ ruleName: 'r0' }));
  await bench.server.iot.send(new DisableTopicRuleCommand({ ruleName: 'r999' }));
  assert.equal((await device.next()).cmd, 'puback');
  device.publish('in', '{"n":2}', { qos: 1 });
  for (let i = 0; i < 999; i += 1) assert.notEqual((await message(listener))[0], 'last');
  assert.ok(await listener.nothingCame());
});
