/** deploy/ansible: the role makes this machine a device of a running server, and changes nothing the second time. */
// needs: ansible aws openssl system-paho mosquitto-clients
// suite: long
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { mosquittoSub } from './mosquitto.ts';
import { run } from './run-command.ts';
import { startServer, temporaryFolder } from './test-core.ts';

const ROLES = fileURLToPath(new URL('../../deploy/ansible/', import.meta.url));
const { username } = userInfo();

test('a machine with a key of its own, a certificate, the root and an agent', async () => {
  await using server = await startServer();
  const folder = temporaryFolder();
  after(() => rmSync(folder, { recursive: true }));
  await makePolicy(server, 'devices', ALLOW_ALL);
  const listener = await makeDevice(server, 'listener', 'devices');
  const place = (name: string): string => join(folder, name);
  mkdirSync(place('units'));
  const settings = {
    endpoint: 'localhost',
    port: server.ports.mqtt,
    root_ca: server.rootCa,
    thing: 'lamp-1',
    policy: 'devices',
    endpoint_url: server.url,
    folder: place('device'),
    user: username,
    group: username,
    make_user: false,
    install_packages: false,
    units: place('units'),
    start: false,
  };
  const variables = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`thingkeep_device_${name}`, value]));
  writeFileSync(place('variables.json'), JSON.stringify(variables));
  writeFileSync(place('inventory'), '[devices]\nlocalhost ansible_connection=local ansible_become=false\n');
  const play = async (...more: string[]) =>
    run('ansible-playbook', ['-i', place('inventory'), '-e', `@${place('variables.json')}`, ...more, join(ROLES, 'device.yml')], {
      env: { ...server.env, ANSIBLE_ROLES_PATH: join(ROLES, 'roles'), ANSIBLE_NOCOLOR: '1', HOME: folder },
      cwd: folder,
      deadline: 180_000,
    });

  const first = await play();
  assert.equal(first.code, 0, first.stdout + first.stderr);
  const key = readFileSync(place('device/device.key'), 'utf8');
  const certificate = readFileSync(place('device/device.crt'), 'utf8');
  assert.equal(statSync(place('device/device.key')).mode & 0o777, 0o600);
  assert.equal(statSync(place('device')).mode & 0o777, 0o700);
  assert.equal(first.stdout.includes('PRIVATE KEY'), false);
  const unit = readFileSync(place('units/thingkeep-device.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/usr\/bin\/python3 \S+\/report\.py$/m);

  const second = await play();
  assert.match(second.stdout, /localhost +: ok=\d+ +changed=0 /, second.stdout + second.stderr);
  assert.equal(readFileSync(place('device/device.key'), 'utf8'), key);
  assert.equal(readFileSync(place('device/device.crt'), 'utf8'), certificate);

  const listening = await mosquittoSub(server, {
    cert: listener.cert,
    key: listener.key,
    clientId: 'listener',
    topic: 'things/lamp-1/report',
    version: 'mqttv311',
  });
  const environment = readFileSync(place('device/device.env'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('='));
  const sent = await run('/usr/bin/python3', [place('device/report.py'), '--once'], {
    env: { ...server.env, ...(Object.fromEntries(environment) as Record<string, string>) },
  });
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(await listening.message, /^things\/lamp-1\/report \{"time": \d+, "load": [\d.]+, "uptime": [\d.]+\}$/);

  const elsewhere = await play('-e', 'thingkeep_device_endpoint=127.0.0.2');
  assert.notEqual(elsewhere.code, 0);
  assert.match(elsewhere.stdout, /Shake hands with the server/);
});
