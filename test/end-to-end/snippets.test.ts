/** The snippets of docs/firmware.md do what the page says, as they stand: only the port is this server's. */
// needs: boto3 paho
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { pythonWith } from './python-command.ts';
import { succeed } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/firmware.md'), 'utf8');
const snippets = [...page.matchAll(/^\*\*([^\n*]+)\*\*[^\n]*\n\n```(js|python)\n(.*?)^```$/gms)].map(
  ([, client = '', language = '', code = '']) => ({ client, language, code }),
);

let server: TestServer;
let folder: string;
let watcher: DeviceConnection;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  const lamp = await makeDevice(server, 'lamp', 'all');
  folder = join(server.dataDir, 'snippets');
  mkdirSync(folder);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [from, to] of [
    [lamp.cert, 'device.crt'],
    [lamp.key, 'device.key'],
    [server.rootCa, 'root-ca.pem'],
  ] as const)
    copyFileSync(from, join(folder, to));
  watcher = await DeviceConnection.admitted(server, 5, 'watcher', lamp);
  watcher.subscribe('lamp/light');
  assert.equal((await watcher.next()).cmd, 'suback');
});
after(async () => {
  watcher[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

const withPort = (code: string): string =>
  code
    .replaceAll('8883', String(server.ports.mqtt))
    // The builder connects to port 8883 unless withPort names another.
    .replace(/^const client = new mqtt5/m, `builder.withPort(${server.ports.mqtt});\n$&`);

describe('each snippet publishes', () => {
  test('there are five', () => assert.equal(snippets.length, 5));

  for (const { client, language, code } of snippets)
    test(client, async () => {
      assert.ok(code.trim().split('\n').length <= 14, 'a snippet is short');
      const file = join(folder, language === 'js' ? 'snippet.mjs' : 'snippet.py');
      writeFileSync(file, withPort(code));
      const library = code.includes('paho') ? 'paho.mqtt.client' : 'boto3';
      await succeed(language === 'js' ? process.execPath : pythonWith(library), [file], { cwd: folder, env: server.env });
      const seen = await watcher.next();
      const [said] = /(?<=["'])from .+?(?=["'])/.exec(code) ?? [];
      assert.equal(seen.cmd === 'publish' && `${seen.topic} ${seen.payload}`, `lamp/light ${said}`);
    });
});
