/**
 * QoS 1 messages and sessions after `kill -9` and after a power cut, at random moments under load with half of the
 * subscribers away: none that was acknowledged is lost, none comes that was never sent, every session is there
 * (reliability: PUBACK means on disk). THINGKEEP_ENDINGS sets the number of each kind of ending.
 */
// suite: long
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { LoopDisk } from './loop-disk.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const ENDINGS = Number(process.env.THINGKEEP_ENDINGS ?? 6);
const SUBSCRIBERS = 4;
const IN_FLIGHT = 40;
const TOPICS = 5;

/** Device and server certificate outlive the disk's ups and downs. */
interface Keys {
  readonly device: Device;
  readonly ca: string;
}

const open = (server: TestServer, { device, ca }: Keys, clientId: string, more: object = {}): MqttClient =>
  mqtt.connect({
    host: 'localhost',
    port: server.ports.mqtt,
    protocol: 'mqtts',
    clientId,
    ca,
    cert: device.certPem,
    key: device.keyPem,
    reconnectPeriod: 0,
    ...more,
  });

/** One persistent session as a test sees it, over all its connections. */
class Subscriber {
  readonly clientId: string;
  readonly received = new Set<string>();
  /** Per topic, the numbers in the order of their first arrival. */
  readonly order = new Map<string, number[]>();
  client: MqttClient | undefined;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  async connect(server: TestServer, keys: Keys, expectSession: boolean): Promise<void> {
    const client = open(server, keys, this.clientId, { clean: false });
    this.client = client;
    client.on('error', () => undefined);
    client.on('message', (topic, payload) => {
      const text = `${topic} ${payload}`;
      if (this.received.has(text)) return;
      this.received.add(text);
      const numbers = this.order.get(topic) ?? [];
      numbers.push(Number(payload.toString()));
      this.order.set(topic, numbers);
    });
    const present = await new Promise<boolean>((resolve, reject) => {
      client.once('connect', ({ sessionPresent }) => resolve(sessionPresent));
      client.once('close', () => reject(new Error(`${this.clientId} was not let in`)));
    });
    assert.equal(present, expectSession, `the session of ${this.clientId}`);
    if (!expectSession) await client.subscribeAsync('load/+', { qos: 1 });
  }

  async disconnect(): Promise<void> {
    await this.client?.endAsync(true);
    this.client = undefined;
  }
}

/** Publishes until the server is gone; notes what it sent, and what was acknowledged while nothing stood still. */
class Publisher {
  readonly sent = new Set<string>();
  readonly acknowledged = new Set<string>();
  stopped = false;
  #next = 0;

  async run(server: TestServer, keys: Keys): Promise<void> {
    const client = open(server, keys, 'publisher');
    client.on('error', () => undefined);
    const gone = new Promise<void>((resolve) => client.once('close', resolve));
    const one = async (): Promise<void> => {
      while (client.connected && !this.stopped) {
        this.#next += 1;
        const topic = `load/${this.#next % TOPICS}`;
        const text = `${topic} ${this.#next}`;
        this.sent.add(text);
        await Promise.race([client.publishAsync(topic, String(this.#next), { qos: 1 }).catch(() => undefined), gone]);
        if (client.connected && !this.stopped) this.acknowledged.add(text);
      }
    };
    // The server may have gone before it has let the publisher in.
    await Promise.race([new Promise((resolve) => client.once('connect', resolve)), gone]);
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    await client.endAsync(true);
  }
}

/** Rounds of load, an ending, and a look at what is left. */
async function endure(
  dataDir: string,
  endings: number,
  end: (server: TestServer) => Promise<void>,
  log: (text: string) => void,
): Promise<void> {
  let server = await startServer({ dataDir });
  try {
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    const ca = await fetch(`${server.url}/root-ca.pem`).then((answer) => answer.text());
    const keys: Keys = { device, ca };
    const subscribers = Array.from({ length: SUBSCRIBERS }, (_, n) => new Subscriber(`s${n}`));
    for (const subscriber of subscribers) await subscriber.connect(server, keys, false);
    const publisher = new Publisher();
    for (let round = 0; round < endings; round += 1) {
      // Half of them are away, another half each time.
      for (const [n, subscriber] of subscribers.entries()) if ((n + round) % 2 === 0) await subscriber.disconnect();
      publisher.stopped = false;
      const publishing = publisher.run(server, keys);
      await setTimeout(randomInt(20, 400));
      await end(server);
      publisher.stopped = true;
      await publishing;
      for (const subscriber of subscribers) await subscriber.disconnect();
      await server.stop();
      server = await startServer({ dataDir });
      for (const subscriber of subscribers) await subscriber.connect(server, keys, true);
      for (const { clientId, received } of subscribers) {
        const missing = (): string[] => [...publisher.acknowledged].filter((text) => !received.has(text));
        await until(
          `round ${round}: all acknowledged messages at ${clientId}`,
          () => (missing().length === 0 ? true : undefined),
          20_000,
        ).catch(() => assert.fail(`round ${round}: ${clientId} lacks ${missing().length}, such as ${missing().slice(0, 3)}`));
      }
    }
    for (const { clientId, received, order } of subscribers) {
      assert.deepEqual(
        [...received].filter((text) => !publisher.sent.has(text)),
        [],
        `${clientId} got what was never sent`,
      );
      for (const [topic, numbers] of order)
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
          `${clientId} got ${topic} out of order`,
        );
      log(
        `${clientId}: ${received.size} messages of ${publisher.acknowledged.size} acknowledged and ${publisher.sent.size} sent`,
      );
    }
    for (const subscriber of subscribers) await subscriber.disconnect();
    assert.equal(await server.stop(), 0);
  } finally {
    await server.signal('SIGKILL');
  }
}

test(`${ENDINGS} times kill -9 lose no acknowledged message and no session`, async (t) => {
  const folder = temporaryFolder();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await endure(
    folder,
    ENDINGS,
    async (server) => void (await server.signal('SIGKILL')),
    (text) => t.diagnostic(text),
  );
});

test(`${ENDINGS} power cuts lose no acknowledged message and no session`, async (t) => {
  const at = temporaryFolder();
  t.after(() => rmSync(at, { recursive: true, force: true }));
  using disk = LoopDisk.make(at, 128);
  if (disk === undefined) {
    t.skip('this machine lets nobody mount a loop device');
    return;
  }
  await endure(
    disk.folder,
    ENDINGS,
    async (server) => {
      await server.signal('SIGSTOP');
      disk.cut();
      await server.signal('SIGKILL');
      disk.restore();
    },
    (text) => t.diagnostic(text),
  );
});
