/** Each mistake of mistakes.ts leaves a line that `thingkeep refusals` shows, in words that say what to do. */
// needs: openssl mosquitto-clients curl aws
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { mistakesOf } from './mistakes.ts';
import { startServer, type TestServer, thingkeep } from './test-core.ts';

/** A server with a device that is allowed everything. */
class Bench implements AsyncDisposable {
  readonly server: TestServer;
  readonly marker: Device;

  private constructor(server: TestServer, marker: Device) {
    this.server = server;
    this.marker = marker;
  }

  static async open(): Promise<Bench> {
    const server = await startServer();
    await makePolicy(server, 'mistakes', ALLOW_ALL);
    return new Bench(server, await makeDevice(server, 'marker', 'mistakes'));
  }

  /** Leaves a record of an owner that names the number, so that no bound on strangers leaves it out. */
  async mark(n: number): Promise<void> {
    using connection = await DeviceConnection.admitted(this.server, 5, `mark-${n}`, this.marker);
    connection.publish('$mark', '');
    await connection.next();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

// Two, in turn: ten refusals of an account in a second are explained, and real clients can be faster than that.
let benches: readonly Bench[] = [];
before(async () => {
  benches = await Promise.all([Bench.open(), Bench.open()]);
});
after(() => Promise.all(benches.map((bench) => bench[Symbol.asyncDispose]())));

/** Lines with the number of the mistake that they belong to: a mark ends those of its number, and the next one is `every` further. */
function linesOf(text: string, first: number, every: number): { n: number; line: string }[] {
  let n = first;
  return text.split('\n').flatMap((line) => {
    const mark = / client mark-(\d+) /.exec(line)?.[1];
    if (mark === undefined) return [{ n, line }];
    n = Number(mark) + every;
    return [];
  });
}

describe('made with a real client, and found', () => {
  test('all', async (t) => {
    const ofBench = await Promise.all(
      benches.map(async ({ server }) => mistakesOf({ server, device: await makeDevice(server, 'device', 'mistakes') })),
    );
    const [mistakes = []] = ofBench;
    const found = new Map<number, { n: number; line: string }[]>();
    // What is recorded between two marks belongs to the mistake between them.
    for (const n of mistakes.keys()) {
      const at = n % benches.length;
      await ofBench[at]?.[n]?.make(`mistake-${n}`);
      await benches[at]?.mark(n);
    }
    for (const [at, { server }] of benches.entries()) {
      const { stdout } = await thingkeep(['refusals', '--data-dir', server.dataDir, '--limit', '1000']);
      for (const each of linesOf(stdout, at, benches.length)) found.set(each.n, [...(found.get(each.n) ?? []), each]);
    }
    for (const [n, { name, words }] of mistakes.entries())
      await t.test(name, () => {
        assert.match((found.get(n) ?? []).map(({ line }) => line).join('\n'), words);
      });
  });
});
