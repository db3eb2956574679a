/** Due work over a real store and a clock that is moved: taken once, tried again, taken over, in turn, and after a death. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from './contract.ts';
import { cancel, type DueRecord, dueRecords, schedule } from './due-records.ts';
import { type DueHandler, type DueItem, DueWork, type Outcome, type Task } from './due-work.ts';
import { byRegion } from './regional.ts';
import { openMemoryStore } from './rerunning-store.fixture.ts';

class Bench {
  readonly store: Store;
  now = 10_000_000;
  readonly errors: object[] = [];
  readonly clock = { now: () => this.now, monotonic: () => this.now };
  readonly log = { error: (line: object): void => void this.errors.push(line) };

  constructor(store: Store) {
    this.store = store;
  }

  async server(
    node: string,
    take: (item: DueItem) => Promise<Outcome>,
    more: Partial<DueHandler> = {},
    tasks: Task[] = [],
  ): Promise<DueWork> {
    const dueWork = [{ kind: 'lamp', concurrency: 4, take, ...more }];
    return DueWork.open([{ dueWork, tasks }], { store: this.store, clock: this.clock, log: this.log, node });
  }

  add(id: string, at = this.now, more: Partial<DueRecord> = {}): Promise<void> {
    return this.store.write((tx) => schedule(tx, { kind: 'lamp', id, at, data: {}, ...more }));
  }

  left(): Promise<DueRecord[]> {
    return this.store.read(async (tx) => (await tx.scan(dueRecords, { prefix: ['lamp'] })).items);
  }
}

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise(setImmediate);
};

const openBench = async (): Promise<Bench> => new Bench(await openMemoryStore());

test('an item is done when it is due, with its data, and not again', async () => {
  const bench = await openBench();
  const done: unknown[] = [];
  const work = await bench.server('a', async ({ id, data, accountId }) => {
    done.push([id, data, accountId]);
    return 'done';
  });
  // Scheduled in a region's transaction, beside what it is about.
  const item = { kind: 'lamp', id: 'x', at: bench.now + 500, data: { watts: 5 }, accountId: '111111111111' };
  await byRegion(bench.store)('eu-west-1').write((tx) => schedule(tx, item));
  await work.tick();
  assert.deepEqual(done, []);
  bench.now += 500;
  await work.tick();
  await work.tick();
  assert.deepEqual(done, [['x', { watts: 5 }, '111111111111']]);
  assert.deepEqual(await bench.left(), []);
});

test('the state: what waits and for how long, what is under way, and nothing that is not due yet', async () => {
  const bench = await openBench();
  const held = Promise.withResolvers<Outcome>();
  const work = await bench.server('a', () => held.promise, { concurrency: 1 });
  await bench.add('first', bench.now - 5_000);
  await bench.add('second', bench.now - 3_000);
  await bench.add('later', bench.now + 1_000);
  assert.deepEqual((await work.state()).get('lamp'), { waiting: 2, delay: 5_000, running: 0 });
  const done = work.tick();
  await until(async () => (await work.state()).get('lamp')?.running === 1);
  assert.deepEqual((await work.state()).get('lamp'), { waiting: 1, delay: 3_000, running: 1 });
  held.resolve('done');
  await done;
  assert.deepEqual((await work.state()).get('lamp'), { waiting: 1, delay: 3_000, running: 0 });
});

test('an item that is due again is, one that was cancelled is not, one that was scheduled anew is done once more', async () => {
  const bench = await openBench();
  const done: string[] = [];
  const work = await bench.server('a', async ({ id }) => {
    done.push(id);
    if (id === 'anew' && done.length === 1) await bench.add('anew', bench.now + 10);
    return id === 'again' ? { again: bench.now + 100 } : 'done';
  });
  await bench.add('anew');
  await work.tick();
  bench.now += 10;
  await work.tick();
  assert.deepEqual(done.splice(0), ['anew', 'anew']);
  await bench.add('again');
  await bench.add('gone');
  assert.equal(await bench.store.write((tx) => cancel(tx, 'lamp', 'gone')), true);
  await work.tick();
  await work.tick();
  assert.deepEqual(done, ['again']);
  bench.now += 100;
  await work.tick();
  assert.deepEqual(done, ['again', 'again']);
});

test('an item that fails is tried again, later each time, and others go on', async () => {
  const bench = await openBench();
  const tries: number[] = [];
  const work = await bench.server('a', async ({ id, failures }) => {
    if (id === 'good') return 'done';
    tries.push(failures);
    throw new Error('no');
  });
  await bench.add('bad');
  await bench.add('good');
  for (let i = 0; i < 4; i += 1) {
    await work.tick();
    const [record] = await bench.left();
    assert.equal(record?.at, bench.now + 1_000 * 2 ** i);
    bench.now = record.at;
  }
  assert.deepEqual(tries, [0, 1, 2, 3]);
  assert.equal(bench.errors.length, 4);
  assert.deepEqual(
    (await bench.left()).map(({ id, lease }) => [id, lease]),
    [['bad', undefined]],
  );
});

test('of two servers one does an item; the other takes it over once the lease is over, and what the first one says is void', async () => {
  const bench = await openBench();
  const done: string[] = [];
  const standstill = Promise.withResolvers<Outcome>();
  let isHeld: boolean | undefined;
  let signal: AbortSignal | undefined;
  const first = await bench.server('a', async (item) => {
    done.push('a');
    signal = item.signal;
    const outcome = await standstill.promise;
    isHeld = await bench.store.write((tx) => item.isHeld(tx));
    return outcome;
  });
  const second = await bench.server('b', async () => {
    done.push('b');
    return { again: bench.now + 1_000 };
  });
  await bench.add('x');
  const ran = first.tick();
  while (done.length === 0) await new Promise(setImmediate);
  await second.tick();
  assert.deepEqual(done, ['a']);
  bench.now += 30_000;
  await second.tick();
  assert.deepEqual(done, ['a', 'b']);
  // The first one goes on: it hears at its next look that the item is not its own any more.
  await first.tick();
  assert.equal(signal?.aborted, true);
  standstill.resolve('done');
  await ran;
  assert.equal(isHeld, false);
  assert.deepEqual(
    (await bench.left()).map(({ id, at }) => [id, at]),
    [['x', bench.now + 1_000]],
  );
});

test('the lease of work that takes long is renewed', async () => {
  const bench = await openBench();
  const end = Promise.withResolvers<Outcome>();
  let started = false;
  const first = await bench.server('a', () => {
    started = true;
    return end.promise;
  });
  const second = await bench.server('b', async () => assert.fail('it is held'));
  await bench.add('x');
  const ran = first.tick();
  while (!started) await new Promise(setImmediate);
  for (let i = 0; i < 10; i += 1) {
    bench.now += 15_000;
    await first.tick();
    await second.tick();
  }
  end.resolve('done');
  await ran;
  assert.deepEqual(await bench.left(), []);
  assert.deepEqual(bench.errors, []);
});

test('an item that is settled in the transaction of its effect is done once, though the server dies before it is told', async () => {
  const bench = await openBench();
  let effects = 0;
  const dies = Promise.withResolvers<Outcome>();
  const first = await bench.server('a', async (item) => {
    if (await bench.store.write((tx) => item.settle(tx, 'done'))) effects += 1;
    return dies.promise;
  });
  await bench.add('x');
  void first.tick();
  while (effects === 0) await new Promise(setImmediate);
  bench.now += 60_000;
  const second = await bench.server('b', async () => assert.fail('it is settled'));
  await second.tick();
  assert.equal(effects, 1);
});

test('what a run of the server that died was doing is taken up by the next one at once', async () => {
  const bench = await openBench();
  let taken = 0;
  const take = (): Promise<Outcome> => {
    taken += 1;
    return taken === 1 ? new Promise(() => undefined) : Promise.resolve('done');
  };
  const died = await bench.server('a', take);
  await bench.add('x');
  void died.tick();
  while (taken === 0) await new Promise(setImmediate);
  const next = await bench.server('a', take);
  await next.tick();
  assert.equal(taken, 2);
  assert.deepEqual(await bench.left(), []);
});

test('work that a stop interrupts is due at the next start, and no failure is told', async () => {
  const bench = await openBench();
  const work = await bench.server(
    'a',
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
  );
  await bench.add('x');
  const ran = work.tick();
  while ((await bench.left())[0]?.lease === undefined) await new Promise(setImmediate);
  await work[Symbol.asyncDispose]();
  await ran;
  assert.deepEqual(
    (await bench.left()).map(({ at, failures, lease }) => [at, failures, lease]),
    [[bench.now, 0, undefined]],
  );
  assert.deepEqual(bench.errors, []);
});

test('what is being taken while the server stops is not begun, and is due at the next start', async () => {
  const bench = await openBench();
  const work = await bench.server('a', async () => assert.fail('the server has stopped'));
  await bench.add('x');
  const ticked = work.tick();
  await work[Symbol.asyncDispose]();
  await ticked;
  assert.deepEqual(
    (await bench.left()).map(({ at, failures, lease }) => [at, failures, lease]),
    [[bench.now, 0, undefined]],
  );
});

test('accounts are taken in turn, none over its half, and a thousand items of one do not hide those of another', async () => {
  const bench = await openBench();
  const ends: (() => void)[] = [];
  const running: string[] = [];
  const work = await bench.server('a', ({ accountId = '' }) => {
    running.push(accountId);
    return new Promise((resolve) => ends.push(() => resolve('done')));
  });
  await bench.store.write(async (tx) => {
    for (let i = 0; i < 1_000; i += 1)
      await schedule(tx, { kind: 'lamp', id: `m${i}`, at: bench.now - 1, data: {}, accountId: 'many' });
    await schedule(tx, { kind: 'lamp', id: 'f', at: bench.now, data: {}, accountId: 'few' });
  });
  void work.tick();
  while (running.length < 3) await new Promise(setImmediate);
  assert.deepEqual(running.sort(), ['few', 'many', 'many']);
  // The last place stays free for another account.
  void work.tick();
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  assert.equal(running.length, 3);
  await bench.add('n', bench.now, { accountId: 'new' });
  void work.tick();
  while (running.length < 4) await new Promise(setImmediate);
  assert.equal(running.at(-1), 'new');
  for (const end of ends) end();
  await work[Symbol.asyncDispose]();
});

test('a kind that can not be taken keeps no other from being, and a lease that can not be renewed no other lease', async () => {
  const inner = await openMemoryStore();
  const fails = { kind: '' };
  const store: Store = {
    read: (work) =>
      inner.read((tx) =>
        work({
          ...tx,
          scan: async (of, scan) => {
            if (scan.prefix[0] === fails.kind) throw new Error('can not be read');
            return tx.scan(of, scan);
          },
        } as typeof tx),
      ),
    write: (work, order) => inner.write(work, order),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  const bench = new Bench(store);
  const done: string[] = [];
  const take = (name: string) => async (): Promise<Outcome> => {
    done.push(name);
    return 'done';
  };
  const dueWork = ['first', 'second'].map((kind) => ({ kind, concurrency: 1, take: take(kind) }));
  const work = await DueWork.open([{ dueWork }], { store, clock: bench.clock, log: bench.log });
  for (const kind of ['first', 'second']) await store.write((tx) => schedule(tx, { kind, id: 'x', at: bench.now, data: {} }));
  fails.kind = 'first';
  await work.tick();
  assert.deepEqual([done, bench.errors.length], [['second'], 1]);
  fails.kind = '';
  await work.tick();
  assert.deepEqual(done, ['second', 'first']);
});

test('two ticks at a time take no more items than there is room for', async () => {
  const bench = await openBench();
  const ends: (() => void)[] = [];
  const work = await bench.server('a', () => new Promise((resolve) => ends.push(() => resolve('done'))));
  for (let i = 0; i < 10; i += 1) await bench.add(`x${i}`);
  const ticks = [work.tick(), work.tick(), work.tick()];
  while (ends.length < 4) await new Promise(setImmediate);
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  assert.equal(ends.length, 4);
  for (const end of ends) end();
  await Promise.all(ticks);
  await work[Symbol.asyncDispose]();
});

test('a task runs at a start, again after its time, on one server, and is forgotten with its name', async () => {
  const bench = await openBench();
  const runs: string[] = [];
  const task = (name: string, node: string): Task => ({
    name,
    every: 60_000,
    run: async () => void runs.push(`${name} ${node}`),
  });
  const none = async (): Promise<Outcome> => 'done';
  const first = await bench.server('a', none, {}, [task('tidy', 'a'), task('old', 'a')]);
  await first.tick();
  assert.deepEqual(runs.splice(0).sort(), ['old a', 'tidy a']);
  const second = await bench.server('b', none, {}, [task('tidy', 'b')]);
  await second.tick();
  await first.tick();
  assert.deepEqual(runs, []);
  bench.now += 60_000;
  await second.tick();
  await first.tick();
  assert.deepEqual(runs.splice(0), ['tidy b']);
  // A clock that was ahead when the task last ran does not put it off, at a start or later.
  bench.now -= 1_000_000;
  const last = await bench.server('a', none, {}, [task('tidy', 'a')]);
  await last.tick();
  bench.now -= 1_000_000;
  await last.tick();
  assert.deepEqual(runs, ['tidy a', 'tidy a']);
});

test('what a clock that was ahead has scheduled is due when the clock is put right, where it may be taken early', async () => {
  for (const isRestarted of [false, true]) {
    const bench = await openBench();
    const done: string[] = [];
    const take = async ({ id, failures }: DueItem): Promise<Outcome> => {
      if (id === 'failing' && failures === 0) throw new Error('not yet');
      done.push(id);
      return 'done';
    };
    const ahead = 24 * 3_600_000;
    let work = await bench.server('a', take);
    await bench.add('right', bench.now + ahead, { scheduledAt: bench.now });
    bench.now += ahead - 10_000;
    await bench.add('early', bench.now + 1000, { scheduledAt: bench.now });
    await bench.add('strict', bench.now + 1000);
    await bench.add('failing');
    await work.tick();
    assert.deepEqual(done, []);
    bench.now -= ahead - 10_000;
    if (isRestarted) {
      await work[Symbol.asyncDispose]();
      work = await bench.server('a', take);
    }
    await work.tick();
    await work.tick();
    assert.deepEqual(done.sort(), ['early', 'failing'], isRestarted ? 'after a restart' : 'at a tick');
    assert.deepEqual(
      (await bench.left()).map(({ id }) => id),
      ['right', 'strict'],
    );
  }
});
