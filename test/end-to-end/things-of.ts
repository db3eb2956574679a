/** A server in this process, started on a data folder and ended again: what it serves of the folder. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateThingCommand, IoTClient, paginateListThings } from '@aws-sdk/client-iot';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { systemClock } from '../../packages/server/src/runtime/clock.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { collection } from '../../packages/server/src/store/contract.ts';
import { openSqliteStore } from '../../packages/server/src/store/sqlite/sqlite-store.ts';
import { FREE_PORTS } from './test-core.ts';

/** The installation id of a folder's root keys. */
export const installationIn = (folder: string): string | undefined =>
  (JSON.parse(readFileSync(join(folder, 'root-keys.json'), 'utf8')) as { installation?: string }).installation;

/** Makes a folder one of a release that knew no installation ids, no checksums and, without functions, no folder of them. */
export async function forgetInstallation(folder: string): Promise<void> {
  for (const part of ['ca', 'audit']) rmSync(join(folder, part, 'installation.json'));
  rmSync(join(folder, 'functions'), { recursive: true });
  truncateSync(join(folder, 'audit', 'key'), 32);
  for (const name of readdirSync(join(folder, 'ca'))) {
    const path = join(folder, 'ca', name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^sha256 .*\n$/m, ''));
  }
  const { keys } = JSON.parse(readFileSync(join(folder, 'root-keys.json'), 'utf8')) as { keys: unknown };
  writeFileSync(join(folder, 'root-keys.json'), JSON.stringify({ version: 1, keys }));
  await using store = await openSqliteStore({ path: join(folder, 'thingkeep.db') });
  const records = collection<{ readonly name: string }>('installation', (i) => [i.name], {}, { scope: 'server' });
  await store.write((tx) => tx.delete(records, ['installation']));
}

/** Names of the folder's things, once `make` is one of them. */
export async function thingsOf(
  dataDir: string,
  make?: string,
  args: readonly (readonly [string, string])[] = [],
): Promise<string[]> {
  const flags = new Map([
    ['data-dir', dataDir],
    ...FREE_PORTS.flatMap((flag) => (flag === '0' ? [] : [[flag.slice(2), '0'] as const])),
    ...args,
  ]);
  const config = readConfig(flags, { settings: new Map(), unknown: [] });
  const folder = openDataFolder(dataDir);
  await using core = await openCore({ config, folder, clock: systemClock, log: openLog('silent') });
  const [key] = readAccessKeys(folder.credentials, config.accountId);
  assert(key !== undefined);
  const iot = new IoTClient({ endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials: key });
  try {
    if (make !== undefined) await iot.send(new CreateThingCommand({ thingName: make }));
    const names: string[] = [];
    for await (const { things = [] } of paginateListThings({ client: iot }, {}))
      names.push(...things.map(({ thingName = '' }) => thingName));
    return names;
  } finally {
    iot.destroy();
  }
}
