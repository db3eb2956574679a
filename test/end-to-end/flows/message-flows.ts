/** Flows of messages: there, back, kept, shared, and what they carry. */
import assert from 'node:assert/strict';
import { type Flow, payloadsUntilEnd, published, type Run, sendEnd } from './flow.ts';

async function toItself({ own, connect }: Run, qos: 0 | 1): Promise<void> {
  const client = await connect('a');
  assert.equal(await client.subscribe(own, qos), qos);
  await published(client, { topic: own, payload: `QoS ${qos}`, qos });
  const { topic, payload, qos: came, retain } = await client.next();
  assert.deepEqual({ topic, payload, came, retain }, { topic: own, payload: `QoS ${qos}`, came: qos, retain: false });
  await client.disconnect();
}

export const MESSAGE_FLOWS: readonly Flow[] = [
  { name: 'publish QoS 0', source: 'MQTT-4.3.1-1', run: (run) => toItself(run, 0) },
  { name: 'publish QoS 1', source: 'MQTT-4.3.2-4', run: (run) => toItself(run, 1) },
  {
    name: 'subscribe and unsubscribe',
    source: 'MQTT-3.10.4-1',
    run: async ({ own, connect }) => {
      const client = await connect('a');
      const filters = [`${own}/+`, `${own}/deep/#`, `${own}/end/here`];
      for (const filter of filters) assert.equal(await client.subscribe(filter, 1), 1);
      await published(client, { topic: `${own}/x`, payload: 'x', qos: 1 });
      assert.equal((await client.next()).topic, `${own}/x`);
      await client.unsubscribe(`${own}/+`);
      await published(client, { topic: `${own}/x`, payload: 'no longer', qos: 1 });
      await published(client, { topic: `${own}/deep/y`, payload: 'y', qos: 1 });
      await sendEnd(client, `${own}/end/here`);
      assert.deepEqual(await payloadsUntilEnd(client), ['y']);
      await client.disconnect();
    },
  },
  {
    name: 'retained',
    source: 'developer guide, page mqtt',
    run: async ({ own, connect }) => {
      const [live, publisher] = [await connect('live'), await connect('publisher')];
      await live.subscribe(own, 1);
      await published(publisher, { topic: own, payload: 'kept', qos: 1, retain: true });
      const atOnce = await live.next();
      assert.deepEqual([atOnce.payload, atOnce.retain], ['kept', false]);
      const late = await connect('late');
      await late.subscribe(own, 1);
      const later = await late.next();
      assert.deepEqual([later.payload, later.retain], ['kept', true]);
      await published(publisher, { topic: own, payload: '', qos: 1, retain: true });
      assert.equal((await live.next()).payload, '');
      const last = await connect('last');
      await last.subscribe(own, 1);
      await sendEnd(publisher, own);
      assert.deepEqual(await payloadsUntilEnd(last), []);
      await Promise.all([live, publisher, late, last].map((client) => client.disconnect()));
    },
  },
  {
    name: 'will',
    source: 'MQTT-3.1.2-8',
    run: async ({ own, connect }) => {
      const watcher = await connect('watcher');
      await watcher.subscribe(own, 1);
      const lost = await connect('lost', { will: { topic: own, payload: 'lost', qos: 1 } });
      await lost.drop();
      assert.equal((await watcher.next()).payload, 'lost');
      await watcher.disconnect();
    },
  },
  {
    name: 'will withdrawn',
    source: 'MQTT-3.14.4-3',
    run: async ({ own, connect }) => {
      const watcher = await connect('watcher');
      await watcher.subscribe(own, 1);
      const polite = await connect('polite', { will: { topic: own, payload: 'said goodbye', qos: 1 } });
      await polite.disconnect();
      await sendEnd(watcher, own);
      assert.deepEqual(await payloadsUntilEnd(watcher), []);
      await watcher.disconnect();
    },
  },
  {
    name: 'properties',
    level: 5,
    source: 'developer guide, page mqtt',
    run: async ({ own, connect }) => {
      const client = await connect('a');
      const sent = {
        userProperties: [
          ['unit', '°C'],
          ['unit', 'again'],
          ['place', 'roof'],
        ],
        contentType: 'application/json',
        responseTopic: `${own}/answers`,
        correlationData: 'question 7',
        payloadFormat: 1,
        expiry: 100,
      } as const;
      await client.subscribe(own, 1);
      await published(client, { topic: own, payload: '{"t":21}', qos: 1, properties: sent });
      const { payload, properties = {} } = await client.next();
      assert.equal(payload, '{"t":21}');
      // What is left of the interval [MQTT-3.3.2-6].
      const { expiry = 0, ...rest } = properties;
      assert.ok(expiry > 90 && expiry <= 100, `expiry ${expiry}`);
      const { expiry: _, ...asSent } = sent;
      assert.deepEqual(rest, asSent);
      await client.disconnect();
    },
  },
  {
    name: 'shared subscription',
    source: 'developer guide, page mqtt',
    run: async ({ own, connect }) => {
      const members = [await connect('a'), await connect('b')];
      const share = `$share/group/${own}`;
      for (const member of members) {
        assert.equal(await member.subscribe(`${own}/end`, 1), 1);
        assert.equal(await member.subscribe(share, 1), 1);
      }
      const publisher = await connect('publisher');
      const numbers = Array.from({ length: 10 }, (_, i) => `${i}`);
      for (const payload of numbers) await published(publisher, { topic: own, payload, qos: 1 });
      await sendEnd(publisher, `${own}/end`);
      const got = (await Promise.all(members.map(payloadsUntilEnd))).flat();
      assert.deepEqual(got.sort(), numbers, 'each message to one of them');
      await Promise.all([...members, publisher].map((client) => client.disconnect()));
    },
  },
  {
    name: 'shared subscription left',
    source: 'developer guide, page mqtt',
    run: async ({ own, connect }) => {
      const share = `$share/group/${own}`;
      const [leaving, staying, publisher] = [await connect('a'), await connect('b'), await connect('publisher')];
      for (const member of [leaving, staying]) await member.subscribe(share, 1);
      await staying.subscribe(`${own}/end`, 1);
      await leaving.unsubscribe(share);
      const numbers = Array.from({ length: 10 }, (_, i) => `${i}`);
      for (const payload of numbers) await published(publisher, { topic: own, payload, qos: 1 });
      await sendEnd(publisher, `${own}/end`);
      assert.deepEqual(await payloadsUntilEnd(staying), numbers, 'all to who is left');
      await Promise.all([leaving, staying, publisher].map((client) => client.disconnect()));
    },
  },
  {
    name: 'topic alias',
    level: 5,
    source: 'developer guide, page mqtt',
    run: async ({ own, connect }) => {
      const client = await connect('a');
      await client.subscribe(own, 1);
      await published(client, { topic: own, payload: 'named', qos: 1, topicAlias: 1 });
      await published(client, { topic: '', payload: 'by alias', qos: 1, topicAlias: 1 });
      for (const payload of ['named', 'by alias']) {
        const message = await client.next();
        assert.deepEqual([message.topic, message.payload], [own, payload]);
      }
      await client.disconnect();
    },
  },
];
