/** A server in the test's own process, on free ports and a throw-away folder, with domains of the test. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { type Core, type CoreOptions, openCore } from '../../packages/server/src/core.ts';
import { systemClock } from '../../packages/server/src/runtime/clock.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { type TestServer, temporaryFolder } from './test-core.ts';

type Domains = Required<CoreOptions>['domains'];

export function coreOptions(dataDir: string): CoreOptions {
  const ports = ['api-port', 'mqtt-port', 'https-port'].map((name): [string, string] => [name, '0']);
  const config = readConfig(new Map([['data-dir', dataDir], ...ports]), { settings: new Map(), unknown: [] });
  return { config, folder: openDataFolder(dataDir), clock: systemClock, log: openLog('silent') };
}

export interface CoreInProcess extends AsyncDisposable {
  readonly core: Core;
  readonly server: TestServer;
}

export async function openInProcess(domains: Domains): Promise<CoreInProcess> {
  const dataDir = temporaryFolder();
  const options = coreOptions(dataDir);
  const core = await openCore({ ...options, domains });
  const { folder, config } = options;
  const [credentials] = readAccessKeys(folder.credentials, config.accountId);
  assert(credentials !== undefined);
  const client = { endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials, maxAttempts: 1 };
  const iot = new IoTClient(client);
  const iotData = new IoTDataPlaneClient(client);
  return {
    core,
    server: { rootCa: folder.rootCa, ports: core.ports, dataDir, iot, iotData } as TestServer,
    async [Symbol.asyncDispose]() {
      iot.destroy();
      iotData.destroy();
      await core[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
