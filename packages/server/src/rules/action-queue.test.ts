/** Orders on their way: pauses and patience by the clock that is handed in, room, batches, and what is on disk only. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ActionQueue, type QueueOptions } from './action-queue.ts';
import { ActionError } from './actions/action-error.ts';
import type { ActionType, Batching } from './actions/contract.ts';
import type { KeptOrder } from './orders.ts';
import type { Entry } from './queue-quota.ts';

const orderOf = (id: string, topic = 't'): KeptOrder => ({
  id,
  place: { accountId: '1', region: 'r' },
  ruleName: 'r',
  key: 'http',
  index: 0,
  parameters: {},
  isJson: true,
  payload: Buffer.from(id),
  message: { topic, payload: Buffer.from(id), receivedAt: 0, traceId: 't' },
});

interface BenchOptions {
  readonly batching?: Batching;
  readonly attempts?: number;
  readonly tells?: boolean;
  readonly run?: (orders: readonly KeptOrder[]) => Promise<void>;
  readonly failed?: (together: unknown) => void;
}

class Bench {
  now = 0;
  readonly runs: string[][] = [];
  readonly ended: string[] = [];
  readonly disk = new Map<number, KeptOrder>();
  readonly usage = { orders: 0, memory: 0, disk: 0 };
  readable = true;
  reads = 0;
  readonly queue: ActionQueue;

  constructor({ batching, attempts, tells = true, run = () => Promise.resolve(), failed }: BenchOptions = {}) {
    const type = {
      name: 'T',
      resource: () => '',
      permissions: () => [],
      run: () => Promise.resolve(),
      attempts,
    };
    const options: QueueOptions = {
      clock: { now: () => this.now, monotonic: () => this.now },
      type: type as ActionType<unknown>,
      batching,
      tells: () => tells,
      usage: this.usage,
      run: (orders) => {
        this.runs.push(orders.map(({ id }) => id));
        return run(orders);
      },
      read: (at) => {
        this.reads += 1;
        return this.readable ? Promise.resolve(this.disk.get(at)) : Promise.reject(new Error('disk'));
      },
      done: (_, { id }) => void this.ended.push(`${id} done`),
      failed: (_, { id }, { message }, together) => {
        this.ended.push(`${id} ${message}`);
        failed?.(together);
      },
      missing: ({ at }) => void this.ended.push(`${at} lost`),
    };
    this.queue = new ActionQueue(options);
  }

  put(
    id: string,
    { at = 0, topic = 't', onDisk = true, age = 0 }: { at?: number; topic?: string; onDisk?: boolean; age?: number } = {},
  ): void {
    const order = orderOf(id, topic);
    if (at > 0 && onDisk) this.disk.set(at, order);
    const entry: Entry = { at, size: 10, group: topic, order, attempts: 0, age, since: 0 };
    this.queue.put(entry);
  }

  /** Time passes, and the queue is told so often on the way. */
  async pass(ms: number, steps = 10): Promise<void> {
    for (let i = 0; i < steps; i += 1) {
      this.now += ms / steps;
      this.queue.tick(this.now);
      await setImmediate();
    }
  }
}

const passing = new ActionError('away', true);

