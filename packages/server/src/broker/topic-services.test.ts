/**
 * Requests on reserved topics, served by a service that a test registers. Answers: fact sheet 2.7, 4.7, 5.1 and 8.1 (developer
 * guide, pages reserved-topics, fleet-provision-api, device-shadow-mqtt, jobs-mqtt-api).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { type TopicAnswer, type TopicRequest, type TopicService, topicService } from './messaging.ts';
import { ACCOUNT, publishPacket, permissionsOf, TestBench, type TestPeer } from './test-bench.ts';
import { publisher as publisherOf } from './messages.operations.ts';
import { TopicServiceFault } from './topic-services.ts';

const GET = '$aws/things/lamp/shadow/get';
const ACCEPTED = `${GET}/accepted`;
const place = { accountId: ACCOUNT, region: 'us-east-1' };

/** Answers with the payload and the thing's name, to whom the test says. */
const echo = (to: TopicAnswer['to']): TopicService =>
  topicService('$aws/things/{thingName}/shadow/get', ({ topic, parts: { thingName }, payload }) => [
    { topic: `${topic}/accepted`, payload: Buffer.from(`${thingName}:${payload}`), to },
  ]);

/** A service whose requests wait until the test ends them. */
const held = () => {
  const requests: (TopicRequest & { end: (answers?: readonly TopicAnswer[]) => void; fail: (error: Error) => void })[] = [];
  const service = topicService('$aws/things/{thingName}/shadow/get', (request) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly TopicAnswer[]>();
    requests.push({ ...request, end: (answers = []) => resolve(answers), fail: reject });
    return promise;
  });
  return { requests, service };
};

const open = async (...services: TopicService[]): Promise<TestBench> => {
  const bench = await TestBench.open();
  bench.broker.messaging.serve(services);
  return bench;
};
const payloads = (peer: TestPeer): string[] => peer.publishes().map(({ topic, payload, qos }) => `${topic} ${payload} ${qos}`);
const pubacks = (peer: TestPeer): (number | undefined)[] =>
  peer.packets().flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));

test('an answer to the requester reaches it unsubscribed, and nobody else', async () => {
  await using bench = await open(echo('requester'));
  const seen: string[] = [];
  bench.broker.messaging.addInterceptor({ on: (_place, topic) => void seen.push(topic) });
  const watcher = await bench.subscribed('watcher', `${GET}/+`, 1);
  const device = await bench.connected('device');
  device.send(publishPacket(GET, 'x'));
  await bench.settle();
  assert.deepEqual(payloads(device), [`${ACCEPTED} lamp:x 0`]);
  device.send(publishPacket(GET, 'y', { qos: 1, messageId: 7 }));
  await bench.settle();
  const packets = device.packets();
  assert.deepEqual(packets.map(({ cmd }) => cmd).toSorted(), ['puback', 'publish']);
  assert.equal(packets.find(({ cmd }) => cmd === 'publish')?.cmd === 'publish', true);
  assert.deepEqual(payloads(watcher), []);
  assert.equal(seen.includes(ACCEPTED), false, 'rules do not see it');
});

test('an answer to subscribers is a message as any other', async () => {
  await using bench = await open(echo('subscribers'));
  const watcher = await bench.subscribed('watcher', `${GET}/#`, 1);
  const device = await bench.connected('device');
  device.send(publishPacket(GET, 'x', { qos: 1 }));
  await bench.settle();
  assert.deepEqual([payloads(watcher), payloads(device)], [[`${ACCEPTED} lamp:x 1`], []]);
  device.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: ACCEPTED, qos: 0 }] } as Packet);
  device.send(publishPacket(GET, 'y'));
  await bench.settle();
  assert.deepEqual(payloads(device), [`${ACCEPTED} lamp:y 0`]);
});

test('what is published on a topic for requests alone reaches no subscriber, however wide its filter is (page reserved-topics)', async () => {
  await using bench = await open();
  const thief = await bench.subscribed('thief', '$aws/provisioning-templates/#', 1);
  const sharing = await bench.subscribed('sharing', '$share/g/$aws/#', 1);
  const device = await bench.connected('device');
  device.send(publishPacket('$aws/provisioning-templates/t/provision/json', 'token', { qos: 1, messageId: 7 }));
  await bench.settle();
  assert.deepEqual([payloads(thief), payloads(sharing), pubacks(device)], [[], [], [7]]);
  bench.broker.messaging.publish(place, '$aws/provisioning-templates/t/provision/json/accepted', Buffer.from('answer'));
  await bench.settle();
  assert.deepEqual([payloads(thief).length, payloads(sharing).length], [1, 1]);
});

