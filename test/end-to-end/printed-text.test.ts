/**
 * What strangers and devices have chosen, as the operator's terminal shows it: a client id, a topic or a path moves no
 * cursor, forges no line and hides nothing, in `thingkeep refusals`, with `--json`, and in the log.
 */
// needs: openssl
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { selfSigned } from './certificates.ts';
import { DeviceConnection } from './device-connection.ts';
import { allow, arn, makeDevice, makePolicy } from './devices.ts';
import { startServer, thingkeep } from './test-core.ts';
import { until } from './until.ts';

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/u;
const FORGED = '2026-01-01T12:00:00.000Z  policy  client admin from 127.0.0.1: all is well';
/** Texts that a terminal or a reader of lines would take for something else. */
const CHOSEN = [
  `x\n${FORGED}`,
  `x\r${FORGED}`,
  '\u001b[2J\u001b[H\u001b]0;title\u0007',
  '\u009b2J',
  'a\u0008\u0008\u0008b',
  '\u007f',
  'a\u0085b',
  'a\u2028b\u2029c',
  'a\u202eb\u2066c\u2069',
  'a\u200bb\ufeff',
  'lamp from 10.0.0.1: fine',
];

test('client ids, topics and paths', async () => {
  await using server = await startServer({ args: ['--log-level', 'info'] });
  await makePolicy(server, 'narrow', [allow('iot:Connect', arn('client/*'))]);
  const device = await makeDevice(server, 'device', 'narrow');
  const stranger = await selfSigned('stranger');
  for (const text of CHOSEN) {
    // One whom nobody knows chooses a client id, one who may connect chooses a topic.
    (await DeviceConnection.connect(server, 5, text, stranger)).device[Symbol.dispose]();
    using known = await DeviceConnection.admitted(server, 5, 'device', device);
    known.publish(`t/${text}`, 'x', { qos: 1 });
    await known.next().catch(() => undefined);
  }
  const { port } = new URL(server.url);
  for (const path of ['/things/%1b%5b2J', '/things/a%0a2026', '/things/%e2%80%ae'])
    await new Promise<void>((resolve, reject) => {
      request({ port, path, method: 'GET', host: '127.0.0.1' }, (answer) => answer.resume().once('end', resolve))
        .once('error', reject)
        .end();
    });
  const shown = await until('the refusals', async () => {
    const { code, stdout } = await thingkeep(['refusals', '--limit', '1000', '--data-dir', server.dataDir]);
    assert.equal(code, 0);
    return stdout.split('\n').length > 2 * CHOSEN.length + 3 ? stdout : undefined;
  });
  const lines = shown.split('\n').slice(0, -1);
  for (const line of lines) {
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}[a-z-]+ {2}/);
    assert.doesNotMatch(line, UNSAFE);
    assert.ok(!line.startsWith(FORGED.slice(0, 24)));
  }
  const { stdout } = await thingkeep(['refusals', '--json', '--limit', '1000', '--data-dir', server.dataDir]);
  const records = stdout.split('\n').slice(0, -1);
  assert.equal(records.length, lines.length, 'a record is a line');
  for (const record of records) {
    assert.doesNotMatch(record, UNSAFE);
    assert.equal(typeof (JSON.parse(record) as { sequence: unknown }).sequence, 'number');
  }
  for (const line of server.lines) assert.doesNotMatch(line, UNSAFE);
});
