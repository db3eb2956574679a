/** Flows of connections and the sessions behind them. */
import assert from 'node:assert/strict';
import type { FlowClient } from './client.ts';
import { type Flow, kept, payloadsUntilEnd, published, sendEnd, sessionIs } from './flow.ts';

const SESSION_TAKEN_OVER = 0x8e;
/** AWS's default for a session's life, in seconds: longer ones are brought down to it. */
const SESSION_EXPIRY_MOST = 3600;

export const SESSION_FLOWS: readonly Flow[] = [
  {
    name: 'connect clean',
    source: 'MQTT-3.2.2-2',
    run: async ({ own, level, connect }) => {
      const kept1 = await connect('a', kept(level, true));
      await kept1.subscribe(own, 1);
      await kept1.disconnect();
      const clean = await connect('a');
      sessionIs(false, clean);
      const other = await connect('b');
      assert.equal(await clean.subscribe(`${own}/end`, 1), 1);
      await published(other, { topic: own, payload: 'for the session that is gone', qos: 1 });
      await sendEnd(other, `${own}/end`);
      assert.deepEqual(await payloadsUntilEnd(clean), []);
      await Promise.all([clean.disconnect(), other.disconnect()]);
    },
  },
  {
    name: 'resume with queued QoS 1',
    source: 'developer guide, page mqtt',
    run: async ({ own, level, connect }) => {
      const before = await connect('a', kept(level, level === 5));
      sessionIs(false, before);
      assert.equal(await before.subscribe(own, 1), 1);
      await before.disconnect();
      const other = await connect('b');
      for (const payload of ['one', 'two']) await published(other, { topic: own, payload, qos: 1 });
      await published(other, { topic: own, payload: 'not kept', qos: 0 });
      await sendEnd(other, own);
      const after = await connect('a', kept(level));
      sessionIs(true, after);
      assert.deepEqual(await payloadsUntilEnd(after), ['one', 'two']);
      await Promise.all([after.disconnect(), other.disconnect()]);
    },
  },
  {
    name: 'session expiry',
    level: 5,
    source: 'developer guide, page mqtt',
    run: async ({ own, connect }) => {
      const long = await connect('a', { sessionExpiry: 86_400 });
      assert.equal(long.welcome.sessionExpiry, SESSION_EXPIRY_MOST);
      await long.subscribe(own, 1);
      await long.drop();
      const back = await connect('a', { clean: false, sessionExpiry: 600 });
      assert.equal(back.welcome.sessionPresent, true);
      assert.ok([undefined, 600].includes(back.welcome.sessionExpiry));
      await back.disconnect({ sessionExpiry: 0 });
      const anew = await connect('a', { clean: false });
      assert.equal(anew.welcome.sessionPresent, false, 'ended by DISCONNECT');
      await anew.disconnect();
    },
  },
  {
    name: 'take-over',
    source: 'developer guide, page mqtt',
    run: async ({ own, level, connect }) => {
      const first = await connect('same');
      const end = first.ended();
      const second = await connect('same');
      const { reason } = await end;
      if (level === 4) assert.equal(reason, undefined);
      else assert.ok([SESSION_TAKEN_OVER, null].includes(reason as number | null), `reason ${reason}`);
      await second.subscribe(own, 1);
      await published(second, { topic: own, payload: 'still here', qos: 1 });
      assert.equal((await second.next()).payload, 'still here');
      await second.disconnect();
    },
  },
  {
    name: 'assigned client id',
    source: 'MQTT-3.1.3-6',
    run: async ({ own, level, driving }) => {
      const clients = [await driving.connect({ clientId: '' }), await driving.connect({ clientId: '' })];
      if (level === 5)
        assert.equal(new Set(clients.map(({ welcome }) => welcome.assignedClientId || undefined)).size, 2, 'each its own');
      for (const client of clients) assert.equal(await client.subscribe(own, 1), 1);
      await published(clients[0] as FlowClient, { topic: own, payload: 'to both', qos: 1 });
      for (const client of clients) assert.equal((await client.next()).payload, 'to both');
      await Promise.all(clients.map((client) => client.disconnect()));
    },
  },
  {
    name: 'keep-alive ping',
    source: 'MQTT-3.12.4-1',
    run: async ({ connect }) => {
      const client = await connect('a', { keepAlive: 5 });
      await client.ping();
      await client.disconnect();
    },
  },
];
