import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from './semaphore.ts';

test('so many at a time, in order, a bounded number in wait; a failure makes room like a success', async () => {
  const semaphore = new Semaphore({ atATime: 2, inWait: 3 });
  const began: number[] = [];
  const finish: PromiseWithResolvers<void>[] = [];
  let running = 0;
  let most = 0;
  const work = (n: number) =>
    semaphore.run(async () => {
      began.push(n);
      running += 1;
      most = Math.max(most, running);
      const done = Promise.withResolvers<void>();
      finish.push(done);
      try {
        await done.promise;
      } finally {
        running -= 1;
      }
    });
  const all = [0, 1, 2, 3, 4].map(work);
  await assert.rejects(work(5), { code: 'ThrottlingException' });
  finish[0]?.reject(new Error('no key'));
  await assert.rejects(all[0] ?? Promise.resolve(), { message: 'no key' });
  for (let i = 1; i < 5; i += 1) {
    finish[i]?.resolve();
    await all[i];
  }
  assert.deepEqual(began, [0, 1, 2, 3, 4]);
  assert.equal(most, 2);
  const late = work(6);
  finish[5]?.resolve();
  await late;
});
