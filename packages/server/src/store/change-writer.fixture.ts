/**
 * A process that writes lamps, names each that was acknowledged in a file, and kills itself while its durable subscriber
 * takes a change, or between two writes: `node change-writer.fixture.ts DATA-FILE ACKNOWLEDGED TAKEN ROUND`.
 */
import { appendFileSync } from 'node:fs';
import { ChangeFeed } from './change-feed.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { lamps, subscribe, subscriberOf } from './lamps.fixture.ts';

const [path = '', acknowledged = '', given = '', round = ''] = process.argv.slice(2);
const end = (): void => void process.kill(process.pid, 'SIGKILL');
const feed = new ChangeFeed({ store: await openSqliteStore({ path }), log: console });
const { store } = feed;
let taken = 0;
await subscribe(feed, [
  subscriberOf('index', ({ key }) => {
    taken += 1;
    if (taken > Number(round)) end();
    appendFileSync(given, `${key[1]}\n`);
  }),
]);
// Two at a time: one is on the way when the other one is taken.
for (let i = 0; ; i += 2)
  await Promise.all(
    [i, i + 1].map(async (n) => {
      const name = `${round}-${n}`;
      await store.write((tx) => tx.put(lamps, { accountId: 'a', name, watts: n }));
      appendFileSync(acknowledged, `${name}\n`);
    }),
  );