test('an answer to both reaches the requester once, subscribed or not', async () => {
  await using bench = await open(echo('both'));
  const watcher = await bench.subscribed('watcher', ACCEPTED);
  const stranger = await bench.connected('stranger');
  const subscriber = await bench.subscribed('subscriber', ACCEPTED, 1);
  stranger.send(publishPacket(GET, '1'));
  await bench.settle();
  assert.deepEqual(payloads(stranger), [`${ACCEPTED} lamp:1 0`]);
  subscriber.send(publishPacket(GET, '2'));
  await bench.settle();
  assert.deepEqual(payloads(subscriber), [`${ACCEPTED} lamp:1 0`, `${ACCEPTED} lamp:2 0`]);
  assert.deepEqual(payloads(watcher), [`${ACCEPTED} lamp:1 0`, `${ACCEPTED} lamp:2 0`]);
  assert.deepEqual(payloads(stranger), []);
});

test('a requester that may not receive the answer does not get it', async () => {
  await using bench = await open(echo('both'));
  bench.permissions.set(
    'device',
    permissionsOf((action) => action !== 'iot:Receive'),
  );
  const device = await bench.connected('device');
  device.send(publishPacket(GET, 'x'));
  await bench.settle();
  assert.deepEqual(payloads(device), []);
  assert.equal(bench.refusals.at(-1)?.action, 'iot:Receive');
});

test('PUBACK waits for what the service stores, in order with the others', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const device = await bench.connected('device');
  const ordinary = await bench.subscribed('ordinary', 'a', 1, { clean: false });
  device.send(publishPacket(GET, 'x', { qos: 1, messageId: 1 }), publishPacket('a', '', { qos: 1, messageId: 2 }));
  device.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'b', qos: 0 }] } as Packet);
  await bench.settle();
  assert.deepEqual([device.packets(), payloads(ordinary)], [[], ['a  1']]);
  requests[0]?.end();
  await bench.settle();
  assert.deepEqual(
    device.packets().map(({ cmd, messageId }) => `${cmd} ${messageId}`),
    ['puback 1', 'puback 2', 'suback 3'],
  );
});

test('a request that fails is not acknowledged: its client is disconnected', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const device = await bench.connected('device', { level: 5 });
  device.send(publishPacket(GET, 'x', { qos: 1, messageId: 1 }));
  await bench.settle();
  requests[0]?.fail(new Error('no disk'));
  await bench.settle();
  const [packet] = device.packets();
  assert.deepEqual([packet?.cmd, device.channel.closed], ['disconnect', true]);
  assert.match(bench.faults[0] ?? '', /could not be served/);
});

test('a request of QoS 0 that fails is logged, and that is all; a service may throw at once', async () => {
  await using bench = await open(
    topicService('$aws/things/{thingName}/shadow/get', () => {
      throw new Error('at once');
    }),
  );
  const device = await bench.connected('device');
  device.send(publishPacket(GET, 'x'), { cmd: 'pingreq' });
  await bench.settle();
  assert.deepEqual(
    device.packets().map(({ cmd }) => cmd),
    ['pingresp'],
  );
  assert.match(bench.faults[0] ?? '', /at once/);
});

test('a client with more than ten requests under way is not read from', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const device = await bench.connected('device');
  device.send(...Array.from({ length: 15 }, (_, i) => publishPacket(GET, String(i))));
  device.send(publishPacket('a', 'behind'));
  await bench.settle();
  assert.deepEqual([requests.length, device.channel.paused, device.unread > 0], [10, true, true]);
  for (const { end } of requests) end();
  await bench.settle();
  assert.deepEqual([requests.length, device.channel.paused, device.unread], [15, false, 0]);
  assert.deepEqual(
    requests.map(({ payload }) => String(payload)),
    Array.from({ length: 15 }, (_, i) => String(i)),
  );
  for (const { end } of requests) end();
});

