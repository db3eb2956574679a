/**
 * Hostile peers against the whole server, in its own process: malformed MQTT over mutual TLS and hostile HTTP, while a pair
 * of well-formed clients talks on. THINGKEEP_FUZZ_INPUTS=100000 for a run of that many MQTT inputs (when unset 10,000 in CI and
 * 4,000 elsewhere, which keeps the suite short: a handshake for nearly every input is what takes the time); THINGKEEP_FUZZ_SEED
 * for another seed.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ALLOW_ALL, makeDevice, makePolicy } from '../end-to-end/devices.ts';
import { startServer, type TestServer } from '../end-to-end/test-core.ts';
import { until, within } from '../end-to-end/until.ts';
import { fuzzHttp } from './http-fuzz.ts';
import { fuzzMqtt } from './mqtt-fuzz.ts';
import { metricsOf, watched } from './watch-server.ts';

const INPUTS = Number(process.env.THINGKEEP_FUZZ_INPUTS ?? (process.env.CI === undefined ? 4_000 : 10_000));
/**
 * Milliseconds that the server's event loop may be late. A run of its own is held to the promise of 200; among other tests,
 * which share its two processors, only what is far beyond can be told from their noise.
 */
const LATEST = process.env.THINGKEEP_FUZZ_INPUTS === undefined ? 1_000 : 200;
const SEED = Number(process.env.THINGKEEP_FUZZ_SEED ?? 20);
const MB = 1024 * 1024;

async function openServer(): Promise<{ server: TestServer; tls: ConnectionOptions }> {
  const server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  const { certPem, keyPem } = await makeDevice(server, 'device', 'all');
  return {
    server,
    tls: {
      host: '127.0.0.1',
      port: server.ports.mqtt,
      servername: 'localhost',
      ca: readFileSync(server.rootCa),
      cert: certPem,
      key: keyPem,
    },
  };
}

const faults = (server: TestServer): unknown[] => server.log.filter(({ level }) => Number(level) >= 50);

test(`${INPUTS} malformed MQTT inputs over mutual TLS and 10,000 hostile HTTP requests (seed ${SEED})`, {
  timeout: 900_000,
}, async (t) => {
  const { server: opened, tls } = await openServer();
  await using server = opened;
  const [{ result: mqtt, seen }, http] = [
    await watched(server, tls, () => fuzzMqtt({ tls, seed: SEED, inputs: INPUTS })),
    await watched(server, tls, () =>
      fuzzHttp({ host: '127.0.0.1', port: server.ports.api, seed: SEED, credentials: server.credentials() }),
    ),
  ];
  t.diagnostic(`MQTT: ${JSON.stringify(mqtt)} ${JSON.stringify(seen)}`);
  t.diagnostic(
    `HTTP: ${JSON.stringify([...http.result.statuses])} slowest ${Math.round(http.result.slowestMs)} ms ${JSON.stringify(http.seen)}`,
  );
  assert.equal(mqtt.failed, 0, 'every handshake was finished');
  assert.ok(mqtt.ended > mqtt.connections / 3);
  assert.deepEqual(http.result.failures, []);
  for (const { longestDelay, ownDelay, warm, most, roundTrips } of [seen, http.seen]) {
    assert.ok(roundTrips > 20);
    // On a machine that is busy with other things both processes wait; only the server's own share counts.
    assert.ok(longestDelay - ownDelay < LATEST, `the event loop was blocked for ${longestDelay} ms, here for ${ownDelay}`);
    // Garbage waits for its collector; what is kept of strangers would grow with their number.
    assert.ok(most <= 1.5 * warm + 64 * MB, `memory grew from ${warm} to ${most}`);
  }
  assert.deepEqual(faults(server), []);
});

test('500 sockets that announce 256 MiB, and 500 of plain garbage, cost at most 32 MiB and are closed at once', async (t) => {
  const { server: opened, tls } = await openServer();
  await using server = opened;
  const announce = async (): Promise<TLSSocket> => {
    const socket = connectTls(tls);
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  };
  // What five hundred handshakes cost a server that is cold is not the subject.
  for (let n = 0; n < 300; n += 1) (await announce()).destroy();
  await setTimeout(200);
  const sockets: TLSSocket[] = [];
  for (let n = 0; n < 500; n += 1) sockets.push(await announce());
  const before = (await metricsOf(server)).process_resident_memory_bytes ?? 0;
  const closed = sockets.map((socket) => {
    socket.resume();
    return once(socket, 'close');
  });
  const began = performance.now();
  for (const [n, socket] of sockets.entries()) {
    // Half of them a CONNECT, half another packet; all with as much of a body as the socket takes.
    socket.write(Buffer.concat([Buffer.of(n % 2 === 0 ? 0x10 : 0x30, 0xff, 0xff, 0xff, 0x7f), Buffer.alloc(16_384)]));
  }
  await within('the end of 500 sockets', Promise.all(closed), 5_000);
  const tookMs = performance.now() - began;
  const after = (await metricsOf(server)).process_resident_memory_bytes ?? 0;
  t.diagnostic(`${((after - before) / MB).toFixed(1)} MiB, closed within ${Math.round(tookMs)} ms`);
  assert.ok(after - before <= 32 * MB, `memory grew by ${after - before}`);
  assert.ok(tookMs < 2_000);

  const garbage = Array.from({ length: 500 }, (_, n) => {
    const socket = connectTcp(server.ports.mqtt, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(n % 2 === 0 ? Buffer.alloc(2_000, n) : Buffer.concat([Buffer.from('10ffffff7f', 'hex'), Buffer.alloc(2_000)]));
    return once(socket, 'close');
  });
  await within('the end of 500 sockets of garbage', Promise.all(garbage), 5_000);
  const last = (await metricsOf(server)).process_resident_memory_bytes ?? 0;
  assert.ok(last - before <= 32 * MB, `memory grew by ${last - before}`);
  const gone = await until('no connections', async () => {
    const { thingkeep_connections: connected, thingkeep_connections_waiting: waiting } = await metricsOf(server);
    return connected === 0 && waiting === 0 ? true : undefined;
  });
  assert.ok(gone);
  assert.deepEqual(faults(server), []);
});

test('sockets that say nothing, in the handshake or before CONNECT, are closed by the deadline of 10 seconds', {
  timeout: 30_000,
}, async () => {
  const { server: opened, tls } = await openServer();
  await using server = opened;
  const began = performance.now();
  const bare = Array.from({ length: 20 }, () => connectTcp(server.ports.mqtt, '127.0.0.1'));
  const shaken = Array.from({ length: 20 }, () => connectTls(tls));
  for (const socket of [...bare, ...shaken]) {
    socket.on('error', () => {});
    socket.resume();
  }
  await within('the deadline', Promise.all([...bare, ...shaken].map((socket) => once(socket, 'close'))), 14_000);
  assert.ok(performance.now() - began > 8_000);
});
