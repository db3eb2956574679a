/** Reports into shadows `$package` as due work (fact sheet 44): in order, merged, tried again, and given up at last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../refusals/refusals.ts';
import { type DueHandler, DueWork } from '../store/due-work.ts';
import { dueRecords } from '../store/due-records.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { caller, clockAt } from '../testing/operations-fixture.ts';
import type { Reported } from './contract.ts';
import { packageReports, type ReportCause, scheduleReport } from './package-reports.ts';

const HOUR = 3_600_000;
const place = { region: caller.region, accountId: caller.accountId };
const version = (text: string) => ({ version: text, attributes: null });

class Bench implements AsyncDisposable {
  readonly clock = clockAt(1_000_000);
  readonly written: Reported[] = [];
  readonly refusals: Refusal[] = [];
  /** What becomes of a write. */
  write: (reported: Reported) => Promise<string | undefined> = async () => undefined;
  readonly store: Awaited<ReturnType<typeof openMemoryStore>>;

  #work: Promise<DueWork> | undefined;

  private constructor(store: Bench['store']) {
    this.store = store;
  }

  static async open(): Promise<Bench> {
    return new Bench(await openMemoryStore());
  }

  schedule(cause: ReportCause, reported: Reported): Promise<void> {
    const report = { reported, now: this.clock.at };
    return this.store.write((tx) => scheduleReport(tx, place, 't', cause, report));
  }

  async tick(): Promise<void> {
    this.#work ??= DueWork.open([{ dueWork: [this.#handler()] }], {
      ...{ store: this.store, clock: this.clock },
      log: { error: () => undefined },
    });
    await (await this.#work).tick();
  }

  #handler(): DueHandler {
    return packageReports({
      ...{ clock: this.clock, inRegion: () => this.store, findRole: async () => 'unknown-role' },
      packageShadows: {
        report: async (_place, _thingName, reported) => {
          const refused = await this.write(reported);
          this.written.push(reported);
          return refused;
        },
      },
      refuse: (refusal) => this.refusals.push(refusal),
    });
  }

  async waiting(): Promise<number> {
    return (await this.store.read((tx) => tx.scan(dueRecords, { prefix: ['package-report'] }))).items.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#work)?.[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

test('what waits is one item, and what comes later stands; a job that no configuration allows writes nothing', async () => {
  await using bench = await Bench.open();
  await bench.schedule('provisioning', { a: version('1'), b: version('1'), c: version('1') });
  await bench.schedule('provisioning', { b: version('2') });
  await bench.schedule('job', { c: version('2') });
  await bench.tick();
  assert.deepEqual([bench.written, await bench.waiting()], [[{ a: version('1'), b: version('2') }], 0]);
});

test('what comes while a report is written is written after it, and never at once with it', async () => {
  await using bench = await Bench.open();
  let running = 0;
  await bench.schedule('provisioning', { a: version('1') });
  bench.write = async ({ a }) => {
    running += 1;
    assert.equal(running, 1);
    if (a?.version === '1') {
      await bench.schedule('provisioning', { a: version('2') });
      await bench.tick();
    }
    running -= 1;
    return undefined;
  };
  await bench.tick();
  await bench.tick();
  assert.deepEqual([bench.written, await bench.waiting()], [[{ a: version('1') }, { a: version('2') }], 0]);
});

test('a write that fails is tried again with what has come since, and given up with a record at last', async () => {
  await using bench = await Bench.open();
  await bench.schedule('provisioning', { a: version('1') });
  bench.write = async () => assert.fail('too many requests');
  await bench.tick();
  await bench.schedule('provisioning', { b: version('1') });
  bench.write = async () => undefined;
  bench.clock.at += HOUR;
  await bench.tick();
  assert.deepEqual(bench.written, [{ a: version('1'), b: version('1') }]);
  await bench.schedule('provisioning', { a: version('2') });
  bench.write = async () => assert.fail('too many requests');
  for (let attempt = 0; attempt < 25 && (await bench.waiting()) > 0; attempt += 1) {
    bench.clock.at += HOUR;
    await bench.tick();
  }
  assert.equal(await bench.waiting(), 0);
  assert.match(bench.refusals.map(({ reason }) => reason).join(), /were not written into its shadow: too many requests$/);
});