test('requests beyond what may wait are refused, which is recorded once; of QoS 1 their client is disconnected', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const caller = { ...place, arn: 'a', userId: 'u', sourceIp: '192.0.2.1', requestId: 'r' };
  const publish = publisherOf(bench.broker);
  const payload = Buffer.alloc(128 * 1024);
  const sent = Array.from({ length: 138 }, () => publish(caller, { topic: GET, qos: 1, payload }));
  await assert.rejects(sent[137] as Promise<void>, { code: 'ThrottlingException' });
  const busy = await bench.connected('busy');
  for (let i = 0; i < 10; i += 1) busy.send(publishPacket(GET, ''));
  busy.send(publishPacket(GET, payload, { qos: 1 }));
  await bench.settle();
  assert.deepEqual([busy.channel.ended, bench.broker.counters.throttled], [true, 2]);
  // Sent again (DUP), it goes alone; the end is the same.
  const again = await bench.connected('again');
  for (let i = 0; i < 10; i += 1) again.send(publishPacket(GET, ''));
  again.send(publishPacket(GET, payload, { qos: 1, dup: true }));
  await bench.settle();
  assert.deepEqual([again.channel.ended, bench.broker.counters.throttled], [true, 3]);
  assert.deepEqual(
    bench.refusals.map(({ check, clientId }) => `${check} ${clientId}`),
    ['limit undefined', 'limit busy', 'limit again'],
  );
  for (let i = 0; i < requests.length; i += 1) {
    requests[i]?.end();
    await bench.settle();
  }
  await Promise.all(sent.slice(0, 137));
});

test('a requester that has gone gets no answer, and neither does the next connection of its client id', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const device = await bench.connected('device');
  device.send(publishPacket(GET, 'x'));
  await bench.settle();
  const again = await bench.connected('device');
  requests[0]?.end([{ topic: ACCEPTED, payload: Buffer.from('late'), to: 'both' }]);
  await bench.settle();
  assert.deepEqual([payloads(device), payloads(again), bench.faults], [[], [], []]);
});

test('a service knows the requester and its place; answers stay in the account', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  bench.admissions.set('other', { accountId: '111111111111', region: 'eu-west-1' });
  const watcher = await bench.subscribed('watcher', '$aws/things/+/shadow/#');
  const device = await bench.connected('other', { level: 5 });
  const properties = { responseTopic: 'back', correlationData: Buffer.from('c') };
  device.send(publishPacket(GET, 'x', { properties }));
  await bench.settle();
  const [request] = requests;
  assert.deepEqual(
    [request?.place, request?.parts, request?.requester],
    [
      { accountId: '111111111111', region: 'eu-west-1' },
      { thingName: 'lamp' },
      { clientId: 'other', principal: 'id-of-other', sourceIp: '192.0.2.7' },
    ],
  );
  const { responseTopic = '', correlationData } = request?.properties ?? {};
  assert.deepEqual([responseTopic, String(correlationData)], ['back', 'c']);
  request?.end([{ topic: responseTopic, payload: Buffer.from('y'), to: 'both', properties: { correlationData } }]);
  await bench.settle();
  const [answer] = device.packets();
  assert.deepEqual(answer?.cmd === 'publish' && [answer.topic, String(answer.properties?.correlationData)], ['back', 'c']);
  assert.deepEqual(payloads(watcher), []);
});

test('a request over the API is served, and answered to subscribers; of QoS 1 it waits', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const watcher = await bench.subscribed('watcher', ACCEPTED);
  const caller = { ...place, arn: 'a', userId: 'u', sourceIp: '192.0.2.1', requestId: 'r' };
  const publish = publisherOf(bench.broker);
  let done = false;
  const published = publish(caller, { topic: GET, qos: 1 }).then(() => {
    done = true;
  });
  await publish(caller, { topic: GET, qos: 0 });
  await bench.settle();
  assert.deepEqual([done, requests.map(({ requester }) => requester.principal)], [false, ['u', 'u']]);
  requests[0]?.end([
    { topic: ACCEPTED, payload: Buffer.from('1'), to: 'both' },
    { topic: ACCEPTED, payload: Buffer.from('2'), to: 'requester' },
  ]);
  await published;
  await bench.settle();
  assert.deepEqual(payloads(watcher), [`${ACCEPTED} 1 0`]);
});

test('what a rule publishes is a request, whose answer does not go to the client that has set it off', async () => {
  await using bench = await open(echo('both'));
  const { messaging } = bench.broker;
  const device = await bench.connected('device');
  messaging.addInterceptor({
    on: (_place, topic) =>
      topic !== 'a'
        ? undefined
        : {
            weight: 1,
            take: (_batch, _origin, waiter) => {
              const outgoing = messaging.outgoing(place);
              outgoing.put(outgoing.topic(GET), 1, Buffer.from('r'));
              return outgoing.send({ chain: { depth: 1, budget: { left: 1 } } }, waiter);
            },
          },
  });
  const watcher = await bench.subscribed('watcher', ACCEPTED);
  device.send(publishPacket('a', '', { qos: 1, messageId: 4 }));
  await bench.settle();
  assert.deepEqual([payloads(watcher), pubacks(device)], [[`${ACCEPTED} lamp:r 0`], [4]]);
});

