/**
 * A function that tries to get out, in Python and in Node.js: to the server and its data, to other functions and processes, to
 * services of this machine, and past its share of memory, processes and files. The server serves on, and starts again.
 */
// needs: bubblewrap root system-python3
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { type Invoked, TestFunctions } from './functions.ts';
import { PYTHON } from './hostile-functions.ts';
import { NODE } from './hostile-node.ts';
import { run } from './run-command.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const ORDINARY = 60_300;
const SECRET = `secret-of-${process.pid}`;

/** Runs beside the server: on the loopback address, on a name without a file, and as the user that functions run as. */
class Machine implements AsyncDisposable {
  readonly port: number;
  readonly folder = temporaryFolder();
  readonly #servers: readonly Server[];
  connections = 0;

  private constructor(servers: readonly Server[], port: number) {
    this.#servers = servers;
    this.port = port;
    // Of others, with every right that modes can give.
    chmodSync(this.folder, 0o777);
    writeFileSync(join(this.folder, 'secret'), SECRET, { mode: 0o666 });
    for (const server of servers) server.on('connection', () => (this.connections += 1));
  }

  static async start(): Promise<Machine> {
    const servers = [createServer((socket) => socket.end(SECRET)), createServer((socket) => socket.end(SECRET))];
    const [tcp, abstract] = servers;
    await new Promise<void>((resolve) => tcp?.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => abstract?.listen(`\0thingkeep-test-${process.pid}`, resolve));
    const address = tcp?.address();
    return new Machine(servers, typeof address === 'object' && address !== null ? address.port : 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close();
    rmSync(this.folder, { recursive: true });
  }
}

let machine: Machine;
before(async () => {
  machine = await Machine.start();
});
after(() => machine[Symbol.asyncDispose]());

const WAYS = {
  python: [
    ...['heap', 'anonymous', 'shared', 'zero', 'dropped', 'file', 'shm', 'deleted', 'memfd', 'sysv', 'forks', 'thread-forks'],
    ...['double-fork', 'hops', 'hops-alone', 'unmapped', 'unmapped-zero', 'undumpable', 'tables', 'sockets'],
  ],
  node: ['heap', 'buffers', 'file', 'workers'],
} as const;

/** What a way came to: how many bytes the function said that it held at last. */
const MOST = 300_000_000;

function refused({ error, answer }: Invoked, way: string): void {
  // It was ended; or it was told that it may not, and says how far it came.
  if (error !== undefined) {
    assert.match(JSON.stringify(answer), /killed|exit|ENOSPC|heap|memory|timed out|not permitted/i, way);
    return;
  }
  assert.ok(typeof answer === 'number' && answer < MOST, `${way} came to ${JSON.stringify(answer)}`);
}

for (const [kind, options] of [
  ['a server that root started', {}],
  ['a server of an ordinary user', { user: ORDINARY }],
] as const)
  describe(kind, () => {
    let server: TestServer;
    let functions: TestFunctions;
    before(async () => {
      server = await startServer(options);
      functions = new TestFunctions(server);
      await functions.python('python', PYTHON, { Timeout: 8 });
      await functions.node('node', NODE, { Timeout: 8 });
      await functions.python('neighbour', 'def handler(event, context):\n    return 1\n');
      await functions.python('victim', VICTIM, { Environment: { Variables: { SECRET } } });
      await functions.invoke('victim');
    });
    after(async () => {
      functions[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    });

    const event = (way: string): object => ({
      way,
      data: server.dataDir,
      server: server.pid,
      parent: process.pid,
      secret: SECRET,
      folder: machine.folder,
      port: machine.port,
      abstract: `thingkeep-test-${process.pid}`,
      api: server.ports.api,
      mqtt: server.ports.mqtt,
    });
    const servesOn = async (way: string): Promise<void> => {
      const health = await fetch(`${server.url}/health`);
      assert.equal(health.status, 200, way);
    };

    for (const name of ['python', 'node'] as const)
      test(`${name}: nothing of others is in reach`, async () => {
        const { answer, log } = await functions.invoke(name, event('reach'));
        assert.deepEqual(answer, [], log);
        assert.equal(machine.connections, 0, 'no service of this machine was reached');
        await servesOn('reach');
      });

    for (const name of ['python', 'node'] as const)
      test(`${name}: 700 MiB, by ${WAYS[name].join(', ')}`, async () => {
        for (const way of WAYS[name]) {
          refused(await functions.invoke(name, event(way)), way);
          await until(`what ${way} held is given back`, () => (held() < MOST ? true : undefined));
          await servesOn(way);
        }
        assert.equal((await functions.invoke('neighbour')).answer, 1);
      });

    test('10,000 processes, deep folders, a full tmp, 2,000,000 files, signals to all', async () => {
      for (const way of ['processes', 'deep', 'full', 'files', 'signals']) {
        const { error, answer } = await functions.invoke('python', event(way));
        if (error === undefined) assert.equal(answer, 'refused', way);
        else assert.match(JSON.stringify(answer), /killed|exit|timed out/, way);
        await servesOn(way);
        assert.equal((await functions.invoke('neighbour')).answer, 1, way);
      }
    });

    test('a handler that blocks its event loop reaches the API', async () => {
      assert.equal((await functions.invoke('node', event('blocks'))).answer, 'ok');
      assert.equal((await functions.invoke('python', event('health'))).answer, 'ok');
    });

    test('nothing of a function is in the process list of this machine, or left when it ends', async () => {
      const running = processes().filter(({ command }) => command.includes('/var/runtime/bootstrap.py'));
      assert.ok(running.length > 0);
      assert.ok(running.every(({ command, uid }) => !command.includes(SECRET) && uid !== 0));
      assert.ok(processes().every(({ command }) => !command.includes(SECRET)));
      await functions.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'victim', Description: 'changed' }));
    });
  });

