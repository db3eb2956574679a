/**
 * What searches and aggregations of the fleet index cost, by the number of things: a table of p50 and p99 in milliseconds,
 * through the thread of the index as the API has it.
 *   node bench/search.ts [--things 1000,100000,1000000] [--rounds 200]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { thingDocument } from '../packages/server/src/fleet-index/documents/thing-document.ts';
import type { IndexedDocument } from '../packages/server/src/fleet-index/documents/values.ts';
import { IndexThread } from '../packages/server/src/fleet-index/engine/index-thread.ts';
import { parseIndexQuery } from '../packages/server/src/fleet-index/query/parse.ts';

const { values } = parseArgs({
  options: { things: { type: 'string', default: '1000,100000,1000000' }, rounds: { type: 'string', default: '200' } },
});
const SIZES = values.things.split(',').map(Number);
const ROUNDS = Number(values.rounds);
const KEY = { region: 'us-east-1', accountId: '000000000000', name: 'AWS_Things' };
const SOURCES = { connectivity: true, classicShadow: true, namedShadows: false, locations: [] };
const BATCH = 1000;

const documentOf = (i: number): IndexedDocument =>
  thingDocument(
    {
      ...{ thingName: `device-${String(i).padStart(8, '0')}`, thingId: `id-${i}`, version: 1 + (i % 7) },
      thingTypeName: `type-${i % 20}`,
      attributes: { room: `room-${i % 1000}`, serial: `sn-${i}`, floor: String(i % 50) },
      ...{ groupNames: [`group-${i % 200}`], dynamicGroups: [], staticGroups: 1 },
      connectivity: { connected: i % 5 !== 0, timestamp: 1_700_000_000_000 + i },
      classicShadow: { reported: { battery: (i * 37) % 100, firmware: `1.${i % 9}.0` }, version: 1 },
    },
    SOURCES,
  );

/** Queries of a first page, by what they are. */
const SEARCHES: Readonly<Record<string, string>> = {
  'one thing': 'thingName:device-00000500',
  'a rare value': 'attributes.room:room-7',
  'a common value': 'connectivity.connected:true',
  'two values': 'thingTypeName:type-3 AND attributes.floor:3',
  'a range': 'shadow.reported.battery:[90 TO 95]',
  'a prefix': 'thingName:device-0000*',
  'any field': 'room-7',
  'everything but': 'NOT thingTypeName:type-3',
  'a suffix': 'attributes.serial:*77',
};
const BATTERY = { name: 'shadow.reported.battery', type: 'Number' } as const;
const ROOM = { name: 'attributes.room', type: 'String' } as const;

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

async function timed(rounds: number, work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  return `${at(times, 0.5).toFixed(2)} / ${at(times, 0.99).toFixed(2)}`;
}

async function measure(size: number): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'search-bench-'));
  const path = join(folder, 'fleet-index.db');
  const found = new Map<string, string>();
  const thread = new IndexThread({
    path,
    clock: { monotonic: () => performance.now() },
    onNew: () => undefined,
    log: { warn: (_members, text) => process.stderr.write(`${text}\n`) },
  });
  await thread.open();
  try {
    const begun = performance.now();
    for (let from = 0; from < size; from += BATCH)
      await thread.call(
        'update',
        KEY,
        Array.from({ length: Math.min(BATCH, size - from) }, (_, i) => documentOf(from + i)),
        [],
      );
    const seconds = (performance.now() - begun) / 1000;
    found.set('build, us a thing', ((seconds * 1_000_000) / size).toFixed(0));
    found.set('file, bytes a thing', (statSync(path).size / size).toFixed(0));
    for (const [name, text] of Object.entries(SEARCHES)) {
      const query = parseIndexQuery('AWS_Things', text);
      found.set(
        `search: ${name}`,
        await timed(name === 'a suffix' ? Math.min(ROUNDS, 20) : ROUNDS, () => thread.call('search', KEY, query, 0, 101)),
      );
    }
    const all = parseIndexQuery('AWS_Things', '*');
    const some = parseIndexQuery('AWS_Things', 'connectivity.connected:true AND attributes.floor:7');
    const few = Math.min(ROUNDS, 20);
    found.set('statistics, all', await timed(few, () => thread.call('statistics', KEY, all, BATTERY)));
    found.set('statistics, some', await timed(few, () => thread.call('statistics', KEY, some, BATTERY)));
    found.set(
      'percentiles, all',
      await timed(few, () => thread.call('percentiles', KEY, all, BATTERY, [1, 5, 25, 50, 75, 95, 99])),
    );
    found.set('cardinality, all', await timed(few, () => thread.call('cardinality', KEY, all, ROOM)));
    found.set('buckets, all', await timed(few, () => thread.call('buckets', KEY, all, ROOM, 10)));
    let changed = 0;
    const change = (): Promise<unknown> => {
      changed += 1;
      return thread.call('update', KEY, [{ ...documentOf(changed % size), shown: { changed } }], []);
    };
    found.set('a changed thing', await timed(ROUNDS, change));
  } finally {
    await thread[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
  return found;
}

const columns: Map<string, string>[] = [];
for (const size of SIZES) columns.push(await measure(size));
const heads = SIZES.map((size) => size.toLocaleString('en-US'));
process.stdout.write(`| p50 / p99 in ms | ${heads.join(' | ')} |\n| --- |${' --- |'.repeat(SIZES.length)}\n`);
for (const name of columns[0]?.keys() ?? [])
  process.stdout.write(`| ${name} | ${columns.map((column) => column.get(name) ?? '').join(' | ')} |\n`);
