/**
 * 10,000 random operations on a few shadows, over MQTT and HTTP at once, and a small pure reference that replays them in the
 * order of their versions: no answer differs from it, nor does what is left in the end, after a kill -9 and a start.
 */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import {
  DeleteThingShadowCommand,
  GetThingShadowCommand,
  type IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import {
  type Json,
  type JsonObject,
  type ReferenceState,
  shown,
  timesOfValue,
  type Update,
  updated,
} from './shadow-reference.ts';
import { startServer, temporaryFolder } from './test-core.ts';

const OPERATIONS = 10_000;
const SHADOWS = ['', '', 'a', 'b'].map((shadowName, i) => ({ thingName: i < 1 ? 'one' : 'two', shadowName }));
/** Operations on one shadow that are asked for at once. */
const AT_ONCE = 8;

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  below(most: number): number {
    return Math.floor(this.#next() * most);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A value; null and an object more seldom the deeper it is. */
  value(depth: number): Json {
    const kind = this.below(depth > 2 ? 4 : 8);
    if (kind === 0) return null;
    if (kind === 1) return this.below(5);
    if (kind === 2) return this.of(['on', 'off', 'é"\\', '']);
    if (kind === 3) return this.of([true, false, 1.5, -0.25]);
    if (kind === 4) return Array.from({ length: this.below(3) }, () => this.of<Json>([1, 'x', [2], { y: 3 }]));
    return this.members(depth + 1);
  }

  members(depth: number): JsonObject {
    return Object.fromEntries(
      Array.from({ length: this.below(4) }, () => [this.of(['a', 'b', 'c', '__d', 'é']), this.value(depth)]),
    );
  }

  update(): Update {
    if (this.below(40) === 0) return { state: null };
    const section = (): JsonObject | null => (this.below(25) === 0 ? null : this.members(1));
    const kind = this.below(3);
    return { state: { ...(kind !== 0 && { desired: section() }), ...(kind !== 1 && { reported: section() }) } };
  }
}

type Operation =
  | { readonly verb: 'get' | 'delete' }
  | { readonly verb: 'update'; readonly update: Update; readonly version: number | undefined };

interface Answer {
  /** 200, or that of the rejection. */
  readonly code: number;
  readonly body: { version?: number; state?: Json; metadata?: Json };
}

type Ask = (address: (typeof SHADOWS)[number], operation: Operation) => Promise<Answer>;

const payloadOf = (operation: Operation, clientToken?: string): string =>
  operation.verb === 'update'
    ? JSON.stringify({ ...operation.update, version: operation.version, clientToken })
    : JSON.stringify({ clientToken });

const bodyOf = (json: string): Answer['body'] => JSON.parse(json.replace(/"timestamp":\d{10}/g, '"timestamp":1'));

/** Asks over MQTT: answers are told apart by their client tokens. */
function overMqtt(device: DeviceConnection): Ask {
  const waiting = new Map<string, (answer: Answer) => void>();
  let asked = 0;
  void (async () => {
    for (;;) {
      const seen = await device.next(600_000).catch(() => ({ cmd: 'closed' }) as const);
      if (seen.cmd === 'closed') return;
      if (seen.cmd !== 'publish') continue;
      const { topic, payload } = seen as IPublishPacket;
      const body = bodyOf(String(payload)) as Answer['body'] & { clientToken?: string; code?: number };
      waiting.get(body.clientToken ?? '')?.({ code: topic.endsWith('/accepted') ? 200 : (body.code ?? 0), body });
    }
  })();
  return ({ thingName, shadowName }, operation) => {
    const token = `t-${asked++}`;
    const answer = new Promise<Answer>((resolve) => waiting.set(token, resolve)).finally(() => waiting.delete(token));
    const topic = `$aws/things/${thingName}/shadow${shadowName === '' ? '' : `/name/${shadowName}`}/${operation.verb}`;
    device.publish(topic, payloadOf(operation, token));
    return answer;
  };
}

const overHttp =
  (client: IoTDataPlaneClient): Ask =>
  async ({ thingName, shadowName }, operation) => {
    const input = { thingName, ...(shadowName !== '' && { shadowName }) };
    const send = async (): Promise<Uint8Array | undefined> => {
      if (operation.verb === 'get') return (await client.send(new GetThingShadowCommand(input))).payload;
      if (operation.verb === 'delete') return (await client.send(new DeleteThingShadowCommand(input))).payload;
      const payload = Buffer.from(payloadOf(operation));
      return (await client.send(new UpdateThingShadowCommand({ ...input, payload }))).payload;
    };
    try {
      return { code: 200, body: bodyOf(Buffer.from((await send()) ?? []).toString()) };
    } catch (error) {
      const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
      if ($metadata?.httpStatusCode === undefined) throw error;
      return { code: $metadata.httpStatusCode, body: {} };
    }
  };

/** A shadow as the reference has it: the version goes on over a deletion. */
class Reference {
  state: ReferenceState = {};
  version = 0;
  exists = false;

  draw(random: Draw): Operation {
    const kind = random.below(20);
    if (kind < 5) return { verb: 'get' };
    if (kind < 6) return { verb: 'delete' };
    const version = random.below(4) === 0 ? this.version + random.below(3) : undefined;
    return { verb: 'update', update: random.update(), version };
  }

  /** Replays what was asked at once, in the order of the versions. */
  replay(asked: readonly (readonly [Operation, Answer])[], what: string): void {
    const existed = this.exists;
    const updates = new Map<number, Operation & { verb: 'update' }>();
    const deletions = new Set<number>();
    for (const [operation, { code, body }] of asked) {
      if (code !== 200 || body.version === undefined) continue;
      if (operation.verb === 'update') {
        assert.ok(!updates.has(body.version), `${what}: version ${body.version} came twice`);
        updates.set(body.version, operation);
      }
      if (operation.verb === 'delete') deletions.add(body.version);
    }
    /** What a get may see at each version. */
    const seen = new Map([[this.version, this.exists ? shown(this.state) : undefined]]);
    const settle = (): void => {
      if (!deletions.has(this.version)) return;
      this.state = {};
      this.exists = false;
    };
    settle();
    for (let next = this.version + 1; updates.has(next); next += 1) {
      const { update, version } = updates.get(next) as Operation & { verb: 'update' };
      if (version !== undefined)
        assert.ok(version === next - 1 || (next === 1 && version <= 1), `${what}: ${version} was ${next - 1}`);
      this.state = updated(this.state, update);
      this.version = next;
      this.exists = true;
      seen.set(next, shown(this.state));
      settle();
    }
    assert.ok(!updates.has(0) && Math.max(this.version, ...updates.keys()) === this.version, `${what}: a version is missing`);
    const wasGone = !existed || deletions.size > 0;
    for (const [operation, answer] of asked) this.#judge(operation, answer, seen, wasGone, what);
  }

  #judge(
    operation: Operation,
    { code, body }: Answer,
    seen: ReadonlyMap<number, JsonObject | undefined>,
    wasGone: boolean,
    what: string,
  ): void {
    if (operation.verb === 'update') judgeUpdate(operation, { code, body }, what);
    else if (code === 404) assert.ok(wasGone, `${what}: ${operation.verb} found nothing`);
    else {
      assert.equal(code, 200, what);
      if (operation.verb === 'get')
        assert.equal(
          JSON.stringify(body.state),
          JSON.stringify(seen.get(body.version ?? -1)),
          `${what}: version ${body.version}`,
        );
    }
  }
}

function judgeUpdate({ update, version }: Operation & { verb: 'update' }, { code, body }: Answer, what: string): void {
  if (code === 409) {
    assert.ok(version !== undefined, `${what}: a conflict without a version`);
    return;
  }
  assert.equal(code, 200, what);
  assert.equal(JSON.stringify(body.state), JSON.stringify(update.state), what);
  assert.deepEqual(body.metadata, timesOfValue(update.state as Json), what);
}

test('10,000 random operations over MQTT and HTTP at once are as the reference says, also after a kill -9', async (t) => {
  const seed = Number(process.env.SHADOW_SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`SHADOW_SEED=${seed}`);
  const dataDir = temporaryFolder();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  await using server = await startServer({ dataDir, args: ['--log-level', 'warn'] });
  await makePolicy(server, 'all', ALLOW_ALL);
  const certificate = await makeDevice(server, 'device', 'all');
  const connect = (clientId: string): Promise<DeviceConnection> => DeviceConnection.admitted(server, 4, clientId, certificate);
  using first = await connect('first');
  using second = await connect('second');
  const roads = [overMqtt(first), overMqtt(second), overHttp(server.iotData)];
  const references = SHADOWS.map(() => new Reference());
  const perShadow = OPERATIONS / SHADOWS.length;
  await Promise.all(
    references.map(async (reference, i) => {
      const address = SHADOWS[i];
      assert.ok(address !== undefined);
      const random = new Draw(seed + i);
      for (let done = 0; done < perShadow; done += AT_ONCE) {
        const operations = Array.from({ length: AT_ONCE }, () => reference.draw(random));
        const asked = await Promise.all(
          operations.map(async (operation) => [operation, await random.of(roads)(address, operation)] as const),
        );
        reference.replay(asked, `${address.thingName}/${address.shadowName}, operation ${done}`);
      }
    }),
  );
  await server.signal('SIGKILL');
  await using restarted = await startServer({ dataDir, args: ['--log-level', 'warn'] });
  const again = overHttp(restarted.iotData);
  for (const [i, { exists, state, version }] of references.entries()) {
    const { code, body } = await again(SHADOWS[i] as (typeof SHADOWS)[number], { verb: 'get' });
    assert.equal(code, exists ? 200 : 404);
    if (exists) assert.deepEqual([body.version, JSON.stringify(body.state)], [version, JSON.stringify(shown(state))]);
  }
});
