/** Requests that are served at a time are bounded for each client and for the account. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Publisher } from './messaging.ts';
import { RequestQueue } from './request-queue.ts';

class Client implements Publisher {
  readonly origin = {};
  pauses = 0;
  waitFor(): void {}
  waitForDisk(): void {}
  pauseReading(): void {
    this.pauses += 1;
  }
  resumeReading(): void {
    this.pauses -= 1;
  }
}

const open = () => {
  const queue = new RequestQueue();
  const begun: { name: string; end: () => void; fail: (error: Error) => void }[] = [];
  const kept: string[] = [];
  const run = (publisher: Publisher | undefined, name: string, size = 1): Promise<void> | undefined => {
    const work = (): Promise<void> => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      begun.push({ name, end: resolve, fail: reject });
      return promise;
    };
    return queue.run({ publisher, size, work, keep: () => kept.push(name) });
  };
  const names = (): string[] => begun.map(({ name }) => name);
  return { begun, kept, run, names, queue };
};

test('ten of a client are served at a time, in their order; it is not read from while one waits', async () => {
  const { begun, kept, run, names } = open();
  const client = new Client();
  const done = Array.from({ length: 12 }, (_, i) => run(client, String(i)));
  assert.deepEqual([names().length, client.pauses, kept], [10, 1, ['10', '11']]);
  begun[3]?.end();
  await setImmediate();
  assert.deepEqual([names().at(-1), client.pauses], ['10', 1]);
  begun[4]?.fail(new Error('a request that fails makes room too'));
  await assert.rejects(done[4] as Promise<void>);
  await setImmediate();
  assert.deepEqual([names().at(-1), client.pauses], ['11', 0]);
  for (const { end } of begun) end();
  await Promise.allSettled(done);
});

test('a request that is read as soon as reading goes on is behind the one that has waited', async () => {
  const { begun, run, names } = open();
  const unread = ['11', '12'];
  const client = new (class extends Client {
    override resumeReading(): void {
      super.resumeReading();
      while (this.pauses === 0) {
        const name = unread.shift();
        if (name === undefined) return;
        void run(this, name);
      }
    }
  })();
  for (let i = 0; i < 11; i += 1) void run(client, String(i));
  begun[0]?.end();
  begun[1]?.end();
  begun[2]?.end();
  await setImmediate();
  assert.deepEqual(names().slice(10), ['10', '11', '12']);
});

test('five hundred of an account are served at a time; then each client has its turn', async () => {
  const { begun, run, names } = open();
  for (let i = 0; i < 50; i += 1) {
    const client = new Client();
    for (let j = 0; j < 10; j += 1) void run(client, 'early');
  }
  const [a, b] = [new Client(), new Client()];
  for (const name of ['a0', 'a1']) void run(a, name);
  for (const name of ['b0', 'b1']) void run(b, name);
  assert.deepEqual([names().length, a.pauses, b.pauses], [500, 1, 1]);
  for (let i = 0; i < 4; i += 1) {
    begun[i]?.end();
    await setImmediate();
  }
  assert.deepEqual([names().slice(500), a.pauses, b.pauses], [['a0', 'b0', 'a1', 'b1'], 0, 0]);
});

test('more than 16 MiB do not wait', async () => {
  const { run, names } = open();
  for (let i = 0; i < 10; i += 1) void run(undefined, 'early');
  for (let i = 0; i < 16; i += 1) assert.notEqual(run(undefined, 'waits', 1024 * 1024), undefined);
  assert.equal(run(undefined, 'one too many'), undefined);
  assert.equal(names().length, 10);
});

test('of a request that is refused nothing is kept, nor of one that is done', async () => {
  const { begun, run, queue } = open();
  const busy = new Client();
  for (let i = 0; i < 11; i += 1) void run(busy, String(i), i === 10 ? 16 * 1024 * 1024 : 1);
  for (let i = 0; i < 500; i += 1) void run(new Client(), 'x');
  assert.equal(run(new Client(), 'too much'), undefined);
  assert.equal(queue.sources, 491);
  while (begun.length > 0) {
    for (const { end } of begun.splice(0)) end();
    await setImmediate();
    await setImmediate();
  }
  assert.equal(queue.sources, 0);
});
