/**
 * What time does to a connection that an authorizer let in: refresh and end (facts 7.2, 11.1), with a clock that a test moves.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { CreateAuthorizerCommand, IoTClient } from '@aws-sdk/client-iot';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, policyDocument } from './devices.ts';
import { HttpFunction } from './http-function.ts';
import { temporaryFolder, type TestServer } from './test-core.ts';

const GRANT = { isAuthenticated: true, principalId: 'p', policyDocuments: [policyDocument(ALLOW_ALL)] };

test('a refresh that says no closes, and so does the end that the first answer set', async () => {
  const dataDir = temporaryFolder();
  let refreshed = false;
  await using fn = await HttpFunction.open(({ event }) => {
    const clientId = event.protocolData.mqtt?.clientId;
    if (clientId === 'refreshed') return refreshed ? { isAuthenticated: false } : { ...GRANT, refreshAfterInSeconds: 300 };
    return clientId === 'limited' ? { ...GRANT, disconnectAfterInSeconds: 900 } : GRANT;
  });
  try {
    let shift = 0;
    const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() + shift };
    const ports = ['api-port', 'mqtt-port', 'https-port'].map((name) => [name, '0'] as const);
    const config = readConfig(new Map([['data-dir', dataDir], ...ports]), { settings: new Map(), unknown: [] });
    const folder = openDataFolder(dataDir);
    await using core = await openCore({ config, folder, clock, log: openLog('silent') });
    const [credentials] = readAccessKeys(folder.credentials, config.accountId);
    assert(credentials !== undefined);
    const iot = new IoTClient({ endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials });
    const authorizer = { authorizerName: 'a', authorizerFunctionArn: fn.url, signingDisabled: true } as const;
    await iot.send(new CreateAuthorizerCommand(authorizer));
    iot.destroy();
    const server = { rootCa: folder.rootCa, ports: core.ports } as TestServer;
    const open = (clientId: string): Promise<DeviceConnection> =>
      DeviceConnection.admitted(
        server,
        5,
        clientId,
        { port: core.ports.https, tls: { ALPNProtocols: ['mqtt'] } },
        { username: '?x-amz-customauthorizer-name=a', keepalive: 1200 },
      );

    using watcher = await open('watcher');
    using device = await open('refreshed');
    using limited = await open('limited');
    watcher.subscribe('$aws/events/presence/disconnected/+');
    assert.equal((await watcher.next()).cmd, 'suback');
    const reason = async (): Promise<unknown> => {
      const seen = await watcher.next();
      assert(seen.cmd === 'publish');
      const { clientId, disconnectReason } = JSON.parse(String(seen.payload)) as Record<string, unknown>;
      return [clientId, disconnectReason];
    };

    shift = 290_000;
    await core.tick();
    assert.ok(await device.nothingCame());
    refreshed = true;
    shift = 301_000;
    await core.tick();
    const refused = await device.next();
    assert.equal(refused.cmd === 'disconnect' && refused.reasonCode, 0x87);
    assert.deepEqual(await reason(), ['refreshed', 'AUTH_ERROR']);
    assert.equal(fn.for('refreshed').length, 2);
    const [first, second] = fn.for('refreshed').map(({ event }) => event.connectionMetadata.id);
    assert.equal(first, second);

    shift = 890_000;
    await core.tick();
    assert.ok(await limited.nothingCame());
    shift = 901_000;
    await core.tick();
    const ended = await limited.next();
    assert.equal(ended.cmd === 'disconnect' && ended.reasonCode, 0x98);
    assert.deepEqual(await reason(), ['limited', 'CUSTOMAUTH_TTL_EXPIRATION']);
    assert.equal(fn.for('limited').length, 1, 'an answer without a refresh asks for none');
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
