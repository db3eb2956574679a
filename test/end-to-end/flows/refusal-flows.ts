/** Flows that end in a refusal. */
import assert from 'node:assert/strict';
import type { Outgoing, Transport } from './client.ts';
import type { Flow } from './flow.ts';

const NOT_AUTHORIZED = 0x87;

/** An access key may do everything in its account; only the reserved topics are closed to it. */
const deniedTopic = (transport: Transport): string =>
  transport === 'sigv4' ? '$aws/events/presence/connected/x' : 'denied/here';

export const REFUSAL_FLOWS: readonly Flow[] = [
  {
    name: 'denied publish',
    source: 'developer guide, page mqtt',
    run: async ({ own, level, transport, connect }) => {
      const client = await connect('a');
      const denied: Outgoing = { topic: deniedTopic(transport), payload: 'x', qos: 1 };
      if (level === 5) {
        assert.ok([NOT_AUTHORIZED, null].includes(await client.publish(denied)));
        assert.equal(await client.subscribe(own, 1), 1, 'the connection stays');
        await client.disconnect();
      } else {
        const end = client.ended();
        client.publish(denied).catch(() => undefined);
        assert.equal((await end).reason, undefined);
      }
    },
  },
  {
    name: 'denied subscribe',
    source: 'developer guide, page mqtt',
    run: async ({ own, level, transport, connect }) => {
      const client = await connect('a');
      const filter = transport === 'sigv4' ? '$aws/rules/any' : 'denied/here';
      if (level === 5) {
        assert.equal(await client.subscribe(filter, 1), NOT_AUTHORIZED);
        assert.equal(await client.subscribe(own, 1), 1, 'the connection stays');
        await client.disconnect();
      } else {
        const end = client.ended();
        client.subscribe(filter, 1).catch(() => undefined);
        assert.equal((await end).reason, undefined);
      }
    },
  },
];
