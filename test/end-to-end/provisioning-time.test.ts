/**
 * What time does to provisioning: a temporary claim ends with its connection, a certificate that nobody takes is deleted (24.1,
 * 25).
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { CreateProvisioningClaimCommand, IoTClient, ListCertificatesCommand } from '@aws-sdk/client-iot';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { coreOptions } from './core-in-process.ts';
import { DeviceConnection } from './device-connection.ts';
import { CREATE, connectDevice, makeTemplate } from './provisioning.ts';
import { temporaryFolder, type TestServer } from './test-core.ts';

const MINUTE = 60_000;

test('a claim of five minutes and a certificate of an hour', async () => {
  const dataDir = temporaryFolder();
  let shift = 0;
  const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() + shift };
  const options = { ...coreOptions(dataDir), clock };
  await using core = await openCore(options);
  const { folder, config } = options;
  const [credentials] = readAccessKeys(folder.credentials, config.accountId);
  assert(credentials !== undefined);
  const url = `http://127.0.0.1:${core.ports.api}`;
  const iot = new IoTClient({ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 });
  const server = { rootCa: folder.rootCa, ports: core.ports, url, iot, credentials: () => credentials } as unknown as TestServer;
  try {
    await makeTemplate(server, 'lamps');
    const made = await iot.send(new CreateProvisioningClaimCommand({ templateName: 'lamps' }));
    const claim = { certPem: made.certificatePem ?? '', keyPem: made.keyPair?.PrivateKey ?? '' };
    await using asking = await connectDevice(server, 'late', claim);
    const { certificateId } = (await asking.ask(CREATE)).body;
    using idle = await DeviceConnection.admitted(server, 5, 'idle', claim, { keepalive: 1200 });

    shift = 4 * MINUTE;
    await core.tick();
    assert.ok(await idle.nothingCame());
    shift = 5 * MINUTE + 2_000;
    await core.tick();
    const last = await idle.next();
    assert.equal(last.cmd === 'disconnect' && last.reasonCode, 0x87);
    const { device, answer } = await DeviceConnection.connect(server, 5, 'later', claim);
    device[Symbol.dispose]();
    assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x87);

    // Signatures are of the server's time.
    iot.config.systemClockOffset = shift;
    const find = async () => (await iot.send(new ListCertificatesCommand({}))).certificates?.map((each) => each.certificateId);
    assert.deepEqual(await find(), [certificateId]);
    shift = 61 * MINUTE;
    iot.config.systemClockOffset = shift;
    await core.tick();
    assert.deepEqual(await find(), []);
  } finally {
    iot.destroy();
    await rm(dataDir, { recursive: true, force: true });
  }
});