test('a will on a reserved topic is no request', async () => {
  const { requests, service } = held();
  await using bench = await open(service);
  const will = { topic: GET, payload: Buffer.from('w'), qos: 0 as const, retain: false };
  const device = await bench.connected('device', { will });
  const watcher = await bench.subscribed('watcher', GET);
  device.client.ended();
  await bench.settle();
  assert.deepEqual([requests.length, payloads(watcher)], [0, [`${GET} w 0`]]);
});

test('a topic that no service has is as any other', async () => {
  await using bench = await open(echo('both'));
  const watcher = await bench.subscribed('watcher', '$aws/things/#');
  const device = await bench.connected('device');
  device.send(publishPacket('$aws/things/lamp/shadow/update', 'x'), publishPacket('$aws/things//shadow/get', 'y'));
  await bench.settle();
  assert.deepEqual(payloads(watcher), ['$aws/things/lamp/shadow/update x 0', '$aws/things//shadow/get y 0']);
  assert.deepEqual(payloads(device), []);
  const { messaging } = bench.broker;
  assert.deepEqual([messaging.hasReceivers(place, GET), messaging.hasReceivers(place, 'b')], [true, false]);
});

test('two services that could get one topic are a fault, and so is one on topics that clients may not publish on', async () => {
  const serve = () => [];
  await using bench = await open(topicService('$aws/things/{thingName}/jobs/{jobId}/get', serve));
  const { messaging } = bench.broker;
  const add = (pattern: string) => () => messaging.serve([topicService(pattern, serve)]);
  assert.throws(add('$aws/things/{t}/jobs/$next/get'), TopicServiceFault);
  assert.throws(add('$aws/things/{t}/jobs/{j}/{verb}'), TopicServiceFault);
  assert.throws(add('$aws/things/{t}/jobs/notify'), /may not publish/);
  assert.throws(add('things/{t}'), /may not publish/);
  assert.doesNotThrow(add('$aws/things/{t}/jobs/get'));
  assert.doesNotThrow(add('$aws/things/{t}/jobs/{j}/update'));
});

test('an answer has the QoS of the request, and that of a subscription to it at most [MQTT-3.8.4-8]', async () => {
  await using bench = await open(echo('requester'));
  const device = await bench.connected('device');
  const qosOfAnswer = async (messageId: number): Promise<number | undefined> => {
    device.send(publishPacket(GET, 'x', { qos: 1, messageId }));
    await bench.settle();
    const answer = device.packets().find(({ cmd }) => cmd === 'publish');
    return answer?.cmd === 'publish' ? answer.qos : undefined;
  };
  const subscribe = async (topic: string, qos: 0 | 1): Promise<void> => {
    device.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic, qos }] } as Packet);
    await bench.settle();
    device.packets();
  };
  assert.equal(await qosOfAnswer(1), 1);
  await subscribe(`${GET}/+`, 0);
  assert.equal(await qosOfAnswer(2), 0);
  await subscribe(ACCEPTED, 1);
  assert.equal(await qosOfAnswer(3), 1);
});

test('requests are counted by the topic of their service and by what came of them', async () => {
  const rejecting = topicService('$aws/things/{thingName}/jobs/get', ({ topic }) => [
    { topic: `${topic}/rejected`, payload: Buffer.from('{}'), to: 'requester' },
  ]);
  const failing = topicService('$aws/things/{thingName}/jobs/start-next', () => Promise.reject(new Error('it fails')));
  const streaming = topicService('$aws/things/{thingName}/streams/{streamId}/get/json', async function* () {
    yield { topic: '$aws/things/lamp/streams/s/rejected/json', payload: Buffer.from('{}'), to: 'requester' };
  });
  await using bench = await open(echo('both'), rejecting, failing, streaming);
  const device = await bench.connected('device');
  for (const topic of [
    GET,
    GET,
    '$aws/things/lamp/jobs/get',
    '$aws/things/lamp/jobs/start-next',
    '$aws/things/lamp/streams/s/get/json',
  ])
    device.send(publishPacket(topic, 'x'));
  await bench.settle();
  const none = { accepted: 0, rejected: 0, failed: 0, refused: 0 };
  assert.deepEqual(Object.fromEntries(bench.broker.counters.topicRequests), {
    '$aws/things/+/shadow/get': { ...none, accepted: 2 },
    '$aws/things/+/jobs/get': { ...none, rejected: 1 },
    '$aws/things/+/jobs/start-next': { ...none, failed: 1 },
    '$aws/things/+/streams/+/get/json': { ...none, rejected: 1 },
  });
});