const VICTIM = `
import os
def handler(event, context):
    for folder in ['/tmp', '/dev/shm']:
        open(folder + '/secret', 'w').write(os.environ['SECRET'])
`;

interface Running {
  readonly uid: number;
  readonly command: string;
}
function processes(): Running[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const [, uid = ''] = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return [{ uid: Number(uid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
    } catch {
      return [];
    }
  });
}

/** Bytes that are in memory without a file, of everybody: what a function holds beyond its processes is among them. */
const start = shared();
function shared(): number {
  return Number(/^Shmem:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;
}
const held = (): number => shared() - start;

test('a server that was killed leaves no process of a function, and starts again whatever was left', async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir });
  const its = new TestFunctions(first);
  const name = `left-by-${process.pid}`;
  await its.python(
    'left',
    `import os\ndef handler(event, context):\n    if os.fork() == 0:\n        os.execv('/bin/sleep', ['${name}', '600'])\n`,
  );
  await its.invoke('left');
  const runs = (): boolean => processes().some(({ command }) => command.startsWith(`${name}\0`));
  await until('it runs', () => (runs() ? true : undefined));
  await first.signal('SIGKILL');
  await until('it ended with the server', () => (runs() ? undefined : true));
  its[Symbol.dispose]();
  // 60 folders of 255 characters: longer than any path may be.
  const left = readFileSync(join(dataDir, 'functions', 'sandbox'), 'utf8');
  const cwd = process.cwd();
  process.chdir(left);
  for (let depth = 0; depth < 60; depth += 1) {
    mkdirSync('d'.repeat(255));
    process.chdir('d'.repeat(255));
  }
  process.chdir(cwd);
  try {
    await using second = await startServer({ dataDir });
    using again = new TestFunctions(second);
    assert.equal((await again.invoke('left')).error, undefined);
  } finally {
    rmSync(dataDir, { recursive: true });
    // By its own way down: the path is too long for any other.
    await run('rm', ['-rf', left]);
  }
});
