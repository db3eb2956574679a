/** One index of an account: a build that fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountIndex } from './account-index.ts';
import type { IndexThread } from './engine/index-thread.ts';

/** An index over a thread whose first calls fail; `attempts` counts builds. */
function bench(failing: number) {
  const seen = { attempts: 0, failures: 0 };
  const told = Promise.withResolvers<void>();
  const index = new AccountIndex({
    key: { region: 'us-east-1', accountId: '000000000000', name: 'AWS_Things' },
    status: 'BUILDING',
    thread: {
      callForServer: async () => {
        seen.attempts += 1;
        if (seen.attempts <= failing) throw new Error('the thread has ended');
        return [];
      },
    } as unknown as IndexThread,
    read: async (names) => names.map(() => undefined),
    allNames: async function* () {
      yield* [];
    },
    failed: () => {
      seen.failures += 1;
      told.resolve();
    },
  });
  return { index, seen, failed: told.promise };
}

test('a build that fails is tried again a second later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { index, seen, failed } = bench(1);
  index.build('BUILDING');
  await failed;
  assert.deepEqual([index.status, seen.attempts], ['BUILDING', 1]);
  t.mock.timers.tick(1000);
  await index.built();
  assert.deepEqual([index.status, seen], ['ACTIVE', { attempts: 2, failures: 1 }]);
});

test('a close, and a later build, end the pause of one that has failed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const first = bench(1);
  first.index.build('BUILDING');
  await first.failed;
  first.index.build('BUILDING');
  await first.index.built();
  assert.equal(first.index.status, 'ACTIVE');
  const second = bench(Number.POSITIVE_INFINITY);
  second.index.build('BUILDING');
  await second.failed;
  await second.index.close();
  assert.equal(second.seen.attempts, 1);
});
