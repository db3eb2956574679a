/**
 * Every flow of the table with every client, over each of its transports and versions: one server, topics and client ids of
 * their own. A flow that a client can't express is named with the reason.
 */
// needs: paho mosquitto-clients
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ALLOW_ALL, arn, type Device, makeDevice, makePolicy, type Statement } from '../devices.ts';
import { startServer, type TestServer } from '../test-core.ts';
import type { Driver, Driving, Place } from './client.ts';
import { DRIVERS } from './drivers.ts';
import type { Flow } from './flow.ts';
import { FLOWS } from './table.ts';

const DENIED: Statement = {
  Effect: 'Deny',
  Action: ['iot:Publish', 'iot:Subscribe'],
  Resource: [arn('topic/denied/*'), arn('topicfilter/denied/*')],
};

let server: TestServer;
let device: Device;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'flows', [...ALLOW_ALL, DENIED]);
  device = await makeDevice(server, 'device', 'flows');
});
after(() => server[Symbol.asyncDispose]());

const place = (): Place => ({ server, device });
const nameOf = ({ name, level, transport }: Driver): string => `${name}, MQTT ${level === 4 ? '3.1.1' : '5'}, ${transport}`;
const isFor = ({ level }: Flow, driver: Driver): boolean => level === undefined || level === driver.level;

let runs = 0;
function runFlow({ run }: Flow, { level, transport }: Driver, driving: Driving): Promise<void> {
  runs += 1;
  const own = `flow-${runs}`;
  return run({
    level,
    transport,
    own,
    driving,
    connect: (name, options = {}) => driving.connect({ clientId: `${own}-${name}`, ...options }),
  });
}

/** Clients at a time. Some wait for seconds until they ping. */
const CLIENTS = 4;

suite('each client', { concurrency: CLIENTS }, () => {
  for (const driver of DRIVERS)
    suite(nameOf(driver), { concurrency: true }, () => {
      let driving: Driving;
      before(async () => {
        driving = await driver.open(place());
      });
      after(() => driving[Symbol.asyncDispose]());
      for (const flow of FLOWS)
        if (isFor(flow, driver) && driver.cannot[flow.name] === undefined)
          test(`${flow.name} (${flow.source})`, () => runFlow(flow, driver, driving));
    });
});

test('what a client can not express is a flow of the table, and said in words', () => {
  const names = new Set(FLOWS.map(({ name }) => name));
  for (const driver of DRIVERS)
    for (const [name, reason] of Object.entries(driver.cannot)) {
      assert.ok(names.has(name), `${nameOf(driver)}: no flow is called ${name}`);
      assert.match(reason, /\w+ \w+/);
    }
});
