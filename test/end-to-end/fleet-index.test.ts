/** The fleet index of a running server: found by the SDK, with devices that connect, after a restart and after a kill. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CreateThingCommand,
  DeleteThingCommand,
  DescribeIndexCommand,
  GetBucketsAggregationCommand,
  GetThingConnectivityDataCommand,
  SearchIndexCommand,
  UpdateIndexingConfigurationCommand,
} from '@aws-sdk/client-iot';
import mqtt from 'mqtt';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
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
    const { certPem, keyPem } = await makeDevice(server, 'lamp-3', 'all');
    const client = await mqtt.connectAsync({
      ...{ protocol: 'mqtts', host: 'localhost', port: server.ports.mqtt, clientId: 'lamp-3', reconnectPeriod: 0 },
      ...{ ca: readFileSync(server.rootCa), cert: certPem, key: keyPem },
    });
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
