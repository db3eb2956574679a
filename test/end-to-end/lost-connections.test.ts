/**
 * `kill -9` at random moments, with clients that come and go: the end of each connection is told once to a persistent watcher
 * of wills and presence events, by this run of the server or the next one, and version numbers rise. In every other round the
 * next start is killed too, while it tells. THINGKEEP_ENDINGS sets the number of rounds.
 */
// suite: long
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CreateTopicRuleCommand } from '@aws-sdk/client-iot';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { republish, RuleBench } from './rule-bench.ts';
import { HttpReceiver } from './http-receiver.ts';
import { plainEnvironment } from './run-command.ts';
import { FREE_PORTS, MAIN, startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const ENDINGS = Number(process.env.THINGKEEP_ENDINGS ?? 4);
const TIDE = 20_000;

type Will = NonNullable<IClientOptions['will']>;

/** Kinds of clients: what differs in their CONNECT. */
interface Kind {
  readonly name: string;
  readonly level: 4 | 5;
  readonly will?: Pick<Will, 'qos'> & Partial<Will>;
  readonly more?: IClientOptions;
}

const KINDS: readonly Kind[] = [
  { name: 'zero4', level: 4, will: { qos: 0 } },
  { name: 'zero5', level: 5, will: { qos: 0 } },
  { name: 'one4', level: 4, will: { qos: 1 } },
  { name: 'one5', level: 5, will: { qos: 1, properties: { contentType: 'application/json' } } },
  { name: 'kept4', level: 4, will: { qos: 1, retain: true } },
  { name: 'kept5', level: 5, will: { qos: 0, retain: true } },
  {
    name: 'late5',
    level: 5,
    will: { qos: 1, properties: { willDelayInterval: 1 } },
    more: { clean: false, properties: { sessionExpiryInterval: 3000 } },
  },
  { name: 'none4', level: 4 },
  { name: 'none5', level: 5, more: { clean: false, properties: { sessionExpiryInterval: 3000 } } },
];
const EACH = 2;

interface Keys {
  readonly device: Device;
  readonly ca: string;
}

const open = (server: TestServer, { device, ca }: Keys, clientId: string, more: IClientOptions = {}): MqttClient =>
  mqtt
    .connect({
      host: 'localhost',
      port: server.ports.mqtt,
      protocol: 'mqtts',
      clientId,
      ca,
      cert: device.certPem,
      key: device.keyPem,
      reconnectPeriod: 0,
      keepalive: 600,
      ...more,
    })
    .on('error', () => undefined);

/** What became of one connection, as its client knows it. */
interface Connection {
  readonly clientId: string;
  /** In its will's payload. */
  readonly id: string;
  readonly will: Kind['will'];
  /** How it ended: by DISCONNECT or the end of the socket while the server lived well, or by the server's death. */
  end: 'said' | 'cut' | 'death' | 'unsure';
  /** Monotonic milliseconds. */
  endedAt: number;
}

/** A DISCONNECT that came so shortly before a death (milliseconds) may not have reached the disk: nothing acknowledges one. */
const NOT_YET_STORED = 200;

interface Presence {
  readonly clientId: string;
  readonly eventType: 'connected' | 'disconnected';
  readonly sessionIdentifier: string;
  readonly versionNumber: number;
  readonly timestamp: number;
  readonly disconnectReason?: string;
}

/** The persistent watcher, over all its connections: everything once, however often MQTT sends it. */
class Watcher {
  readonly presence: Presence[] = [];
  /** By connection id: times at which the rule saw its will, and whether the watcher got it itself. */
  readonly ruled = new Map<string, Set<number>>();
  readonly wills = new Set<string>();
  readonly #seen = new Set<string>();
  client: MqttClient | undefined;

  async connect(server: TestServer, keys: Keys): Promise<void> {
    const client = open(server, keys, 'watcher', { clean: false });
    this.client = client;
    client.on('message', (topic, payload) => this.#take(topic, payload.toString()));
    const { sessionPresent } = await new Promise<{ sessionPresent: boolean }>((resolve) => client.once('connect', resolve));
    if (!sessionPresent) await client.subscribeAsync(['wills/#', 'ruled', '$aws/events/presence/#'], { qos: 1 });
  }

  #take(topic: string, text: string): void {
    if (topic.startsWith('wills/')) {
      this.wills.add((JSON.parse(text) as { id: string }).id);
      return;
    }
    if (this.#seen.has(text)) return;
    this.#seen.add(text);
    if (topic === 'ruled') {
      const { id, at } = JSON.parse(text) as { id: string; at: number };
      this.ruled.set(id, (this.ruled.get(id) ?? new Set()).add(at));
      return;
    }
    const event = JSON.parse(text) as Presence;
    if (event.clientId !== 'watcher' && event.clientId !== 'load') this.presence.push(event);
  }

  ends(clientId: string): Presence[] {
    return this.presence.filter((event) => event.clientId === clientId && event.eventType === 'disconnected');
  }
}

/** One client that comes and goes until the server dies. */
async function comeAndGo(
  server: TestServer,
  keys: Keys,
  kind: Kind,
  clientId: string,
  all: Connection[],
  life: { over: boolean },
): Promise<void> {
  while (!life.over) {
    const id = `${clientId}-${all.length}`;
    const payload = Buffer.from(JSON.stringify({ id }));
    const will = kind.will === undefined ? undefined : { topic: `wills/${clientId}`, payload, retain: false, ...kind.will };
    const client = open(server, keys, clientId, { protocolVersion: kind.level, will: will as Will, ...kind.more });
    const closed = new Promise<void>((resolve) => client.once('close', resolve));
    const connected = await Promise.race([
      new Promise((resolve) => client.once('connect', resolve)).then(() => true),
      closed.then(() => false),
    ]);
    if (!connected) {
      await client.endAsync(true);
      // Let in perhaps: the CONNACK may have died with the server.
      all.push({ clientId, id, will: kind.will, end: 'unsure', endedAt: 0 });
      return;
    }
    const connection: Connection = { clientId, id, will: kind.will, end: 'death', endedAt: 0 };
    all.push(connection);
    await Promise.race([closed, setTimeout(randomInt(20, 300))]);
    const stays = randomInt(3) === 0;
    if (stays) await closed;
    else if (!life.over && client.connected) {
      connection.end = randomInt(2) === 0 ? 'said' : 'cut';
      await client.endAsync(connection.end === 'cut');
      connection.endedAt = performance.now();
    }
    if (life.over && connection.end !== 'death') connection.end = 'unsure';
    await client.endAsync(true);
  }
}

/** Starts a server and kills it before it has told all, perhaps before it has begun. */
async function dieAtStart(dataDir: string): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'start', '--data-dir', dataDir, ...FREE_PORTS], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'close');
  await Promise.race([setTimeout(randomInt(300, 1200)), once(child.stdout, 'data'), exited]);
  child.kill('SIGKILL');
  await exited;
}

