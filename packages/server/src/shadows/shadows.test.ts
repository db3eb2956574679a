/** Shadows in a store, with a clock that the test moves: versions over deletions, rates, the shadow of packages, the index's view. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../store/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { deletedShadows } from './deleted-shadows.ts';
import { ShadowRejection } from './rejections.ts';
import { type ShadowAddress, Shadows, type ShadowsDeps } from './shadows.ts';
import { shadows as records } from './store.ts';

const HOUR = 3_600_000;
const place = { region: 'us-east-1', accountId: '000000000000' };

class Bench implements AsyncDisposable {
  time = 1_700_000_000_000;
  readonly clock = { now: () => this.time, monotonic: () => this.time };
  readonly store: Store;
  readonly shadows: Shadows;

  constructor(store: Store, more: Partial<ShadowsDeps> = {}) {
    this.store = store;
    this.shadows = new Shadows({ clock: this.clock, inRegion: () => store, ...more });
  }

  static async open(more: Partial<ShadowsDeps> = {}): Promise<Bench> {
    return new Bench(await openMemoryStore(), more);
  }

  address(thingName: string, shadowName?: string): ShadowAddress {
    return { place, thingName, shadowName };
  }

  async update(thingName: string, state: string, shadowName?: string, more = ''): Promise<Record<string, unknown>> {
    const payload = Buffer.from(`{"state":${state}${more}}`);
    return JSON.parse((await this.shadows.update(this.address(thingName, shadowName), payload)).accepted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }
}

const isRejected =
  (code: number, message: string) =>
  (error: unknown): boolean =>
    error instanceof ShadowRejection && error.code === code && error.message === message;

test('versions go on for 48 hours after a deletion, and then begin again (facts 5.3)', async () => {
  await using bench = await Bench.open();
  const run = deletedShadows({ clock: bench.clock, regions: async () => [place.region], inRegion: () => bench.store });
  const count = async (): Promise<number> => (await bench.store.read((tx) => tx.scan(records, { prefix: [] }))).items.length;
  for (const name of ['one', 'two', 'three']) assert.equal((await bench.update(name, '{"reported":{"a":1}}')).version, 1);
  for (const name of ['one', 'two']) await bench.shadows.delete(bench.address(name));
  bench.time += 48 * HOUR - 1;
  await run.run(new AbortController().signal);
  assert.equal(await count(), 3);
  assert.equal((await bench.update('one', '{"reported":{"a":1}}', undefined, ',"version":1')).version, 2);
  bench.time += 1;
  assert.equal((await bench.update('two', '{"reported":{"a":1}}')).version, 1);
  await bench.shadows.delete(bench.address('three'));
  bench.time += 48 * HOUR;
  await run.run(new AbortController().signal);
  assert.equal(await count(), 2);
  await assert.rejects(bench.shadows.delete(bench.address('three')), isRejected(404, "No shadow exists with name: 'three'"));
});

test('what changes publish is in the order of the versions, a deletion among them', async () => {
  await using bench = await Bench.open();
  await bench.update('lamp', '{"reported":{"a":1}}');
  const order: unknown[] = [];
  const tell = (what: string) => (json: string) => order.push(`${what} ${(JSON.parse(json) as { version: number }).version}`);
  const update = (): Promise<unknown> =>
    bench.shadows.update(bench.address('lamp'), Buffer.from('{"state":{"reported":{"a":2}}}'), ({ accepted }) =>
      tell('update')(accepted),
    );
  const deletion = bench.shadows.delete(bench.address('lamp'), undefined, tell('delete'));
  await Promise.all([deletion, update(), update(), bench.shadows.delete(bench.address('lamp'), undefined, tell('delete'))]);
  assert.deepEqual(order, ['delete 1', 'update 2', 'update 3', 'delete 3']);
});

test('a version that is not the last is a conflict, whatever its size (facts 5.3)', async () => {
  await using bench = await Bench.open();
  const conflict = isRejected(409, 'Version conflict');
  for (const version of [2, 2 ** 31, 2 ** 53])
    await assert.rejects(bench.update('x', '{}', undefined, `,"version":${version}`), conflict);
  assert.equal((await bench.update('x', '{}', undefined, ',"version":0')).version, 1);
  for (const version of [0, 2, 2 ** 31, '9223372036854775807'])
    await assert.rejects(bench.update('x', '{}', undefined, `,"version":${version}`), conflict);
  assert.equal((await bench.update('x', '{}', undefined, ',"version":1')).version, 2);
});

test('the document is bounded by what is in it after the update, not by the request alone (page diagnosing-shadows)', async () => {
  await using bench = await Bench.open();
  const tooLarge = isRejected(413, 'The payload exceeds the maximum size allowed');
  const half = 'x'.repeat(4_080);
  await bench.update('x', `{"reported":{"a":"${half}"}}`);
  await assert.rejects(bench.update('x', `{"desired":{"b":"${half}","c":"${half}"}}`), tooLarge);
  await assert.rejects(bench.update('x', `{"desired":{"b":"${half}${'y'.repeat(30)}"}}`), tooLarge);
  assert.equal((await bench.update('x', `{"desired":{"b":"${half}"}}`)).version, 2);
  assert.equal((await bench.update('x', `{"reported":{"a":null,"c":"${half}"}}`)).version, 3);
});

test('$package has packages with a version and attributes, reported, without metadata (facts 34)', async () => {
  await using bench = await Bench.open();
  const accepted = await bench.update('x', '{"reported":{"app":{"version":"1.0","attributes":{"k":"v"}}}}', '$package');
  assert.deepEqual(accepted.metadata, {});
  const refused: readonly [state: string, node: string][] = [
    ['{"desired":{"app":{"version":"1"}}}', 'desired'],
    ['{"reported":{"app":"1.0"}}', 'app'],
    ['{"reported":{"app":{"version":"1","sha":"2"}}}', 'sha'],
  ];
  for (const [state, node] of refused)
    await assert.rejects(bench.update('x', state, '$package'), isRejected(400, `State contains an invalid node: '${node}'`));
  await bench.update('x', '{"reported":{"app":null}}', '$package');
  const got = JSON.parse(await bench.shadows.get(bench.address('x', '$package')));
  assert.deepEqual([got.state, got.metadata, got.version], [{}, {}, 2]);
});

test('changes of one shadow are done in the order in which they are asked for, while it is made too', async () => {
  await using bench = await Bench.open();
  const ASKED = 6;
  const change = (thingName: string, i: number): Promise<unknown> =>
    i === 3
      ? bench.shadows.delete(bench.address(thingName)).then((text) => JSON.parse(text).version)
      : bench.update(thingName, `{"reported":{"n":${i}}}`).then(({ version }) => version);
  // Asked for in turns of the event loop that are as many apart as can be told from one another.
  for (const pauses of Array.from({ length: 2 ** (ASKED - 1) }, (_, bits) => bits)) {
    const asked: Promise<unknown>[] = [];
    for (let i = 0; i < ASKED; i += 1) {
      asked.push(change(`t${pauses}`, i));
      if ((pauses >> i) % 2 === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await Promise.all(asked), [1, 2, 3, 3, 4, 5], `pauses ${pauses.toString(2)}`);
  }
});

test('rates of a thing and of an account, where there are any: 429', async () => {
  await using bench = await Bench.open({ ratesOf: () => ({ shadowRequestsPerThing: 2, shadowRequests: 5 }) });
  const tooMany = isRejected(429, 'Too Many Requests');
  await bench.update('one', '{}');
  await bench.shadows.get(bench.address('one'));
  await assert.rejects(bench.update('one', '{}', 'named'), tooMany);
  for (const name of ['two', 'three', 'four']) await bench.update(name, '{}');
  await assert.rejects(bench.update('five', '{}'), tooMany);
  bench.time += 1000;
  assert.equal((await bench.update('one', '{}')).version, 2);
});

test('an account has a limited number of shadows, deleted ones among them for 48 hours', async () => {
  await using bench = await Bench.open({ limitsOf: () => ({ shadows: 2, shadowsOfThing: 10 }) });
  const full = isRejected(429, 'The account has 2 shadows, as many as it may have');
  await bench.update('one', '{}');
  await bench.update('one', '{}', 'named');
  await assert.rejects(bench.update('two', '{}'), full);
  await bench.shadows.delete(bench.address('one'));
  await assert.rejects(bench.update('two', '{}'), full);
  assert.equal((await bench.update('one', '{}')).version, 2);
  await bench.shadows.delete(bench.address('one', 'named'));
  bench.time += 48 * HOUR;
  const task = deletedShadows({ clock: bench.clock, regions: async () => [place.region], inRegion: () => bench.store });
  await task.run(new AbortController().signal);
  await bench.update('two', '{}');
  await assert.rejects(bench.update('three', '{}'), full);
});

test('a list ends at a number of deleted shadows, and goes on behind them', async () => {
  await using bench = await Bench.open();
  const names = Array.from({ length: 250 }, (_, i) => `d${i}`);
  for (const name of ['a', ...names, 'z']) await bench.update('x', '{}', name);
  for (const name of names) await bench.shadows.delete(bench.address('x', name));
  const list = (after?: string) => bench.shadows.list(bench.address('x'), { limit: 2, after });
  const first = await list();
  assert.deepEqual(first.names, ['a']);
  const seen: string[] = [];
  let calls = 0;
  for (let next = first.next; next !== undefined; calls += 1) {
    const page = await list(next);
    seen.push(...page.names);
    next = page.next;
  }
  assert.deepEqual([seen, calls], [['z'], 1]);
});

test('a thing has a limited number of shadows, so that it leaves room to others', async () => {
  await using bench = await Bench.open({ limitsOf: () => ({ shadows: 10, shadowsOfThing: 2 }) });
  await bench.update('one', '{}');
  await bench.update('one', '{}', 'a');
  await assert.rejects(bench.update('one', '{}', 'b'), isRejected(429, 'The thing has 2 shadows, as many as it may have'));
  await bench.update('two', '{}');
});

test('while the disk is nearly full no shadow is made, and none grows', async () => {
  const disk = { low: false };
  await using bench = await Bench.open({ disk });
  await bench.update('old', '{"reported":{"a":1}}');
  disk.low = true;
  await assert.rejects(
    bench.update('new', '{"reported":{"a":1}}'),
    (error) => error instanceof ShadowRejection && error.code === 503,
  );
  await assert.rejects(
    bench.update('old', '{"reported":{"a":10}}'),
    (error) => error instanceof ShadowRejection && error.code === 503,
  );
  assert.equal((await bench.update('old', '{"reported":{"a":2}}')).version, 2);
  assert.deepEqual(bench.shadows.figures.requests.update, { accepted: 2, rejected: 2 });
});

test('a text that names a node repeats no more of it than a name needs', async () => {
  await using bench = await Bench.open();
  const text = `State contains an invalid node: '${'x'.repeat(64)}'`;
  await assert.rejects(bench.update('x', `{"${'x'.repeat(100_000)}":1}`), isRejected(400, text));
});

test('gets of large shadows are spread over turns; all are answered', async () => {
  await using bench = await Bench.open();
  await bench.update('x', `{"reported":{"a":[${Array(3_900).fill('1').join()}]}}`);
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(Array.from({ length: 20 }, () => bench.shadows.get(bench.address('x'))));
  isDone = true;
  assert.ok(turns >= 8, `${turns} turns`);
});

test('the index has what is there, as plain values, and listeners hear of what has changed', async () => {
  await using bench = await Bench.open();
  const heard: string[] = [];
  bench.shadows.onChange((_, thingName) => heard.push(thingName));
  await bench.update('x', '{"desired":{"a":1},"reported":{"a":2,"b":[1.0]}}');
  await bench.update('x', '{"reported":{"c":1}}', 'main');
  await bench.update('x', '{"reported":{"c":1}}', 'gone');
  await bench.shadows.delete(bench.address('x', 'gone'));
  const { classic, named } = await bench.shadows.shadows(place, 'x', ['main', 'gone', 'none']);
  const time = { timestamp: 1_700_000_000 };
  assert.deepEqual(classic, {
    desired: { a: 1 },
    reported: { a: 2, b: [1] },
    delta: { a: 1 },
    metadata: { desired: { a: time }, reported: { a: time, b: [time] } },
    version: 1,
  });
  assert.deepEqual(Object.keys(named), ['main']);
  assert.deepEqual(heard, ['x', 'x', 'x', 'x']);
  await assert.rejects(bench.update('x', '{"desired":1}'));
  assert.equal(heard.length, 4);
});
