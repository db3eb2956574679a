/** Registry events over `kill -9`: each thing whose creation was acknowledged has its event (page iot-events: at least once). */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { CreateThingCommand, UpdateEventConfigurationsCommand } from '@aws-sdk/client-iot';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { startServer, temporaryFolder } from './test-core.ts';

const ROUNDS = 5;

test(`${ROUNDS} times kill -9 while things are created: no event is lost to a session that is away`, async (t) => {
  const dataDir = temporaryFolder();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const acknowledged: string[] = [];
  let device: Awaited<ReturnType<typeof makeDevice>> | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    await using server = await startServer({ dataDir });
    if (device === undefined) {
      await makePolicy(server, 'all', ALLOW_ALL);
      device = await makeDevice(server, 'device', 'all');
      await server.iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations: { THING: { Enabled: true } } }));
      using watcher = await DeviceConnection.admitted(server, 4, 'watcher', device, { clean: false });
      watcher.subscribe('$aws/events/thing/+/created', 1);
      assert.equal((await watcher.next()).cmd, 'suback');
    }
    const killAfter = 20 + round * 13;
    let begun = 0;
    const create = async (): Promise<void> => {
      for (;;) {
        const thingName = `t-${round}-${begun}`;
        begun += 1;
        await server.iot.send(new CreateThingCommand({ thingName }));
        acknowledged.push(thingName);
        if (acknowledged.length >= killAfter * (round + 1)) await server.signal('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: 4 }, () => create().catch(() => undefined)));
  }
  await using server = await startServer({ dataDir });
  assert.ok(device !== undefined && acknowledged.length > ROUNDS * 20);
  using watcher = await DeviceConnection.admitted(server, 4, 'watcher', device, { clean: false });
  const missing = new Set(acknowledged);
  while (missing.size > 0) {
    const seen = await watcher.next();
    if (seen.cmd !== 'publish') continue;
    watcher.send({ cmd: 'puback', messageId: seen.messageId });
    missing.delete(seen.topic.split('/')[3] ?? '');
  }
});
