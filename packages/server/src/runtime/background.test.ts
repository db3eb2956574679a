import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Background } from './background.ts';

const clock = { now: () => 0, monotonic: () => 0 };

test('work in the background gives the event loop its turn at each rest, and runs once more when it is asked for meanwhile', async () => {
  const background = new Background(clock, { error: () => undefined });
  const steps: string[] = [];
  const work = (name: string) => async (rest: () => Promise<void>) => {
    for (let i = 0; i < 2; i += 1) {
      steps.push(`${name}${i}`);
      await rest();
    }
  };
  background.start('a', work('first'));
  background.start('a', work('dropped'));
  background.start('a', work('second'));
  background.start('b', work('other'));
  setImmediate(() => steps.push('turn'));
  await background.idle();
  assert.deepEqual(
    steps.filter((step) => step !== 'turn' && !step.startsWith('other')),
    ['first0', 'first1', 'second0', 'second1'],
  );
  assert.ok(steps.indexOf('turn') < steps.indexOf('first1') || steps.indexOf('turn') < steps.indexOf('second0'));
});

test('work that fails is logged, and close ends what is under way', async () => {
  const lines: object[] = [];
  const background = new Background(clock, { error: (line: object) => void lines.push(line) });
  background.start('bad', () => Promise.reject(new RangeError('no')));
  let rounds = 0;
  background.start('endless', async (rest) => {
    for (;;) {
      rounds += 1;
      await rest();
    }
  });
  await background.close();
  const after = rounds;
  background.start('late', async () => void lines.push({}));
  await background.idle();
  assert.deepEqual([lines.length, rounds], [1, after]);
});
