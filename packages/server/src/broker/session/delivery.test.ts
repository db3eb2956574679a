/** Delivery: permissions at that moment, the QoS 1 window and its queue, and clients that take nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { type Level, publishPacket, permissionsOf, TestBench, type TestPeer } from '../test-bench.ts';

const LEVELS: readonly Level[] = [4, 5];
const numbered = (count: number, from = 0): Packet[] =>
  Array.from({ length: count }, (_, n) => publishPacket('a', String(from + n), { qos: 1, messageId: 1 + ((from + n) % 65_000) }));
const acknowledge = (peer: TestPeer, ...ids: (number | undefined)[]): void => {
  if (ids.length > 0) peer.send(...ids.map((messageId) => ({ cmd: 'puback', messageId, reasonCode: 0 }) as Packet));
};
const KB = 1024;

test('a message is delivered only where iot:Receive allows it, and the refusal is recorded (developer guide, page iot-policy-actions)', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    'limited',
    permissionsOf((action, name) => action !== 'iot:Receive' || name === 'a/yes'),
  );
  const limited = await bench.subscribed('limited', 'a/#');
  const all = await bench.subscribed('all', 'a/#');
  const publisher = await bench.connected('p');
  publisher.send(publishPacket('a/yes', '1'), publishPacket('a/no', '2'));
  await bench.settle();
  assert.deepEqual(
    limited.publishes().map(({ topic }) => topic),
    ['a/yes'],
  );
  assert.equal(all.publishes().length, 2);
  assert.deepEqual(
    bench.refusals.map(({ check, action, clientId }) => [check, action, clientId]),
    [['policy', 'iot:Receive', 'limited']],
  );
});

test('permissions that change reach live clients at their next packet, both ways', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', '#');
  const publisher = await bench.connected('p', { level: 5 });
  const denied = permissionsOf((action) => action === 'iot:Subscribe');
  const allowed = permissionsOf(() => true);
  const send = async (payload: string): Promise<void> => {
    publisher.send(publishPacket('a', payload, { qos: 1, messageId: 1 }));
    await bench.settle();
  };
  await send('1');
  subscriber.client.permissions.replace(denied);
  await send('2');
  subscriber.client.permissions.replace(allowed);
  publisher.client.permissions.replace(denied);
  await send('3');
  publisher.client.permissions.replace(allowed);
  await send('4');
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['1', '4'],
  );
  assert.deepEqual(
    publisher.packets().map((p) => ('reasonCode' in p ? p.reasonCode : undefined)),
    [0, 0, 0x87, 0],
  );
});

test('permissions that depend on the time are asked again within a second or so', async () => {
  await using bench = await TestBench.open();
  let open = true;
  bench.permissions.set(
    's',
    permissionsOf(() => open, true),
  );
  const subscriber = await bench.subscribed('s', '#');
  const publisher = await bench.connected('p');
  publisher.send(publishPacket('a', '1'));
  open = false;
  await bench.pass(1);
  publisher.send(publishPacket('a', '2'));
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['1'],
  );
});

test('who may see nothing of the news about refusals does not make more of them', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    's',
    permissionsOf((action) => action === 'iot:Subscribe'),
  );
  await bench.subscribed('s', '$thingkeep/#');
  for (let n = 0; n < 3; n += 1)
    bench.broker.messaging.publish(
      { accountId: '000000000000', region: 'us-east-1' },
      '$thingkeep/events/refusals/x',
      Buffer.from('{}'),
    );
  assert.equal(bench.refusals.length, 1);
});

test('at most 100 QoS 1 messages are in flight (General Reference, in-flight messages), the others wait in order', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const subscriber = await bench.subscribed('s', 'a', 1, { level });
    const publisher = await bench.connected('p');
    publisher.send(...numbered(250));
    await bench.settle();
    assert.equal(publisher.packets().length, 250);
    const first = subscriber.publishes();
    assert.equal(first.length, 100);
    acknowledge(subscriber, first[0]?.messageId);
    await bench.settle();
    const next = subscriber.publishes();
    assert.deepEqual(
      next.map(({ payload }) => payload),
      ['100'],
    );
    acknowledge(subscriber, ...first.slice(1).map((p) => p.messageId));
    await bench.settle();
    assert.deepEqual(
      subscriber.publishes().map(({ payload }) => Number(payload)),
      Array.from({ length: 99 }, (_, n) => 101 + n),
    );
  }
});

test('Receive Maximum is kept [MQTT-3.3.4-9]: with 1, one message at a time', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 1, { level: 5, properties: { receiveMaximum: 1 } });
  const publisher = await bench.connected('p');
  publisher.send(...numbered(5));
  for (let n = 0; n < 5; n += 1) {
    await bench.settle();
    const got = subscriber.publishes();
    assert.deepEqual(
      got.map(({ payload }) => payload),
      [String(n)],
    );
    acknowledge(subscriber, got[0]?.messageId);
  }
});

test('QoS 0 does not wait behind a full QoS 1 window', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 1, { level: 5, properties: { receiveMaximum: 1 } });
  const publisher = await bench.connected('p');
  publisher.send(...numbered(3), publishPacket('a', 'now'));
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['0', 'now'],
  );
});

test('acknowledgements of nothing, and twice, change nothing', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 1, { level: 5, properties: { receiveMaximum: 2 } });
  const publisher = await bench.connected('p');
  publisher.send(...numbered(6));
  await bench.settle();
  const [one, two] = subscriber.publishes();
  acknowledge(subscriber, 999, two?.messageId, two?.messageId, two?.messageId);
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['2'],
  );
  acknowledge(subscriber, one?.messageId);
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['3'],
  );
});

test('a PUBACK that tells of a failure acknowledges too; identifier 0 is malformed [MQTT-2.3.1-1]', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 1, { level: 5, properties: { receiveMaximum: 1 } });
  const publisher = await bench.connected('p');
  publisher.send(...numbered(2));
  await bench.settle();
  const id = subscriber.publishes()[0]?.messageId ?? 0;
  subscriber.raw(Buffer.of(0x40, 3, id >> 8, id & 0xff, 0x97));
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['1'],
  );
  subscriber.raw(Buffer.of(0x40, 2, 0, 0));
  assert.equal(subscriber.channel.closed, true);
});

test('no message is lost, doubled or overtaken, in whatever order acknowledgements come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...LEVELS),
      fc.integer({ min: 1, max: 120 }),
      fc.array(fc.record({ publish: fc.nat(150), acknowledge: fc.array(fc.nat(1000), { maxLength: 80 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      async (level, receiveMaximum, steps) => {
        await using bench = await TestBench.open();
        const subscriber = await bench.subscribed('s', 'a', 1, {
          level,
          properties: level === 5 ? { receiveMaximum } : undefined,
        });
        const publisher = await bench.connected('p');
        const window = level === 5 ? Math.min(receiveMaximum, 100) : 100;
        const open: number[] = [];
        const got: number[] = [];
        let published = 0;
        const look = async (): Promise<void> => {
          await bench.settle();
          for (const { payload, messageId } of subscriber.publishes()) {
            got.push(Number(payload));
            assert.ok(!open.includes(messageId as number), 'an identifier in use is not used again [MQTT-2.3.1-2]');
            open.push(messageId as number);
          }
          assert.ok(open.length <= window);
        };
        for (const { publish, acknowledge: picks } of steps) {
          if (publish > 0) publisher.send(...numbered(publish, published));
          published += publish;
          await look();
          acknowledge(subscriber, ...picks.flatMap((n) => (open.length === 0 ? [] : open.splice(n % open.length, 1))));
          await look();
        }
        for (let rounds = 0; got.length < published && rounds < 10_000; rounds += 1) {
          acknowledge(subscriber, ...open.splice(0));
          await look();
        }
        assert.deepEqual(
          got,
          Array.from({ length: published }, (_, n) => n),
        );
        assert.equal(publisher.packets().length, published);
        assert.equal(subscriber.client.session?.delivery.queuedBytes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('packet identifiers go round after 65535 without 0 [MQTT-2.3.1-1]', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 1);
  const publisher = await bench.connected('p');
  let last = 0;
  for (let n = 0; n < 660; n += 1) {
    publisher.send(...numbered(100));
    await bench.settle();
    const ids = subscriber.publishes().map((p) => p.messageId as number);
    for (const id of ids) {
      assert.equal(id, last === 65_535 ? 1 : last + 1);
      last = id;
    }
    acknowledge(subscriber, ...ids);
  }
  assert.ok(last < 65_000);
});

test('packets over the Maximum Packet Size of a client are not sent to it, the others are [MQTT-3.1.2-24]', async () => {
  await using bench = await TestBench.open();
  for (const qos of [0, 1] as const) {
    const subscriber = await bench.subscribed('s', 'a', qos, {
      level: 5,
      properties: { maximumPacketSize: 512, receiveMaximum: 1 },
    });
    const publisher = await bench.connected('p', { level: 5 });
    const payloads = ['x'.repeat(600), 'small 1', 'x'.repeat(600), 'x'.repeat(600), 'small 2', 'x'.repeat(600)];
    publisher.send(...payloads.map((payload, n) => publishPacket('a', payload, { qos, messageId: n + 1 })));
    const got: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await bench.settle();
      const seen = subscriber.publishes();
      got.push(...seen.map(({ payload }) => payload));
      if (qos === 1) acknowledge(subscriber, ...seen.map((p) => p.messageId));
    }
    assert.deepEqual(got, ['small 1', 'small 2'], `QoS ${qos}`);
    // Exactly 512 bytes is allowed.
    publisher.send(
      publishPacket('a', 'x'.repeat(512 - 3 - 3 - 1 - 2 * qos), { qos, messageId: 7 }),
      publishPacket('a', 'x'.repeat(512 - 3 - 3 - 2 * qos), { qos, messageId: 8 }),
    );
    await bench.settle();
    const exact = subscriber.channel.take();
    assert.equal(exact.length, 512, `QoS ${qos}`);
    if (qos === 1) acknowledge(subscriber, exact.readUInt16BE(6));
  }
  assert.equal(bench.broker.counters.dropped['too-large'], 2 * 5);
});

test('a subscriber that stops reading costs bounded memory, delays its publisher for a moment only, and others are served', async () => {
  await using bench = await TestBench.open();
  const stuck = await bench.subscribed('stuck', 'a');
  const well = await bench.subscribed('well', 'a');
  stuck.channel.stall(true);
  const publisher = await bench.connected('p');
  const payload = Buffer.alloc(60 * KB, 0x61);
  let served = 0;
  let wasHeld = false;
  for (let n = 0; n < 200; n += 1) {
    publisher.send(publishPacket('a', payload));
    await bench.settle();
    wasHeld ||= publisher.channel.paused;
    served += well.publishes().length;
    if (publisher.channel.paused) await bench.pass(0.1);
  }
  for (let n = 0; n < 5; n += 1) await bench.pass(0.1);
  served += well.publishes().length;
  assert.ok(wasHeld, 'the publisher is held back at first');
  assert.equal(publisher.unread, 0, 'and then no more');
  assert.equal(served, 200);
  assert.ok(stuck.client.output.pending <= 3 * KB * KB + 128 * KB, `${stuck.client.output.pending} bytes wait`);
  assert.ok(bench.broker.counters.dropped['slow-client'] > 100);
  stuck.channel.stall(false);
  await bench.settle();
  await bench.pass(31);
  stuck.channel.take();
  publisher.send(publishPacket('a', 'again'));
  await bench.settle();
  assert.deepEqual(stuck.channel.take().subarray(-5).toString(), 'again', 'it is served again once it reads');
});

test('a subscriber that never acknowledges is disconnected when its queue is full: nothing acknowledged is dropped quietly', async () => {
  await using bench = await TestBench.open();
  const stuck = await bench.subscribed('stuck', 'a', 1, { level: 5 });
  const publisher = await bench.connected('p');
  let most = 0;
  for (let n = 0; n < 400 && !stuck.channel.closed; n += 1) {
    publisher.send(publishPacket('a', Buffer.alloc(30 * KB), { qos: 1, messageId: 1 + n }));
    await bench.pass(0.3);
    most = Math.max(most, stuck.client.session?.delivery.queuedBytes ?? 0);
  }
  assert.equal(stuck.channel.closed, true);
  assert.equal(stuck.packets().at(-1)?.cmd, 'disconnect');
  assert.equal(bench.refusals.at(-1)?.check, 'overload');
  assert.ok(most <= 3 * KB * KB, `${most} bytes waited`);
  assert.equal(stuck.client.session?.delivery.queuedBytes, 0);
});

test('a queue of many small messages is bounded by what it costs, not only by its payloads', async () => {
  await using bench = await TestBench.open();
  const stuck = await bench.subscribed('stuck', '#', 1);
  const publisher = await bench.connected('p');
  let queued = 0;
  // Two topics in turn: each message is a batch of its own.
  for (let n = 0; n < 250 && !stuck.channel.closed; n += 1) {
    publisher.send(
      ...Array.from({ length: 100 }, (_, i) => publishPacket(i % 2 === 0 ? 'a' : 'b', '', { qos: 1, messageId: i + 1 })),
    );
    queued += 100;
    await bench.pass(0.3);
  }
  assert.ok(queued <= 20_000, `${queued} messages waited`);
  assert.equal(stuck.channel.closed, true);
});

test('a subscriber that acknowledges is never held up by its own queue', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 1);
  const publisher = await bench.connected('p');
  const got: number[] = [];
  let sent = 0;
  let wasHeld = false;
  for (let turn = 0; turn < 2_000 && got.length < 6_000; turn += 1) {
    if (sent < 6_000 && !publisher.channel.paused) {
      publisher.send(
        ...Array.from({ length: 300 }, (_, i) =>
          publishPacket('a', String(sent + i).padEnd(1_000), { qos: 1, messageId: i + 1 }),
        ),
      );
      sent += 300;
    }
    await bench.settle();
    const seen = subscriber.publishes();
    got.push(...seen.map(({ payload }) => Number(payload)));
    acknowledge(subscriber, ...seen.slice(0, 50).map((p) => p.messageId));
    acknowledge(subscriber, ...seen.slice(50).map((p) => p.messageId));
    wasHeld ||= publisher.channel.paused;
    assert.equal(subscriber.channel.paused, false, `${subscriber.client.session?.delivery.queuedBytes} bytes wait`);
  }
  assert.ok(wasHeld, 'the publisher is held back');
  assert.deepEqual(
    got,
    Array.from({ length: 6_000 }, (_, n) => n),
  );
});

test('a publisher held back by one subscriber goes on when that one is gone', async () => {
  await using bench = await TestBench.open();
  const stuck = await bench.subscribed('stuck', 'a');
  stuck.channel.stall(true);
  const publisher = await bench.connected('p');
  for (let n = 0; n < 30; n += 1) publisher.send(publishPacket('a', Buffer.alloc(60 * KB)));
  await bench.settle();
  assert.equal(publisher.channel.paused, true);
  stuck.client.ended();
  await bench.settle();
  assert.equal(publisher.channel.paused, false);
  assert.equal(publisher.unread, 0);
});

test('a client that is slow with its own echo is not read from, and not taken for silent', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.subscribed('echo', 'a', 0, { keepalive: 30 });
  peer.channel.stall(true);
  for (let n = 0; n < 40; n += 1) peer.send(publishPacket('a', Buffer.alloc(60 * KB)));
  await bench.settle();
  assert.ok(peer.unread > 0);
  assert.ok(peer.client.output.pending <= 3 * KB * KB + 128 * KB);
});

test('counters tell received, sent and dropped messages', async () => {
  await using bench = await TestBench.open();
  await bench.subscribed('s1', 'a', 1);
  await bench.subscribed('s2', 'a', 0, { level: 5 });
  const publisher = await bench.connected('p');
  publisher.send(...numbered(10), publishPacket('a', 'x', { retain: true }), publishPacket('b', 'x'));
  await bench.settle();
  assert.deepEqual(bench.broker.figures.traffic, { connects: 3, received: 12, sent: 22 });
  const { dropped, throttled } = bench.broker.counters;
  assert.deepEqual([new Set(Object.values(dropped)), throttled], [new Set([0]), 0]);
});

test('a copy that was sent to MQTT 5 and one to MQTT 3.1.1 have their own identifiers', async () => {
  await using bench = await TestBench.open();
  const one = await bench.subscribed('one', 'a', 1);
  const two = await bench.subscribed('two', '#', 1);
  const publisher = await bench.connected('p');
  publisher.send(publishPacket('b', 'x', { qos: 1 }), publishPacket('a', 'y', { qos: 1, messageId: 2 }));
  await bench.settle();
  assert.deepEqual(
    (one.packets() as IPublishPacket[]).map((p) => p.messageId),
    [1],
  );
  assert.deepEqual(
    (two.packets() as IPublishPacket[]).map((p) => p.messageId),
    [1, 2],
  );
});

test('who asks for nothing but refusals is read from again only at the next tick', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('p', { level: 5 });
  const denied = Array.from({ length: 150 }, (_, n) => publishPacket(`$SYS/${n}`, '', { qos: 1, messageId: n + 1 }));
  peer.send(...denied).send(...denied);
  await bench.settle();
  assert.equal(peer.packets().length, 150);
  assert.ok(peer.unread > 0);
  await bench.pass(0.1);
  assert.equal(peer.packets().length, 150);
  await bench.pass(0.1);
  peer.send({ cmd: 'pingreq' });
  await bench.settle();
  assert.deepEqual(
    peer.packets().map(({ cmd }) => cmd),
    ['pingresp'],
  );
});

test('refusals over a long life do not add up', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('p', { level: 5, keepalive: 1200 });
  for (let n = 0; n < 300; n += 1) {
    peer.send(publishPacket('$SYS/x', '', { qos: 1, messageId: 1 }));
    await bench.pass(1);
    assert.equal(peer.channel.paused, false, `after ${n}`);
  }
});
