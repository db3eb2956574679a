/** A bound on connections of several servers, with real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import {
  type LimitedConnections,
  connectionsWithin,
  limitConnections,
  openFileLimit,
  operatorShare,
} from './connection-limit.ts';
import { listen } from './listen.ts';
import { openLog } from './log.ts';

class Bench implements AsyncDisposable {
  now = 0;
  readonly lines: { event: string; open: number; turnedAway: number }[] = [];
  readonly servers: readonly Server[] = [createServer(), createServer()];
  limit: LimitedConnections | undefined;
  readonly #ports: number[] = [];
  readonly #sockets: Socket[] = [];

  /** Whether who comes to the second server counts elsewhere. */
  isApart = false;

  static async open(max: number, share = 0): Promise<Bench> {
    const bench = new Bench();
    const apart = { server: bench.servers[1] as Server, has: () => bench.isApart, share };
    const log = openLog('info', { write: (line: string) => void bench.lines.push(JSON.parse(line)) });
    bench.limit = limitConnections(bench.servers, { max, apart, clock: { now: () => 0, monotonic: () => bench.now }, log });
    for (const server of bench.servers) bench.#ports.push(await listen(server, '127.0.0.1', 0, 'test'));
    return bench;
  }

  /** A connection as the server has it; undefined when it was closed at once. */
  async comes(to = 0): Promise<{ peer: Socket; socket: Socket } | undefined> {
    const server = this.servers[to] as Server;
    const met = once(server, 'connection').then(([socket]) => socket as Socket);
    const peer = connect(this.#ports[to] as number, '127.0.0.1').on('error', () => undefined);
    this.#sockets.push(peer);
    const socket = await Promise.race([met, once(peer, 'close').then(() => undefined)]);
    return socket === undefined || socket.destroyed ? undefined : { peer, socket };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.servers) server.close();
  }
}

test('beyond the bound new connections are closed, whichever server they come to; a place that gets free is taken', async () => {
  await using bench = await Bench.open(3);
  const first = await bench.comes(0);
  assert.ok(first !== undefined && (await bench.comes(1)) !== undefined && (await bench.comes(0)) !== undefined);
  assert.equal(await bench.comes(0), undefined);
  assert.equal(await bench.comes(1), undefined);
  assert.equal(first.socket.destroyed, false);
  const gone = once(first.socket, 'close');
  first.socket.destroy();
  await gone;
  assert.ok((await bench.comes(1)) !== undefined);
  assert.equal(await bench.comes(1), undefined);
  assert.deepEqual(bench.limit?.figures, { open: 3, max: 3, turnedAway: 3 });
});

test('connections that are bounded elsewhere count for nothing, and come in when it is full', async () => {
  await using bench = await Bench.open(2);
  bench.isApart = true;
  const first = await bench.comes(1);
  assert.ok(first !== undefined && (await bench.comes(1)) !== undefined);
  assert.ok((await bench.comes(0)) !== undefined && (await bench.comes(0)) !== undefined);
  assert.equal(await bench.comes(0), undefined);
  assert.ok((await bench.comes(1)) !== undefined);
  bench.isApart = false;
  assert.equal(await bench.comes(1), undefined);
  const end = once(first.peer, 'close');
  bench.limit?.destroyAll();
  await end;
});

test('a share is kept for the second server: those of the first can not take it, and one that says nothing there makes way', async () => {
  await using bench = await Bench.open(4, 2);
  assert.ok((await bench.comes(0)) !== undefined && (await bench.comes(0)) !== undefined);
  assert.equal(await bench.comes(0), undefined);
  const silent = await bench.comes(1);
  const speaks = await bench.comes(1);
  assert.ok(silent !== undefined && speaks !== undefined);
  speaks.socket.resume();
  const heard = once(speaks.socket, 'data');
  speaks.peer.write('x');
  await heard;
  const ended = once(silent.peer, 'close');
  assert.ok((await bench.comes(1)) !== undefined);
  await ended;
  assert.equal(speaks.socket.destroyed, false);
});

test('a connection of the second server that becomes a device’s counts as one, as long as there is room for it', async () => {
  await using bench = await Bench.open(4, 2);
  const [one, two] = [await bench.comes(1), await bench.comes(1)];
  assert.ok((await bench.comes(0)) !== undefined && one !== undefined && two !== undefined);
  assert.equal(bench.limit?.becomesDevice(one.socket), true);
  assert.equal(bench.limit?.becomesDevice(two.socket), false);
  assert.equal(await bench.comes(0), undefined);
  const ends = [one, two].map(({ peer }) => once(peer, 'close'));
  bench.limit?.destroyAll();
  await Promise.all(ends);
});

test('one line a second says so, with how many there were', async () => {
  await using bench = await Bench.open(1);
  await bench.comes();
  for (let i = 0; i < 4; i += 1) await bench.comes();
  bench.now = 999;
  await bench.comes();
  bench.now = 1000;
  await bench.comes();
  assert.deepEqual(
    bench.lines.map(({ event, open, turnedAway }) => [event, open, turnedAway]),
    [
      ['connections-full', 1, 1],
      ['connections-full', 1, 5],
    ],
  );
});

test('an accept that fails ends nothing', async () => {
  await using bench = await Bench.open(5);
  for (let i = 0; i < 3; i += 1) bench.servers[0]?.emit('error', Object.assign(new RangeError('no files'), { code: 'EMFILE' }));
  assert.ok((await bench.comes()) !== undefined);
  assert.deepEqual(
    bench.lines.map(({ event }) => event),
    ['accept-failed'],
  );
});

test('a port that can not be opened is the business of whoever opens it', async () => {
  await using bench = await Bench.open(5);
  const [server] = bench.servers;
  server?.close();
  server?.emit('error', new RangeError('in use'));
  assert.deepEqual(bench.lines, []);
});

test('the limit of open files leaves a reserve', () => {
  assert.equal(connectionsWithin(20_000), 19_488);
  assert.equal(connectionsWithin(1024), 512);
  assert.equal(connectionsWithin(100), 50);
  assert.equal(connectionsWithin(undefined), Number.POSITIVE_INFINITY);
  assert.ok((openFileLimit() ?? 0) > 0);
});

test('all connections end at once when they are told to', async () => {
  await using bench = await Bench.open(5);
  const [one, two] = [await bench.comes(0), await bench.comes(1)];
  assert.ok(one !== undefined && two !== undefined);
  const ends = [one, two].map(({ peer }) => once(peer, 'close'));
  bench.limit?.destroyAll();
  await Promise.all(ends);
});

test('something is kept for operators wherever there are two connections or more', () => {
  assert.deepEqual([1, 2, 7, 8, 20, 512, 10_000, Number.POSITIVE_INFINITY].map(operatorShare), [0, 1, 1, 1, 2, 64, 64, 64]);
});
