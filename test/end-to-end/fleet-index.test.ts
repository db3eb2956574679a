/** The fleet index of a running server: found by the SDK, with devices that connect, after a restart and after a kill. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CreateFleetMetricCommand,
  CreateThingCommand,
  DeleteThingCommand,
  DescribeIndexCommand,
  GetBucketsAggregationCommand,
  GetThingConnectivityDataCommand,
  IoTClient,
  SearchIndexCommand,
  UpdateIndexingConfigurationCommand,
} from '@aws-sdk/client-iot';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { coreOptions } from './core-in-process.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { connectMqtt } from './mqtt-client.ts';
import { startServer, type TestServer, temporaryFolder } from './test-core.ts';
import { until } from './until.ts';

const names = async ({ iot }: TestServer, queryString: string): Promise<string[]> => {
  const { things = [] } = await iot.send(new SearchIndexCommand({ queryString }));
  return things.map(({ thingName = '' }) => thingName).toSorted();
};

const finds = (server: TestServer, queryString: string, wanted: readonly string[]): Promise<boolean> =>
  until(`${queryString} finds ${wanted.join(', ')}`, async () =>
    (await names(server, queryString)).join() === wanted.join() ? true : undefined,
  );

const isActive = ({ iot }: TestServer): Promise<boolean> =>
  until('the index is whole', async () => {
    const { indexStatus } = await iot.send(new DescribeIndexCommand({ indexName: 'AWS_Things' }));
    return indexStatus === 'ACTIVE' ? true : undefined;
  });

test('section 29, 32: things are found by what is known of them, also after a stop, a kill and the loss of the file', async () => {
  const dataDir = temporaryFolder();
  const file = join(dataDir, 'fleet-index.db');
  {
    await using server = await startServer({ dataDir });
    assert.equal(existsSync(file), false, 'a server without an index has no file of one');
    for (let i = 0; i < 20; i += 1)
      await server.iot.send(
        new CreateThingCommand({ thingName: `lamp-${i}`, attributePayload: { attributes: { floor: String(i % 4) } } }),
      );
    const thingIndexingConfiguration = { thingIndexingMode: 'REGISTRY', thingConnectivityIndexingMode: 'STATUS' } as const;
    const customFields = [{ name: 'attributes.floor', type: 'Number' as const }];
    await server.iot.send(
      new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: { ...thingIndexingConfiguration, customFields } }),
    );
    await isActive(server);
    assert.deepEqual(await names(server, 'attributes.floor>2 AND thingName:lamp-1*'), ['lamp-11', 'lamp-15', 'lamp-19']);
    const aggregation = { queryString: '*', aggregationField: 'attributes.floor' };
    const { buckets } = await server.iot.send(
      new GetBucketsAggregationCommand({ ...aggregation, bucketsAggregationType: { termsAggregation: { maxBuckets: 4 } } }),
    );
    assert.deepEqual(
      buckets?.map(({ keyValue, count }) => [keyValue, count]),
      [0, 1, 2, 3].map((floor) => [String(floor), 5]),
    );
    await makePolicy(server, 'all', ALLOW_ALL);
    const client = await connectMqtt(server, 'lamp-3', await makeDevice(server, 'lamp-3', 'all'));
    await finds(server, 'connectivity.connected:true', ['lamp-3']);
    await client.endAsync();
    await finds(server, 'connectivity.disconnectReason:CLIENT_INITIATED_DISCONNECT', ['lamp-3']);
    const data = await server.iot.send(new GetThingConnectivityDataCommand({ thingName: 'lamp-3' }));
    assert.deepEqual([data.connected, data.disconnectReason], [false, 'CLIENT_INITIATED_DISCONNECT']);
  }
  {
    const server = await startServer({ dataDir });
    await finds(server, 'connectivity.connected:false AND connectivity.timestamp>0', ['lamp-3']);
    await server.iot.send(new CreateThingCommand({ thingName: 'born-before-the-kill' }));
    await server.iot.send(new DeleteThingCommand({ thingName: 'lamp-0' }));
    await server.signal('SIGKILL');
  }
  {
    await using server = await startServer({ dataDir });
    await isActive(server);
    assert.deepEqual(await names(server, 'born*'), ['born-before-the-kill']);
    assert.deepEqual(await names(server, 'thingName:lamp-0'), []);
  }
  for (const lose of [() => rmSync(file), () => writeFileSync(file, 'no database')]) {
    lose();
    await using server = await startServer({ dataDir });
    await isActive(server);
    assert.equal((await names(server, '*')).length, 20);
  }
  rmSync(dataDir, { recursive: true, force: true });
});

test('section 33: a fleet metric is evaluated each minute, and shown by /metrics where the operator asks for tenants', async () => {
  const dataDir = temporaryFolder();
  try {
    let shift = 0;
    const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() + shift };
    const { log } = coreOptions(dataDir);
    const ports = ['api-port', 'mqtt-port', 'https-port'].map((name): [string, string] => [name, '0']);
    const flags = new Map([
      ['data-dir', dataDir],
      ['metrics-bind', '127.0.0.1:0'],
      ['metrics-tenants', 'true'],
      ...ports,
    ] as const);
    const config = readConfig(flags, { settings: new Map(), unknown: [] });
    const folder = openDataFolder(dataDir);
    await using core = await openCore({ config, folder, clock, log });
    const [credentials] = readAccessKeys(folder.credentials, config.accountId);
    assert(credentials !== undefined);
    const iot = new IoTClient({ endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials });
    const thingIndexingConfiguration = { thingIndexingMode: 'REGISTRY' } as const;
    await iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration }));
    await isActive({ iot } as TestServer);
    for (const thingName of ['lamp-1', 'lamp-2']) await iot.send(new CreateThingCommand({ thingName }));
    await finds({ iot } as TestServer, 'thingName:lamp*', ['lamp-1', 'lamp-2']);
    const aggregation = {
      aggregationField: 'registry.version',
      aggregationType: { name: 'Statistics' as const, values: ['count', 'sum'] },
    };
    await iot.send(
      new CreateFleetMetricCommand({ ...aggregation, metricName: 'lamps', queryString: 'thingName:lamp*', period: 60 }),
    );
    iot.destroy();
    const shown = async (): Promise<string[]> => {
      const text = await (await fetch(`http://127.0.0.1:${core.ports.metrics}/metrics`)).text();
      return text.split('\n').filter((line) => line.startsWith('thingkeep_fleet_metric{'));
    };
    assert.deepEqual(await shown(), []);
    shift = 60_000;
    await core.tick();
    const lines = await until('the values', async () => ((await shown()).length > 0 ? shown() : undefined));
    const named = 'account="000000000000",region="us-east-1",metric="lamps"';
    assert.deepEqual(lines, [
      `thingkeep_fleet_metric{${named},value="count"} 2`,
      `thingkeep_fleet_metric{${named},value="sum"} 2`,
    ]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