async function kill(server: TestServer, life: { over: boolean }, all: readonly Connection[]): Promise<void> {
  await server.signal('SIGSTOP');
  life.over = true;
  const now = performance.now();
  for (const connection of all)
    if (connection.end === 'said' && now - connection.endedAt < NOT_YET_STORED) connection.end = 'unsure';
  await server.signal('SIGKILL');
}

/** What is wrong with what the watcher was told; undefined when nothing is missing. */
function missing(watcher: Watcher, all: readonly Connection[]): string | undefined {
  const certain = new Map<string, number>();
  for (const [n, { clientId, id, will, end }] of all.entries()) {
    if (end === 'unsure') continue;
    certain.set(clientId, (certain.get(clientId) ?? 0) + 1);
    if (will === undefined || end === 'said') continue;
    // A client that came back within the delay has taken its will back.
    if (will.properties?.willDelayInterval !== undefined && all.slice(n + 1).some((other) => other.clientId === clientId))
      continue;
    if (!watcher.ruled.has(id)) return `the rule has not seen the will of ${id}, which ended by ${end}`;
    if (will.qos === 1 && !watcher.wills.has(id)) return `the watcher lacks the will of ${id}, which ended by ${end}`;
  }
  for (const [clientId, connections] of certain) {
    const ends = watcher.ends(clientId).length;
    if (ends < connections) return `${clientId}: ${ends} ends of ${connections} connections`;
  }
  return undefined;
}

