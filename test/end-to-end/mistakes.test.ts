/** Each mistake of mistakes.ts leaves a line that `thingkeep refusals` shows, in words that say what to do. */
// needs: openssl mosquitto-clients curl aws
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { mistakesOf } from './mistakes.ts';
import { startServer, type TestServer, thingkeep } from './test-core.ts';

let server: TestServer;
let marker: Device;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'mistakes', ALLOW_ALL);
  marker = await makeDevice(server, 'marker', 'mistakes');
});
after(() => server[Symbol.asyncDispose]());

/** Leaves a record of an owner that names the number, so that no bound on strangers leaves it out. */
async function mark(n: number): Promise<void> {
  using connection = await DeviceConnection.admitted(server, 5, `mark-${n}`, marker);
  connection.publish('$mark', '');
  await connection.next();
}

/** Lines with the number of the mistake that they belong to: a mark ends those of its number. */
function linesOf(text: string): { n: number; line: string }[] {
  let n = 0;
  return text.split('\n').flatMap((line) => {
    const mark = / client mark-(\d+) /.exec(line)?.[1];
    if (mark === undefined) return [{ n, line }];
    n = Number(mark) + 1;
    return [];
  });
}

describe('made with a real client, and found', () => {
  test('all', async (t) => {
    const mistakes = mistakesOf({ server, device: await makeDevice(server, 'device', 'mistakes') });
    // What is recorded between two marks belongs to the mistake between them.
    for (const [n, { make }] of mistakes.entries()) {
      await make(`mistake-${n}`);
      await mark(n);
    }
    const { stdout } = await thingkeep(['refusals', '--data-dir', server.dataDir, '--limit', '1000']);
    const found = Map.groupBy(linesOf(stdout), ({ n }) => n);
    for (const [n, { name, words }] of mistakes.entries())
      await t.test(name, () => {
        assert.match((found.get(n) ?? []).map(({ line }) => line).join('\n'), words);
      });
  });
});
