/**
 * A certificate's validity ends while its device is connected: the connection ends with it (facts 1.4, 7.2), and its owner is
 * told. A test moves the clock.
 */
// needs: openssl
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  IoTClient,
  RegisterCertificateWithoutCACommand,
} from '@aws-sdk/client-iot';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { selfSigned } from './certificates.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, policyDocument } from './devices.ts';
import { temporaryFolder, type TestServer } from './test-core.ts';

/** As openssl writes an instant, to the second. */
const instant = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;

test('a connection ends when its certificate does, and nobody connects with it any more', async () => {
  const dataDir = temporaryFolder();
  try {
    const notAfter = Date.now() + 600_000;
    const pair = await selfSigned('short', [instant(notAfter - 3_600_000), instant(notAfter)]);
    let shift = 0;
    const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() + shift };
    const ports = ['api-port', 'mqtt-port', 'https-port'].map((name) => [name, '0'] as const);
    const config = readConfig(new Map([['data-dir', dataDir], ...ports]), { settings: new Map(), unknown: [] });
    const folder = openDataFolder(dataDir);
    await using core = await openCore({ config, folder, clock, log: openLog('silent') });
    const [credentials] = readAccessKeys(folder.credentials, config.accountId);
    assert(credentials !== undefined);
    const iot = new IoTClient({ endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials });
    await iot.send(new CreatePolicyCommand({ policyName: 'all', policyDocument: policyDocument(ALLOW_ALL) }));
    const { certificateArn: target } = await iot.send(
      new RegisterCertificateWithoutCACommand({ certificatePem: pair.certPem, status: 'ACTIVE' }),
    );
    await iot.send(new AttachPolicyCommand({ policyName: 'all', target }));
    const watching = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    await iot.send(new AttachPolicyCommand({ policyName: 'all', target: watching.certificateArn }));
    iot.destroy();
    const server = { rootCa: folder.rootCa, ports: core.ports } as TestServer;

    const watcherPair = { certPem: watching.certificatePem ?? '', keyPem: watching.keyPair?.PrivateKey ?? '' };
    using watcher = await DeviceConnection.admitted(server, 4, 'watcher', watcherPair, { keepalive: 1200 });
    watcher.subscribe('$thingkeep/events/certificates/#', 1);
    assert.equal((await watcher.next()).cmd, 'suback');
    const news = async (): Promise<string> => {
      const told = await watcher.next();
      assert(told.cmd === 'publish');
      watcher.send({ cmd: 'puback', messageId: told.messageId });
      const { eventType, daysBefore, certificateArn } = JSON.parse(told.payload.toString()) as Record<string, unknown>;
      assert.equal(certificateArn, target);
      return `${eventType} ${daysBefore}`;
    };
    await core.tick();
    assert.equal(await news(), 'expiring 1');

    using modern = await DeviceConnection.admitted(server, 5, 'modern', pair, { keepalive: 1200 });
    using classic = await DeviceConnection.admitted(server, 4, 'classic', pair, { keepalive: 1200 });
    const alpn = { ...pair, port: core.ports.https, tls: { ALPNProtocols: ['x-amzn-mqtt-ca'] } };
    using negotiated = await DeviceConnection.admitted(server, 4, 'negotiated', alpn, { keepalive: 1200 });
    shift = 550_000;
    await core.tick();
    assert.ok(await modern.nothingCame());
    assert.ok(await classic.nothingCame());
    assert.ok(await negotiated.nothingCame());
    shift = 602_000;
    await core.tick();
    const last = await modern.next();
    assert.equal(last.cmd === 'disconnect' && last.reasonCode, 0x87);
    assert.equal((await modern.next()).cmd, 'closed');
    assert.equal((await classic.next()).cmd, 'closed');
    assert.equal((await negotiated.next()).cmd, 'closed');
    // Owners are told within five minutes.
    shift = 900_000;
    await core.tick();
    assert.equal(await news(), 'expired undefined');
    const { device, answer } = await DeviceConnection.connect(server, 5, 'late', pair);
    device[Symbol.dispose]();
    assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x87);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
