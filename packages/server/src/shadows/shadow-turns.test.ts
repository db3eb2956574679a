/** Changes of one shadow are in their order, whatever comes of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ShadowTurns } from './shadow-turns.ts';

test('a change waits for all before it while one of them is done anew, those that fail early too', async () => {
  const turns = new ShadowTurns();
  const order: string[] = [];
  const made = Promise.withResolvers<string>();
  const first = turns.run(
    'lamp',
    async () => undefined,
    () => made.promise,
  );
  const failed = turns.run(
    'lamp',
    async () => {
      await setImmediate();
      throw new Error('a write that fails');
    },
    async () => 'anew',
  );
  const none = async (): Promise<string> => assert.fail('it is not done anew');
  const other = turns.run('other', async () => 'of another shadow', none);
  assert.equal(await other, 'of another shadow');
  const last = turns.run('lamp', async (): Promise<string> => (order.push('last') > 0 ? 'last' : ''), none);
  await assert.rejects(failed, /a write that fails/);
  await setImmediate();
  assert.deepEqual(order, []);
  made.resolve('first');
  assert.deepEqual([await first, await last, order], ['first', 'last', ['last']]);
});

test('a change that comes when those that are done anew have ended is behind those that have waited for them', async () => {
  const turns = new ShadowTurns();
  const order: string[] = [];
  const made = Promise.withResolvers<string>();
  const slow = Promise.withResolvers<string>();
  const none = async (): Promise<string> => assert.fail('it is not done anew');
  const of = (name: string) => async (): Promise<string> => (order.push(name) > 0 ? name : '');
  const all = [
    turns.run(
      'lamp',
      async () => undefined,
      () => made.promise,
    ),
    turns.run('lamp', () => slow.promise, none),
  ];
  await setImmediate();
  all.push(turns.run('lamp', of('has waited'), none));
  made.resolve('made');
  await setImmediate();
  all.push(turns.run('lamp', of('came then'), none));
  await setImmediate();
  assert.deepEqual(order, []);
  slow.resolve('slow');
  await Promise.all(all);
  assert.deepEqual(order, ['has waited', 'came then']);
});
