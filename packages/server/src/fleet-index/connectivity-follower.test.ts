/** States of connections are written in the end, and an end counts for the connection that has ended alone. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { ConnectionInfo } from '../broker/messaging.ts';
import { things } from '../registry/store.ts';
import type { Store } from '../store/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { caller, clockAt } from '../testing/operations-fixture.ts';
import { ConnectivityFollower } from './connectivity-follower.ts';
import { connectivity } from './store.ts';

const { accountId, region } = caller;
let store: Store;
let follower: ConnectivityFollower;
/** Writes that fail before one succeeds, and those that have failed. */
let [failing, failures] = [0, 0];

beforeEach(async (t) => {
  const memory = await openMemoryStore();
  store = memory;
  [failing, failures] = [0, 0];
  const flaky = {
    read: memory.read.bind(memory),
    write: (async (work) => {
      failing -= 1;
      if (failing >= 0) throw new Error('not now');
      return memory.write(work);
    }) as Store['write'],
    [Symbol.asyncDispose]: async () => undefined,
  };
  follower = new ConnectivityFollower({
    ...{ clock: clockAt(5000), inRegion: () => flaky, wantsConnectivity: () => true },
    log: { error: () => (failures += 1) },
  });
  const thing = { accountId, thingId: 'id', attributes: {}, version: 1, createdAt: 0 };
  await store.write(async (tx) => {
    for (const thingName of ['t', 'u']) await tx.put(things, { ...thing, thingName });
  });
  if ('after' in t) t.after(() => memory[Symbol.asyncDispose]());
});

const connection = (clientId: string, version: number, thingName?: string): ConnectionInfo => ({
  place: { region, accountId },
  ...{ clientId, version, thingName, sessionIdentifier: 's', principalId: 'p', sourceIp: '127.0.0.1' },
});

const stored = async (thingName: string) => {
  await follower.settled();
  const record = await store.read((tx) => tx.get(connectivity, [accountId, thingName]));
  return record && [record.connected, record.clientId, record.version];
};

/** Waits until a write has failed. */
const failed = async (n: number) => {
  while (failures < n) await new Promise((resolve) => setImmediate(resolve));
};

test('a state that could not be written is tried again a second later, unless a newer one has come', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  failing = 1;
  follower.connected(connection('t', 0));
  follower.connected(connection('u', 0));
  await failed(1);
  follower.disconnected(connection('u', 0), 'CLIENT_INITIATED_DISCONNECT');
  t.mock.timers.tick(1000);
  assert.deepEqual(await stored('t'), [true, 't', 0]);
  assert.deepEqual(await stored('u'), [false, 'u', 0]);
});

test('an end that comes while the beginning of a newer connection could not be written does not end it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  follower.connected(connection('t', 0));
  await follower.settled();
  failing = 1;
  follower.connected(connection('t', 1));
  await failed(1);
  follower.disconnected(connection('t', 0), 'DUPLICATE_CLIENTID');
  t.mock.timers.tick(1000);
  assert.deepEqual(await stored('t'), [true, 't', 1]);
});

test('the close of a follower writes what is left in one attempt', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  failing = 1;
  follower.connected(connection('t', 0));
  await failed(1);
  await follower.close();
  assert.deepEqual(await stored('t'), [true, 't', 0]);
  failing = Number.POSITIVE_INFINITY;
  follower.disconnected(connection('t', 0), 'CLIENT_ERROR');
  await follower.close();
  assert.deepEqual(await stored('t'), [true, 't', 0], 'what can not be written keeps no process');
});

test('page life-cycle-events: the end of a connection that a newer one has taken over leaves the thing connected', async () => {
  follower.connected(connection('t', 0));
  await follower.settled();
  follower.connected(connection('t', 1));
  follower.disconnected(connection('t', 0), 'DUPLICATE_CLIENTID');
  assert.deepEqual(await stored('t'), [true, 't', 1], 'in one write');
  follower.disconnected(connection('t', 0), 'DUPLICATE_CLIENTID');
  assert.deepEqual(await stored('t'), [true, 't', 1], 'in a later write');
  follower.disconnected(connection('t', 1), 'CLIENT_INITIATED_DISCONNECT');
  assert.deepEqual(await stored('t'), [false, 't', 1]);
});

test('a guest, as the holder of a temporary provisioning claim, connects no thing by its client id', async () => {
  follower.connected({ ...connection('t', 0), isGuest: true });
  assert.equal(await stored('t'), undefined);
  follower.connected(connection('t', 1));
  await follower.settled();
  follower.disconnected({ ...connection('t', 2), isGuest: true }, 'CLIENT_ERROR');
  assert.deepEqual(await stored('t'), [true, 't', 1]);
});

test('section 32: the end of the client with the name of a thing leaves the exclusive connection of another client', async () => {
  follower.connected(connection('t', 7));
  follower.connected(connection('client', 0, 't'));
  await follower.settled();
  follower.disconnected(connection('t', 7), 'CLIENT_ERROR');
  assert.deepEqual(await stored('t'), [true, 'client', 0]);
  follower.disconnected(connection('client', 0, 't'), 'CLIENT_ERROR');
  assert.deepEqual(await stored('t'), [false, 'client', 0]);
  follower.connected(connection('t', 0));
  assert.deepEqual(await stored('t'), [true, 't', 0], 'versions begin at 0 again after an hour');
});
