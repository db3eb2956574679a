/** What can be saved of a damaged data file is saved, and what can't be is named. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Collection, collection, rows } from '../contract.ts';
import { checkFile, isLossless, isWhole, repairFile } from './check-file.ts';
import { seedOf, sumOf } from './checksums.ts';
import { correct } from './correct.ts';
import { DataFileError, openSqliteStore } from './sqlite-store.ts';

interface Lamp {
  readonly name: string;
  readonly text: string;
}

const lamps = collection<Lamp>('lamps', (l) => [l.name], { byText: (l) => [[l.text]] });
const queue = rows('queue');
const collections = [lamps] as readonly Collection<never>[];
const quiet = (): void => undefined;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'thingkeep-repair-'));
});
after(() => rmSync(folder, { recursive: true }));

async function makeFile(name: string, count = 50): Promise<string> {
  const path = join(folder, name);
  await using store = await openSqliteStore({ path, collections });
  await store.write(async (tx) => {
    for (let i = 0; i < count; i += 1) await tx.put(lamps, { name: `lamp${i}`, text: `text of lamp ${i} `.repeat(20) });
    await tx.putRows(
      queue,
      [1, 2, 3].map((at) => ({ owner: 1, at, value: Buffer.from(`message ${at}`) })),
    );
  });
  return path;
}

describe('a damaged data file is repaired', () => {
  test('one flipped bit of a value, a key, a name or a row is restored', async () => {
    const one = `WHERE value LIKE '%"lamp7"%'`;
    const changes: [string, string][] = [
      ['value', `UPDATE record SET value = replace(value, '"lamp7"', '"lamp5"') ${one}`],
      ['key', `UPDATE record SET key = CAST(replace(CAST(key AS TEXT), 'lamp7', 'lampw') AS BLOB) ${one}`],
      ['name', `UPDATE record SET collection = 'lampr' ${one}`],
      ['sum', `UPDATE record SET sum = sum - 1 WHERE sum % 2 = 1`],
      ['high bit of the sum', `UPDATE record SET sum = sum + (1 << 60) WHERE value LIKE '%"lamp1"%' OR value LIKE '%"lamp4"%'`],
      ['sign of the sum', `UPDATE record SET sum = sum | (1 << 63) ${one}`],
      ["high bit of the row's sum", 'UPDATE row SET sum = sum + (1 << 60) WHERE at <> 2'],
      ['row', "UPDATE row SET value = CAST('message 3' AS BLOB) WHERE at = 2"],
    ];
    for (const [name, sql] of changes) {
      const path = await makeFile(`${name}.db`);
      const db = new DatabaseSync(path);
      const changed = Number(db.prepare(sql).run().changes);
      db.close();
      assert.notEqual(changed, 0, name);
      const found = await checkFile({ path }, quiet);
      assert.equal(isWhole(found), false, name);
      const kept = `${path}.kept`;
      const repaired = await repairFile(path, collections, kept);
      assert.ok(existsSync(kept));
      assert.deepEqual([repaired.lost, repaired.missing, repaired.restored.length], [[], [], changed], name);
      assert.equal(isWhole(await checkFile({ path }, quiet)), true);
      await using store = await openSqliteStore({ path, collections });
      for (let n = 0; n < 50; n += 1) {
        const { items } = await store.read((tx) =>
          tx.scan(lamps, { index: 'byText', prefix: [`text of lamp ${n} `.repeat(20)] }),
        );
        assert.equal(items[0]?.name, `lamp${n}`);
      }
      assert.equal((await store.read((tx) => tx.scanRows(queue, 1, { after: 0, rows: 9, bytes: 1e6 }))).length, 3);
    }
  });

  test('what is damaged beyond one bit is named, what is missing is counted', async () => {
    const path = await makeFile('lost.db');
    const db = new DatabaseSync(path);
    db.exec("UPDATE record SET value = replace(value, 'text', 'tixt') WHERE value LIKE '%\"lamp7\"%'");
    db.exec('DELETE FROM record WHERE value LIKE \'%"lamp8"%\'');
    db.exec("UPDATE row SET value = 'x' WHERE at = 1");
    db.close();
    await assert.rejects(openSqliteStore({ path, collections }), /record\/lamps holds 49 instead of 50/);
    const { restored, lost, missing, kept } = await repairFile(path, collections, `${path}.kept`);
    assert.deepEqual(restored, []);
    assert.deepEqual(
      lost.map(({ collection: name, key }) => [name, key]),
      [
        ['lamps', ['lamp7']],
        ['queue', [1, 1]],
      ],
    );
    assert.deepEqual([missing, kept], [[{ name: 'lamps', count: 1 }], 50]);
    await using store = await openSqliteStore({ path, collections });
    assert.equal((await store.read((tx) => tx.scan(lamps, { prefix: [] }))).items.length, 48);
  });

  test('pages that can not be read hide no more than themselves', async () => {
    const path = await makeFile('pages.db', 2_000);
    const bytes = readFileSync(path);
    const at = Math.floor(bytes.indexOf('text of lamp 700 ') / 4096) * 4096;
    bytes.fill(0xff, at, at + 4096);
    writeFileSync(path, bytes);
    await assert.rejects(openSqliteStore({ path, collections }), (error) => {
      assert.ok(error instanceof DataFileError);
      assert.match(error.message, /: Tree \d+ page \d+[^\n*]*; restore it/);
      return true;
    });
    const found = await checkFile({ path }, quiet);
    assert.deepEqual([isWhole(found), found.repairable, found.findings], [false, true, undefined]);
    assert.match(found.structure[0] ?? '', /^Tree \d+ page \d+/);
    const { kept, missing } = await repairFile(path, collections, `${path}.kept`);
    assert.ok(kept > 1_900, `${kept} kept`);
    assert.equal(kept + (missing[0]?.count ?? 0), 2_003);
    await using store = await openSqliteStore({ path, collections });
    assert.equal((await store.read((tx) => tx.scan(lamps, { prefix: [] }))).items.length, kept - 3);
  });

  test('pages in the place of others are put in order, and nothing is lost', async () => {
    const path = await makeFile('misplaced.db', 2_000);
    const bytes = readFileSync(path);
    /** A page of records alone: each of the tree's inner pages begins with another byte. */
    const leaves = Array.from({ length: bytes.length / 4096 }, (_, i) => i * 4096).filter(
      (at) => bytes[at] === 0x0a && bytes.subarray(at, at + 4096).includes('{"name":"lamp1'),
    );
    const [one = 0, other = 0] = [leaves[3], leaves.at(-3)];
    const page = Buffer.from(bytes.subarray(one, one + 4096));
    bytes.copy(bytes, one, other, other + 4096);
    page.copy(bytes, other);
    writeFileSync(path, bytes);
    const { findings } = await checkFile({ path }, quiet);
    assert.deepEqual(findings?.misplaced, ['record']);
    await assert.rejects(openSqliteStore({ path, collections }), /its pages are not in their order/);
    const { kept, lost, missing } = await repairFile(path, collections, `${path}.kept`);
    assert.deepEqual([kept, lost, missing], [2_003, [], []]);
    await using store = await openSqliteStore({ path, collections });
    assert.equal((await store.read((tx) => tx.scan(lamps, { prefix: [] }))).items.length, 2_000);
  });

  test('a file that is whole is found whole, and its repair loses nothing', async () => {
    const path = await makeFile('whole.db');
    assert.equal(isWhole(await checkFile({ path }, quiet)), true);
    const { restored, lost, missing, kept } = await repairFile(path, collections, `${path}.kept`);
    assert.deepEqual([restored, lost, missing, kept], [[], [], [], 53]);
  });

  test('nobody else can open the file until the new one is in its place', async (t) => {
    const path = await makeFile('held.db');
    const open = `import { openSqliteStore } from '${import.meta.dirname}/sqlite-store.ts'; await openSqliteStore({ path: '${path}' })`;
    const outcomes: string[] = [];
    for (const name of ['linkSync', 'renameSync'] as const) {
      const real = fs[name];
      t.mock.method(fs, name, (from: string, to: string) => {
        outcomes.push(spawnSync(process.execPath, ['--input-type=module', '-e', open], { encoding: 'utf8' }).stderr);
        real(from, to);
      });
    }
    syncBuiltinESMExports();
    try {
      await repairFile(path, collections, `${path}.kept`);
    } finally {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    }
    assert.equal(outcomes.length, 2);
    for (const outcome of outcomes) assert.match(outcome, /is in use by another server/);
  });

  test('what a damaged log takes with it is told, and the log is kept as it was', async () => {
    const path = await makeFile('log.db');
    {
      await using store = await openSqliteStore({ path: `${path}.live`, collections });
      for (let i = 0; i < 20; i += 1) await store.write((tx) => tx.put(lamps, { name: `lamp${i}`, text: 'x'.repeat(500) }));
      for (const end of ['', '-wal', '-commits']) copyFileSync(`${path}.live${end}`, path + end);
    }
    const log = readFileSync(`${path}-wal`);
    log.fill(0x5a, log.length >> 1, (log.length >> 1) + 200);
    writeFileSync(`${path}-wal`, log);
    const found = await checkFile({ path }, quiet);
    assert.deepEqual([isWhole(found), found.repairable], [false, true]);
    const repaired = await repairFile(path, collections, `${path}.kept`);
    const [cut] = repaired.log;
    assert.equal(cut?.event, 'log-cut');
    assert.equal(cut?.lost, repaired.lostCommits);
    assert.ok(repaired.lostCommits > 0);
    assert.equal(isLossless(repaired), false);
    assert.deepEqual(readFileSync(repaired.keptLog ?? ''), log);
  });

  test('an older copy of the file, and a record of an older state, are no repair without a loss', async () => {
    const path = await makeFile('older.db');
    const older = readFileSync(path);
    const record = (): { value: unknown; sum: unknown } => {
      const db = new DatabaseSync(path);
      try {
        return db.prepare(`SELECT value, sum FROM record WHERE value LIKE '%"lamp7"%'`).get() as { value: unknown; sum: unknown };
      } finally {
        db.close();
      }
    };
    const { value, sum } = record();
    {
      await using store = await openSqliteStore({ path, collections });
      await store.write((tx) => tx.put(lamps, { name: 'lamp7', text: 'newer' }));
      await store.write((tx) => tx.put(lamps, { name: 'lamp8', text: 'newer' }));
    }
    const newer = readFileSync(path);
    const mark = readFileSync(`${path}-commits`);
    const db = new DatabaseSync(path);
    db.prepare(`UPDATE record SET value = ?, sum = ? WHERE value LIKE '%"lamp7"%'`).run(value as string, sum as number);
    db.close();
    const stale = await repairFile(path, collections, `${path}.kept`);
    assert.deepEqual([stale.stale, isLossless(stale)], [['lamps'], false]);
    writeFileSync(path, older);
    writeFileSync(`${path}-commits`, mark);
    const behind = await repairFile(path, collections, `${path}.kept-2`);
    assert.deepEqual([behind.lostCommits, isLossless(behind)], [2, false]);
    writeFileSync(path, newer);
    assert.equal(isLossless(await repairFile(path, collections, `${path}.kept-3`)), true);
  });

  test('an empty file is not whole, and of one that can not be opened nothing can be repaired', async () => {
    const path = await makeFile('empty.db');
    const bytes = readFileSync(path);
    for (const size of [0, bytes.length - 100]) {
      writeFileSync(path, bytes);
      truncateSync(path, size);
      const found = await checkFile({ path }, quiet);
      assert.deepEqual([isWhole(found), found.repairable, found.structure.length], [false, false, 1]);
    }
  });

  test('a file that somebody holds is not touched', async () => {
    const path = await makeFile('held.db');
    await using _ = await openSqliteStore({ path, collections });
    await assert.rejects(checkFile({ path }, quiet), /in use by another server/);
    await assert.rejects(repairFile(path, collections, `${path}.kept`), /in use by another server/);
  });
});

test('any one flipped bit of a record is found and undone; of two none is taken for one that belongs', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength }).map((list) => Buffer.from(list));
  const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(name, bytes(40), bytes(300), fc.nat(), (text, key, value, draw) => {
      const sum = sumOf(seedOf(text), key, value);
      const flip = (buffer: Buffer): Buffer => {
        const copy = Buffer.from(buffer);
        const place = draw % (copy.length * 8);
        copy[place >>> 3] = (copy[place >>> 3] ?? 0) ^ (1 << (place & 7));
        return copy;
      };
      const written = { collection: text, key, value, sum };
      for (const found of [
        { ...written, value: flip(value) },
        { ...written, key: flip(key) },
        { ...written, sum: sum + (Math.floor(sum / 2 ** (draw % 53)) % 2 === 0 ? 1 : -1) * 2 ** (draw % 53) },
      ])
        assert.deepEqual(correct(found), written);
    }),
    { numRuns: 500 },
  );
});
