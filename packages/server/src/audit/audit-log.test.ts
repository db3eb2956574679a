/** The audit log: whatever is done to its files behind the server's back is found, and a crash is not taken for it. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openLog } from '../runtime/log.ts';
import { collection, type HookedStore } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { AuditLog } from './audit-log.ts';
import { ORIGIN } from './chain.ts';
import { auditFiles } from './files.ts';
import { readAuditState } from './store.ts';
import { type AuditVerification, verifyAudit } from './verify.ts';

const temporary = mkdtempSync(join(tmpdir(), 'thingkeep-audit-'));
after(() => rmSync(temporary, { recursive: true, force: true }));
const clock = { now: () => 1_700_000_000_000, monotonic: () => 0 };
const things = collection<{ name: string }>('test-things', (t) => [t.name]);
let count = 0;

class Bench implements AsyncDisposable {
  readonly folder: string;
  readonly lines: string[] = [];
  readonly #limits: { fileBytes?: number; keptBytes: number };
  store!: HookedStore;
  audit!: AuditLog;

  private constructor(folder: string, limits: { fileBytes?: number; keptBytes: number }) {
    this.folder = folder;
    this.#limits = limits;
  }

  static async open(limits: { fileBytes?: number; keptBytes: number } = { keptBytes: 1e9 }): Promise<Bench> {
    const folder = join(temporary, String(count++));
    mkdirSync(folder);
    const bench = new Bench(folder, limits);
    await bench.start();
    return bench;
  }

  get logFolder(): string {
    return join(this.folder, 'audit');
  }

  async start(): Promise<void> {
    this.store = await openSqliteStore({ path: join(this.folder, 'data.db') });
    const log = openLog('info', { write: (line: string) => void this.lines.push(line) });
    this.audit = await AuditLog.open({ folder: this.logFolder, store: this.store, clock, log, ...this.#limits });
  }

  /** Ends without a last commit, as a crash does: what the data file knows is what the last commit stored. */
  async crash(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }

  async stop(): Promise<void> {
    await this.audit[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }

  /** A change as the API makes it: a line, a commit, a result. */
  async change(name: string, result = 'OK'): Promise<void> {
    const end = this.audit.begin({ principal: 'arn:aws:iam::000000000000:user/ann', operation: 'CreateThing', name });
    await this.store.write((tx) => tx.put(things, { name }));
    end({ result });
  }

  async verify(): Promise<AuditVerification> {
    await using store = await openSqliteStore({ path: join(this.folder, 'data.db') });
    const found = verifyAudit(this.logFolder, await store.read(readAuditState));
    assert(found !== undefined);
    return found;
  }

  get file(): string {
    return auditFiles(this.logFolder)[0]?.path ?? '';
  }

  /** Rewrites the first file. */
  tamper(how: (lines: string[]) => string[]): void {
    const lines = readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
    writeFileSync(
      this.file,
      how(lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
  }
}

/** A log of ten changes (twenty lines), its server stopped. */
async function stopped(): Promise<Bench> {
  const bench = await Bench.open();
  for (let i = 0; i < 10; i += 1) await bench.change(`thing-${i}`);
  await bench.stop();
  return bench;
}

test('a log that nobody has touched is whole, over restarts and after a crash', async () => {
  const bench = await stopped();
  assert.deepEqual(await bench.verify(), { lines: 20, first: 1, last: 20, faults: [] });
  await bench.start();
  await bench.change('another');
  await bench.crash();
  appendFileSync(bench.file, '{"number":23,"half a li');
  assert.deepEqual((await bench.verify()).faults, [], 'half a line at the end is what a crash leaves');
  await bench.start();
  await bench.change('later');
  await bench.stop();
  const { lines, last, faults } = await bench.verify();
  assert.deepEqual([lines, last, faults], [24, 24, []]);
  assert.deepEqual(bench.lines, []);
});

for (const [name, how, expected] of [
  ['a changed word', (l) => l.map((x, i) => (i === 6 ? x.replace('thing-3', 'thing-4') : x)), /was changed/],
  [
    'a changed result',
    (l) => l.map((x, i) => (i === 9 ? x.replace('"OK"', '"AccessDeniedException"') : x)),
    /number 10, was changed/,
  ],
  ['a changed MAC', (l) => l.map((x, i) => (i === 3 ? `${x.slice(0, -3)}${x.at(-3) === '0' ? '1' : '0'}"}` : x)), /was changed/],
  ['a removed line', (l) => l.filter((_, i) => i !== 5), /lines were removed/],
  [
    'a removed line, the others numbered anew',
    (l) => l.filter((_, i) => i !== 5).map((x, i) => x.replace(/^\{"number":\d+/, `{"number":${i + 1}`)),
    /was changed/,
  ],
  ['two lines exchanged', (l) => l.map((x, i) => (i === 4 ? (l[5] ?? x) : i === 5 ? (l[4] ?? x) : x)), /removed|reordered/],
  ['a line put in again', (l) => [...l.slice(0, 8), l[2] ?? '', ...l.slice(8)], /put in or reordered/],
  ['the first line removed', (l) => l.slice(1), /lines were removed/],
  ['the last line cut', (l) => l.slice(0, -1), /the end of the log was cut off/],
  ['half of the log cut', (l) => l.slice(0, 10), /the end of the log was cut off/],
  ['everything cut', () => [], /the end of the log was cut off/],
  ['another text', (l) => [...l.slice(0, 3), 'hello', ...l.slice(3)], /is not a line of the audit log/],
] as const satisfies readonly (readonly [string, (lines: string[]) => string[], RegExp])[])
  test(`${name} is found`, async () => {
    const bench = await stopped();
    bench.tamper(how);
    const { faults } = await bench.verify();
    assert.match(faults.join('\n'), expected);
  });

test('a file that is gone is found', async () => {
  const bench = await stopped();
  rmSync(bench.file);
  assert.match((await bench.verify()).faults.join(), /cut off/);
});

test('a cut tail stays found after a restart and further changes', async () => {
  const bench = await stopped();
  bench.tamper((lines) => lines.slice(0, 15));
  await bench.start();
  assert.match(bench.lines.join(), /audit-log-cut/);
  for (let i = 0; i < 20; i += 1) await bench.change(`more-${i}`);
  await bench.stop();
  assert.match((await bench.verify()).faults.join('\n'), /in the place of 16: lines were removed/);
});

test('a lost key is told, and what was before can not be taken for verified', async () => {
  const bench = await stopped();
  rmSync(join(bench.logFolder, 'key'));
  await bench.start();
  assert.match(bench.lines.join(), /audit-key-made/);
  await bench.stop();
  assert.match((await bench.verify()).faults.join('\n'), /number 1, was changed/);
});

test('an empty last file, which a crash at a rotation leaves, is no damage', async () => {
  const bench = await stopped();
  for (const number of [21, 22]) writeFileSync(join(bench.logFolder, `${String(number).padStart(15, '0')}.log`), '');
  assert.deepEqual((await bench.verify()).faults, []);
  await bench.start();
  await bench.change('later');
  await bench.stop();
  assert.deepEqual(await bench.verify(), { lines: 22, first: 1, last: 22, faults: [] });
  assert.deepEqual(bench.lines, []);
});

test('a change whose line can not be written is refused, and nothing is changed', async () => {
  await using bench = await Bench.open({ fileBytes: 2000, keptBytes: 1e9 });
  await bench.change('first');
  // Folders in the place of the next file: it can't be made.
  for (let n = 3; n < 20; n += 1) mkdirSync(join(bench.logFolder, `${String(n).padStart(15, '0')}.log`));
  let refused = 0;
  for (let i = 0; i < 20; i += 1) {
    const code = await bench.change(`late-${i}`).catch((error: { code: string }) => error.code);
    if (code === 'ServiceUnavailableException') refused += 1;
  }
  assert.ok(refused > 0);
  const kept = await bench.store.read((tx) => tx.scan(things, { prefix: [] }));
  assert.equal(kept.items.filter(({ name }) => name.startsWith('late')).length, 20 - refused);
  for (const name of readdirSync(bench.logFolder))
    try {
      rmdirSync(join(bench.logFolder, name));
    } catch {
      // A file.
    }
  await bench.change('again');
  await bench.stop();
  assert.deepEqual((await bench.verify()).faults, [], 'the chain goes on where it was');
});

test('the oldest files go when there is more than is kept, and what is left is whole', async () => {
  const bench = await Bench.open({ fileBytes: 4_000, keptBytes: 20_000 });
  for (let i = 0; i < 100; i += 1) await bench.change(`thing-${i}`);
  await bench.stop();
  assert.ok(auditFiles(bench.logFolder).length <= 7);
  const { first, last, faults } = await bench.verify();
  assert.deepEqual([last, faults], [200, []]);
  assert.ok(first > 50, `${first}`);
  const [oldest] = auditFiles(bench.logFolder);
  rmSync(oldest?.path ?? '');
  assert.match((await bench.verify()).faults.join(), /lines were removed/, 'one file more is not what was removed by the server');
});

test('while files are held for a backup none is removed, and what is copied then is whole; later they go', async () => {
  const bench = await Bench.open({ fileBytes: 4_000, keptBytes: 20_000 });
  for (let i = 0; i < 100; i += 1) await bench.change(`thing-${i}`);
  const release = await bench.audit.hold();
  const state = await bench.store.read(readAuditState);
  const before = auditFiles(bench.logFolder);
  for (let i = 0; i < 100; i += 1) await bench.change(`more-${i}`);
  assert.deepEqual(auditFiles(bench.logFolder).slice(0, before.length), before);
  assert.deepEqual(verifyAudit(bench.logFolder, state)?.faults, [], 'lines behind the state are no fault');
  release();
  for (let i = 0; i < 100; i += 1) await bench.change(`last-${i}`);
  assert.ok(auditFiles(bench.logFolder).length <= 7);
  await bench.stop();
  assert.deepEqual((await bench.verify()).faults, []);
});

test('a flipped bit in the last line that the data file knows, or in the key, is told at the start', async () => {
  const bench = await stopped();
  const whole = readFileSync(bench.file);
  const end = whole.length;
  for (const place of [end - 5, end - 40]) {
    const bytes = Buffer.from(whole);
    bytes[place] = (bytes[place] ?? 0) ^ (/[0-9]/.test(String.fromCharCode(bytes[place] ?? 0)) ? 1 : 3);
    writeFileSync(bench.file, bytes);
    bench.lines.length = 0;
    await bench.start();
    assert.match(bench.lines.join(), /audit-log-(changed|cut)/);
    await bench.stop();
    assert.match((await bench.verify()).faults.join(), /./);
  }
  const key = readFileSync(join(bench.logFolder, 'key'));
  for (let bit = 0; bit < key.length * 8; bit += 1) {
    const bytes = Buffer.from(key);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(join(bench.logFolder, 'key'), bytes);
    assert.throws(() => verifyAudit(bench.logFolder, { head: ORIGIN, removed: ORIGIN }), { name: 'AuditKeyError' });
  }
});

test('refused changes of an account are bounded in a second, counted, and take nothing from those of another', async () => {
  await using bench = await Bench.open();
  const refuse = (accountId: string): void =>
    bench.audit.refused({ accountId, operation: 'DeleteThing' }, { result: 'AccessDeniedException' });
  for (let i = 0; i < 500; i += 1) refuse('111111111111');
  refuse('222222222222');
  const lines = readFileSync(bench.file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(lines.length, 11);
  assert.deepEqual([lines[10]?.accountId, lines[10]?.refusedLeftOut], ['222222222222', 490]);
});

test('a line holds no character that moves a terminal, and verifies', async () => {
  const bench = await Bench.open();
  await bench.change('arn:\u009b2J\u202e\u2028\u007f');
  await bench.stop();
  assert.doesNotMatch(readFileSync(bench.file, 'utf8').replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.deepEqual((await bench.verify()).faults, []);
});

test('a file that can not be removed does not undo the commit that let it go', async () => {
  await using bench = await Bench.open({ fileBytes: 1_000, keptBytes: 3_000 });
  mkdirSync(join(bench.logFolder, `${'0'.repeat(15)}.log`));
  for (let i = 0; i < 30; i += 1) await bench.change(`thing-${i}`);
  const kept = await bench.store.read((tx) => tx.scan(things, { prefix: [] }));
  assert.equal(kept.items.length, 30);
});
