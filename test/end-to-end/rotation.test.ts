/** The server's own certificates are renewed before they expire, and nobody is dropped for it. */
import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import {
  AttachPolicyCommand,
  CreateDomainConfigurationCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import mqtt from 'mqtt';
import { type Config, readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { temporaryFolder } from './test-core.ts';

const DAY = 86_400_000;
const ALLOW_ALL = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] });

/** The certificate that a fresh handshake is shown, for clients of one kind of key. */
async function shown(port: number, sigalgs: string): Promise<X509Certificate> {
  // The server lives in the future here: its certificates are not valid yet for a client's own clock.
  const tolerant = { rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const;
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: 'localhost', sigalgs, ...tolerant });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  assert(certificate !== undefined);
  return certificate;
}

/** A configuration with free ports. */
function configOf(dataDir: string): Config {
  const ports = ['api-port', 'mqtt-port', 'https-port'].map((name) => [name, '0'] as const);
  return readConfig(new Map([['data-dir', dataDir], ...ports]), { settings: new Map(), unknown: [] });
}

test('server certificates rotate before expiry; a connection that stands stays', async () => {
  const dataDir = temporaryFolder();
  try {
    let shift = 0;
    const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() };
    const config = configOf(dataDir);
    const folder = openDataFolder(dataDir);
    await using core = await openCore({ config, folder, clock, log: openLog('silent') });
    const [key] = readAccessKeys(folder.credentials, config.accountId);
    assert(key !== undefined);
    const iot = new IoTClient({ endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials: key });
    const device = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    await iot.send(new CreatePolicyCommand({ policyName: 'all', policyDocument: ALLOW_ALL }));
    await iot.send(new AttachPolicyCommand({ policyName: 'all', target: device.certificateArn }));
    const ca = readFileSync(folder.rootCa, 'utf8');
    const client = await mqtt.connectAsync({
      protocol: 'mqtts',
      host: 'localhost',
      port: core.ports.mqtt,
      ca,
      cert: device.certificatePem,
      key: device.keyPair?.PrivateKey,
      clientId: 'steadfast',
      reconnectPeriod: 0,
    });
    let closed = false;
    client.on('close', () => {
      closed = true;
    });

    const kinds = ['ECDSA+SHA256', 'RSA+SHA256'];
    const before = await Promise.all(kinds.map((kind) => shown(core.ports.mqtt, kind)));
    await core.tick();
    const early = await Promise.all(kinds.map((kind) => shown(core.ports.mqtt, kind)));
    assert.deepEqual(
      early.map((c) => c.serialNumber),
      before.map((c) => c.serialNumber),
      'nothing is renewed without need',
    );

    const life = Date.parse(before[0]?.validTo ?? '') - Date.now();
    shift = life - 5 * DAY;
    await core.tick();
    for (const port of [core.ports.mqtt, core.ports.https]) {
      for (const [i, kind] of kinds.entries()) {
        const fresh = await shown(port, kind);
        assert.notEqual(fresh.serialNumber, before[i]?.serialNumber, `${kind} on port ${port} is renewed`);
        assert(Date.parse(fresh.validTo) > clock.now() + 30 * DAY);
      }
    }
    assert.equal(closed, false, 'the connection was not dropped');
    const echoed = new Promise<string>((resolve) => client.once('message', (_topic, payload) => resolve(String(payload))));
    await client.subscribeAsync('still/here', { qos: 1 });
    await client.publishAsync('still/here', 'yes', { qos: 1 });
    assert.equal(await echoed, 'yes');
    await client.endAsync();
    iot.destroy();
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test("a damaged certificate of a tenant's domain does not keep the server's own new one from being served", async () => {
  const dataDir = temporaryFolder();
  try {
    let shift = 0;
    const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() };
    const config = configOf(dataDir);
    const open = () => openCore({ config, folder: openDataFolder(dataDir), clock, log: openLog('silent') });
    const { credentials, dataFile } = openDataFolder(dataDir);
    {
      await using core = await open();
      const [key] = readAccessKeys(credentials, config.accountId);
      assert(key !== undefined);
      const iot = new IoTClient({ endpoint: `http://127.0.0.1:${core.ports.api}`, region: 'us-east-1', credentials: key });
      await iot.send(new CreateDomainConfigurationCommand({ domainConfigurationName: 'd', serviceType: 'DATA' }));
      iot.destroy();
    }
    const db = new DatabaseSync(dataFile);
    const damage = "UPDATE record SET value = replace(value, 'BEGIN', 'BEGIM') WHERE collection = 'domain-certificates'";
    assert.equal(db.prepare(damage).run().changes, 1);
    db.close();
    await using core = await open();
    const before = await shown(core.ports.mqtt, 'ECDSA+SHA256');
    shift = before.validToDate.getTime() - Date.now() - 5 * DAY;
    await core.tick();
    await core.tick();
    const after = await shown(core.ports.mqtt, 'ECDSA+SHA256');
    assert.notEqual(after.serialNumber, before.serialNumber);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
