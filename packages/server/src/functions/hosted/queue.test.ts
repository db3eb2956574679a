/** Events for later over a real store and a clock that is moved: run, tried again, kept over an end of the server, bounded. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLog } from '../../runtime/log.ts';
import type { Store } from '../../store/contract.ts';
import { byRegion, regionsOf } from '../../store/regional.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { type Attempt, EventQueue, type WaitingEvent } from './queue.ts';
import { waitingEvents } from './store.ts';

const REGION = 'eu-central-1';
const OWNER = 7;

class Bench implements AsyncDisposable {
  now = 1_000_000;
  readonly runs: string[] = [];
  outcome: (event: WaitingEvent) => Attempt | Promise<Attempt> = () => 'done';
  readonly #folder = mkdtempSync(join(tmpdir(), 'thingkeep-queue-'));
  #store: Store | undefined;
  #settled = Promise.withResolvers<void>();
  queue!: EventQueue;

  static async open(): Promise<Bench> {
    const bench = new Bench();
    await bench.start();
    return bench;
  }

  /** Opens the data file, as a server does; one that is open is left as a kill would leave it. */
  async start(): Promise<void> {
    this.queue?.close();
    await this.#store?.[Symbol.asyncDispose]();
    const store = await openSqliteStore({ path: join(this.#folder, 'thingkeep.db') });
    this.#store = store;
    this.queue = new EventQueue({
      inRegion: byRegion(store),
      regions: () => regionsOf(store),
      most: 4,
      log: openLog('silent'),
      clock: { now: () => this.now, monotonic: () => this.now },
      attempt: async ({ region }, event, payload) => {
        this.runs.push(`${region} ${event.name} ${event.failures} ${Buffer.from(payload).toString()}`);
        this.#settled.resolve();
        return this.outcome(event);
      },
    });
    await this.queue.load();
  }

  async add(payload: string, owner = OWNER): Promise<boolean> {
    const times = { acceptedAt: this.now, notBefore: this.now };
    const event = { accountId: '123456789012', name: 'f', requestId: payload, failures: 0, throttles: 0, ...times };
    return this.queue.add(REGION, owner, event, Buffer.from(payload));
  }

  /** Begins what is due, and waits until as many attempts were made in all. */
  async until(runs: number): Promise<void> {
    this.queue.tick();
    while (this.runs.length < runs) {
      this.#settled = Promise.withResolvers();
      await this.#settled.promise;
    }
  }

  /** Resolves once nothing is written any more: writers run one after another. */
  async written(): Promise<number> {
    await new Promise(setImmediate);
    let count = 0;
    const store = byRegion(this.#store as Store)(REGION);
    await store.write(async (tx) => tx.deleteRows(waitingEvents, []));
    await store.read((tx) => tx.eachRow(waitingEvents, () => void count++));
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.queue.close();
    await this.#store?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

test('an event runs once, and is gone', async () => {
  await using bench = await Bench.open();
  assert.equal(await bench.add('{"a":1}'), true);
  await bench.until(1);
  assert.deepEqual(bench.runs, [`${REGION} f 0 {"a":1}`]);
  assert.equal(await bench.written(), 0);
  assert.equal(bench.queue.waitingFor(OWNER), 0);
});

test('one that is to be tried again waits for its time, with what it has behind it', async () => {
  await using bench = await Bench.open();
  bench.outcome = ({ failures }) =>
    failures === 2 ? 'done' : { failures: failures + 1, throttles: 0, notBefore: bench.now + 60_000 };
  await bench.add('x');
  await bench.until(1);
  await bench.written();
  bench.now += 59_999;
  bench.queue.tick();
  await bench.written();
  assert.equal(bench.runs.length, 1);
  bench.now += 1;
  await bench.until(2);
  await bench.written();
  bench.now += 60_000;
  await bench.until(3);
  assert.deepEqual(
    bench.runs.map((run) => run.split(' ')[2]),
    ['0', '1', '2'],
  );
  assert.equal(await bench.written(), 0);
});

test('what was accepted is there after an end of the server, also what was under way', async () => {
  await using bench = await Bench.open();
  const never = new Promise<Attempt>(() => undefined);
  bench.outcome = () => never;
  for (const each of ['1', '2', '3', '4']) await bench.add(each);
  assert.equal(bench.runs.length, 2, 'two at a time');
  bench.outcome = () => 'done';
  await bench.start();
  assert.equal(bench.queue.waitingFor(OWNER), 4);
  await bench.until(6);
  assert.deepEqual(
    bench.runs
      .slice(2)
      .map((run) => run.split(' ')[3])
      .sort(),
    ['1', '2', '3', '4'],
  );
  assert.equal(await bench.written(), 0);
});

test('counts of tries are on disk too', async () => {
  await using bench = await Bench.open();
  bench.outcome = () => ({ failures: 1, throttles: 0, notBefore: bench.now + 60_000 });
  await bench.add('x');
  await bench.until(1);
  await bench.written();
  await bench.start();
  bench.queue.tick();
  assert.equal(bench.runs.length, 1);
  bench.now += 60_000;
  await bench.until(2);
  assert.equal(bench.runs[1]?.split(' ')[2], '1');
});

test('a function may have a thousand that wait, and others have theirs', async () => {
  await using bench = await Bench.open();
  bench.outcome = () => new Promise(() => undefined);
  const added = await Promise.all(Array.from({ length: 1_001 }, (_, n) => bench.add(String(n))));
  assert.equal(added.filter(Boolean).length, 1_000);
  assert.equal(await bench.add('other', OWNER + 1), true);
  await bench.queue.clear(REGION, OWNER);
  assert.equal(bench.queue.waitingFor(OWNER), 0);
  assert.equal(await bench.written(), 1);
});

test('events that take long leave room for those of other functions', async () => {
  await using bench = await Bench.open();
  const { promise, resolve } = Promise.withResolvers<Attempt>();
  bench.outcome = ({ requestId }) => (requestId.startsWith('slow') ? promise : 'done');
  for (let n = 0; n < 10; n += 1) await bench.add(`slow ${n}`);
  await bench.add('other', OWNER + 1);
  await bench.until(3);
  assert.deepEqual(
    bench.runs.map((run) => run.split(' ').slice(3).join(' ')),
    ['slow 0', 'slow 1', 'other'],
  );
  resolve('done');
});