/** What was told twice, or out of order. */
function assertOnce(watcher: Watcher, all: readonly Connection[]): void {
  for (const [id, times] of watcher.ruled) {
    const known = (): string => JSON.stringify([all.find((each) => each.id === id), watcher.presence.slice(-80)]);
    assert.equal(times.size, 1, `the will of ${id} went out ${times.size} times: ${[...times]} ${known()}`);
  }
  for (const { id, end } of all) if (end === 'said') assert.ok(!watcher.ruled.has(id), `${id} has said goodbye`);
  const versions = new Map<string, number>();
  const ended = new Set<string>();
  for (const { clientId, eventType, sessionIdentifier, versionNumber } of watcher.presence) {
    const before = versions.get(clientId) ?? -1;
    if (eventType === 'connected') assert.ok(versionNumber > before, `${clientId}: ${versionNumber} after ${before}`);
    else assert.ok(versionNumber >= before, `${clientId}: the end of ${versionNumber} after ${before}`);
    versions.set(clientId, versionNumber);
    if (eventType === 'connected') continue;
    assert.ok(!ended.has(sessionIdentifier), `the end of ${clientId}, version ${versionNumber}, is told twice`);
    ended.add(sessionIdentifier);
  }
  for (const { eventType, sessionIdentifier, clientId, versionNumber } of watcher.presence)
    if (eventType === 'connected') assert.ok(ended.has(sessionIdentifier), `${clientId}, version ${versionNumber}, has no end`);
}

test('what a rule owes for a will of QoS 0 is done after a kill', async (t) => {
  await using receiver = await HttpReceiver.open();
  receiver.status = () => undefined;
  const dataDir = temporaryFolder();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const args = ['--http-destinations', receiver.url];
  await using bench = await RuleBench.open(args, dataDir);
  const { server, device } = bench;
  await bench.rule('wills', "SELECT * FROM 'gone'", [{ http: { url: `${receiver.url}/will` } }]);
  using watcher = await bench.listener('$aws/events/presence/disconnected/lamp');
  const will = { topic: 'gone', payload: Buffer.from('{"n":1}'), qos: 0, retain: false } as const;
  const client = await DeviceConnection.admitted(server, 4, 'lamp', device, { will });
  client.socket.destroy();
  assert.equal((await watcher.next()).cmd, 'publish');
  await receiver.got(({ path }) => path === '/will');
  const before = receiver.received.length;
  await server.signal('SIGKILL');
  receiver.status = () => 200;
  await using _ = await startServer({ dataDir, args });
  await until('the action, again', () => (receiver.received.length > before ? true : undefined), TIDE);
});

test(`${ENDINGS} times kill -9: the end of each connection is told once, and versions rise`, async (t) => {
  const dataDir = temporaryFolder();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  let server = await startServer({ dataDir });
  t.after(() => server.signal('SIGKILL'));
  await makePolicy(server, 'all', ALLOW_ALL);
  const keys = {
    device: await makeDevice(server, 'device', 'all'),
    ca: await fetch(`${server.url}/root-ca.pem`).then((answer) => answer.text()),
  };
  await server.iot.send(
    new CreateTopicRuleCommand({
      ruleName: 'wills',
      topicRulePayload: {
        sql: "SELECT id, timestamp() AS at FROM 'wills/#'",
        awsIotSqlVersion: '2016-03-23',
        actions: [republish('ruled', { qos: 1 })],
      },
    }),
  );
  const watcher = new Watcher();
  await watcher.connect(server, keys);
  const all: Connection[] = [];
  for (let round = 0; round < ENDINGS; round += 1) {
    const life = { over: false };
    const clients = KINDS.flatMap((kind) =>
      Array.from({ length: EACH }, (_, n) => comeAndGo(server, keys, kind, `${kind.name}-${n}`, all, life)),
    );
    await setTimeout(randomInt(200, 1500));
    await kill(server, life, all);
    await Promise.all([...clients, watcher.client?.endAsync(true)]);
    await server.stop();
    if (round % 2 === 1) await dieAtStart(dataDir);
    server = await startServer({ dataDir });
    await watcher.connect(server, keys);
    await until(`round ${round}: all ends`, () => (missing(watcher, all) === undefined ? true : undefined), TIDE).catch(() =>
      assert.fail(`round ${round}: ${missing(watcher, all)}`),
    );
    assertOnce(watcher, all);
  }
  const died = all.filter(({ end }) => end === 'death').length;
  const unsure = all.filter(({ end }) => end === 'unsure').length;
  t.diagnostic(`${all.length} connections, ${died} of them ended by ${ENDINGS} deaths (${unsure} under way then), all told once`);
  await watcher.client?.endAsync();
  assert.equal(await server.stop(), 0);
});
