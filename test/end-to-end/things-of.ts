/** A server in this process, started on a data folder and ended again: what it serves of the folder. */
import assert from 'node:assert/strict';
import { CreateThingCommand, IoTClient, ListThingsCommand } from '@aws-sdk/client-iot';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { systemClock } from '../../packages/server/src/runtime/clock.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { FREE_PORTS } from './test-core.ts';

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
    return ((await iot.send(new ListThingsCommand({}))).things ?? []).map(({ thingName }) => thingName ?? '');
  } finally {
    iot.destroy();
  }
}