describe('an action queue', () => {
  test('what passes is tried four times with growing pauses when somebody is told, and then given up', async () => {
    const bench = new Bench({ run: () => Promise.reject(passing) });
    bench.put('a');
    await bench.pass(300);
    assert.equal(bench.runs.length, 1);
    await bench.pass(400);
    assert.equal(bench.runs.length, 2);
    await bench.pass(8000);
    assert.deepEqual([bench.runs.length, bench.ended, bench.queue.size, bench.usage.memory], [4, ['a away'], 0, 0]);
  });

  test('a durable order whose failure would reach nobody is tried for a day, any other four times', async () => {
    const bench = new Bench({ tells: false, run: () => Promise.reject(passing) });
    bench.put('kept', { at: 1 });
    bench.put('not kept');
    await bench.pass(3_600_000, 3600);
    assert.deepEqual(bench.ended, ['not kept away']);
    await bench.pass(24 * 3_600_000, 2000);
    assert.deepEqual(bench.ended, ['not kept away', 'kept away']);
  });

  test('what does not pass is given up at once, and a kind of action may say how often it is tried', async () => {
    const once = new Bench({ run: () => Promise.reject(new ActionError('no', false)) });
    once.put('a');
    await once.pass(10);
    assert.deepEqual([once.runs.length, once.ended], [1, ['a no']]);
    const twice = new Bench({ attempts: 2, tells: false, run: () => Promise.reject(passing) });
    twice.put('a', { at: 1 });
    await twice.pass(100_000);
    assert.deepEqual([twice.runs.length, twice.ended], [2, ['a away']]);
  });

  test('a fault that is none of the peer is a failure too', async () => {
    const bench = new Bench({ run: () => Promise.reject(new TypeError('defect')) });
    bench.put('a');
    await bench.pass(10);
    assert.deepEqual(bench.ended, ['a an unexpected fault of the server']);
  });

  test('sixteen at a time, in order; the others wait and have no room without end', async () => {
    const open: (() => void)[] = [];
    const bench = new Bench({ run: () => new Promise((resolve) => open.push(resolve)) });
    for (let i = 0; i < 20; i += 1) bench.put(`o${i}`);
    await setImmediate();
    assert.deepEqual([bench.runs.length, bench.queue.size], [16, 20]);
    open[0]?.();
    await setImmediate();
    assert.deepEqual([bench.runs.length, bench.runs.at(-1)], [17, ['o16']]);
    assert.equal(bench.queue.hasRoom(16 * 1024 * 1024, false), false);
    assert.equal(bench.queue.hasRoom(16 * 1024 * 1024, true), true);
    bench.usage.memory = 128 * 1024 * 1024;
    assert.equal(bench.queue.hasRoom(1, false), false);
    assert.equal(bench.queue.hasRoom(1, true), true);
    bench.usage.disk = 8192 * 1024 * 1024;
    assert.equal(bench.queue.hasRoom(1, true), false);
  });

  test('however many queues stand still, another one finds room', () => {
    const usage = { orders: 0, memory: 0, disk: 0 };
    const options = { usage, clock: { now: () => 0, monotonic: () => 0 }, type: {}, batching: undefined, tells: () => true };
    const silent = { run: () => new Promise<void>(() => undefined), read: () => Promise.resolve(undefined) };
    const ends = { done: () => undefined, failed: () => undefined, missing: () => undefined };
    for (let n = 0; n < 50; n += 1) {
      const queue = new ActionQueue({ ...options, ...silent, ...ends });
      const size = 64 * 1024;
      assert.ok(queue.hasRoom(size, false), `queue ${n}`);
      while (queue.hasRoom(size, false))
        queue.put({ at: 0, size, group: '', order: orderOf('o'), attempts: 0, age: 0, since: 0 });
    }
    assert.ok(usage.memory <= 128 * 1024 * 1024);
  });

  test('a peer that is away is asked with one order at a time, where orders have time; once it is back, all go on', async () => {
    let away = true;
    const bench = new Bench({ tells: false, run: () => (away ? Promise.reject(passing) : Promise.resolve()) });
    for (let at = 1; at <= 200; at += 1) bench.put(`o${at}`, { at });
    await bench.pass(100);
    assert.equal(bench.runs.length, 16);
    await bench.pass(3_600_000, 3_600);
    assert.ok(bench.runs.length < 120, `${bench.runs.length} attempts in an hour`);
    away = false;
    await bench.pass(120_000, 120);
    assert.equal(bench.ended.length, 200);
  });

  test('a disk that can not be read loses nothing', async () => {
    const bench = new Bench();
    bench.usage.memory = 128 * 1024 * 1024;
    bench.readable = false;
    bench.put('a', { at: 7 });
    await bench.pass(400, 4);
    assert.deepEqual([bench.reads, bench.ended], [1, []]);
    await bench.pass(10_000);
    assert.deepEqual([bench.ended, bench.queue.size], [[], 1]);
    bench.readable = true;
    await bench.pass(10_000);
    assert.deepEqual([bench.ended, bench.queue.size], [['a done'], 0]);
  });

  test('what is found at a start begins with the first tick', async () => {
    const bench = new Bench();
    bench.queue.putBack({ at: 1, size: 10, group: '', order: orderOf('a'), attempts: 0, age: 0, since: 0 });
    await setImmediate();
    assert.deepEqual(bench.runs, []);
    bench.queue.tick(0);
    await setImmediate();
    assert.deepEqual(bench.ended, ['a done']);
  });

  test('batches of one topic stay so where orders are on disk only', async () => {
    const bench = new Bench({ batching: { openMs: 200, orders: 3, bytes: 100, byTopic: true } });
    bench.usage.memory = 128 * 1024 * 1024;
    for (const [i, topic] of ['x', 'x', 'x', 'y', 'y', 'y'].entries()) bench.put(`${topic}${i}`, { at: i + 1, topic });
    await bench.pass(10);
    assert.deepEqual(bench.runs, [
      ['x0', 'x1', 'x2'],
      ['y3', 'y4', 'y5'],
    ]);
  });

  test('what is on disk needs no memory beyond a bound, and is read when its turn comes', async () => {
    const bench = new Bench();
    bench.usage.memory = 128 * 1024 * 1024;
    bench.put('a', { at: 7 });
    assert.equal(bench.usage.memory, 128 * 1024 * 1024);
    await setImmediate();
    assert.deepEqual([bench.runs, bench.ended], [[['a']], ['a done']]);
    // Nobody has put it there.
    bench.put('b', { at: 8, onDisk: false });
    await setImmediate();
    assert.deepEqual(bench.ended, ['a done', '8 lost']);
  });

  test('a batch closes by number, by bytes or by time; those of other groups gather beside it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const bench = new Bench({ batching: { openMs: 200, orders: 3, bytes: 10, byTopic: true } });
    for (const [id, topic] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
      ['d', 'y'],
      ['e', 'x'],
    ] as const)
      bench.put(id, { topic });
    await setImmediate();
    assert.deepEqual(bench.runs, [['a', 'c', 'e']]);
    t.mock.timers.tick(199);
    assert.equal(bench.runs.length, 1);
    t.mock.timers.tick(1);
    await setImmediate();
    assert.deepEqual(bench.runs.at(-1), ['b', 'd']);
    bench.put('f');
    bench.put('0123456789');
    await setImmediate();
    assert.deepEqual(bench.runs.slice(2), [['f'], ['0123456789']]);
  });

  test('a batch whose time is over takes more as long as all are busy', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const open: (() => void)[] = [];
    const batching = { openMs: 200, orders: 3, bytes: 1000, byTopic: true };
    const bench = new Bench({ batching, run: () => new Promise((resolve) => open.push(resolve)) });
    for (let n = 0; n < 16; n += 1) {
      bench.put('busy', { topic: `t${n}` });
      t.mock.timers.tick(200);
    }
    bench.put('a');
    t.mock.timers.tick(200);
    bench.put('b');
    await setImmediate();
    assert.equal(bench.runs.length, 16);
    open[0]?.();
    await setImmediate();
    assert.deepEqual(bench.runs.at(-1), ['a', 'b']);
  });

  test('orders that fail as a batch are given up with one token for all of them', async () => {
    const tokens: unknown[] = [];
    const batching = { openMs: 200, orders: 3, bytes: 1000, byTopic: true };
    const bench = new Bench({
      batching,
      run: () => Promise.reject(new ActionError('no', false)),
      failed: (together) => tokens.push(together),
    });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) bench.put(id);
    await bench.pass(10);
    assert.deepEqual(tokens[0], { count: 3, byTopic: true });
    assert.equal(new Set(tokens).size, 2);
    assert.equal(tokens.length, 6);
  });

  test('after its end nothing begins, and what was cut short has not failed', async () => {
    let end: ((error: Error) => void) | undefined;
    const bench = new Bench({ run: () => new Promise((_, reject) => (end = reject)) });
    bench.put('a');
    await setImmediate();
    bench.queue.close();
    end?.(new ActionError('aborted', true));
    bench.put('b');
    await bench.pass(60_000);
    assert.deepEqual([bench.runs, bench.ended], [[['a']], []]);
  });
});
