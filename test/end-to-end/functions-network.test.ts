/**
 * Where functions run: a machine without bubblewrap or pasta, one that lets bubblewrap do nothing, a network that is open, a
 * server that became another user, and one whose folders are closed to others.
 */
// needs: bubblewrap passt root system-python3
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { TestFunctions } from './functions.ts';
import { run } from './run-command.ts';
import { MAIN, startServer, temporaryFolder, thingkeep } from './test-core.ts';

const ONE = 'def handler(event, context):\n    return 1\n';
/** In mounts of its own: these programs of /usr/bin are not there. */
const without = (...programs: readonly string[]): readonly string[] => [
  ...['unshare', '--mount', '/bin/sh', '-c'],
  `set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
for name in ${programs.join(' ')}; do mknod "/mnt/upper/$name" c 0 0; done
mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work /usr/bin
exec "$@"`,
  'sh',
];

describe('functions are refused, with the reason,', () => {
  test('without bubblewrap', async () => {
    await using server = await startServer({ through: without('bwrap') });
    using functions = new TestFunctions(server);
    await assert.rejects(
      functions.python('f', ONE),
      /can not be run here: bubblewrap, .*is not installed .*the Debian package is bubblewrap/,
    );
  });

  test('where bubblewrap may make no namespaces', async () => {
    const inside = ['bwrap', '--dev-bind', '/', '/', '--unshare-user', '--disable-userns', '--uid', '60300', '--die-with-parent'];
    const dataDir = temporaryFolder();
    const server = await startServer({ dataDir, through: inside });
    using functions = new TestFunctions(server);
    await assert.rejects(
      functions.python('f', ONE),
      /can not be run here: bubblewrap may make no namespaces on this machine: bwrap: /,
    );
    await server.signal('SIGKILL');
    rmSync(readFileSync(join(dataDir, 'functions', 'sandbox'), 'utf8'), { recursive: true });
    rmSync(dataDir, { recursive: true });
  });

  test('and a start with an open network is, without pasta', async () => {
    const folder = temporaryFolder();
    const [program = '', ...args] = without('pasta');
    const command = [...args, process.execPath, MAIN, 'start', '--data-dir', folder, '--function-network', 'open'];
    const { code, stderr } = await run(program, command);
    rmSync(folder, { recursive: true });
    assert.deepEqual([code, stderr], [2, 'thingkeep: --function-network open needs pasta: install the Debian package passt\n']);
  });

  test('unless the operator allows them all rights, which the server says at every start', async () => {
    await using server = await startServer({ through: without('bwrap'), args: ['--allow-unconfined-functions'] });
    using functions = new TestFunctions(server);
    await functions.python('f', ONE);
    assert.equal((await functions.invoke('f')).answer, 1);
    assert.equal((await server.logged(({ event }) => event === 'functions-unconfined')).level, 40);
  });
});

/** A device for pasta that everybody may open, as on most machines. */
const TUN = `mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec "$@"`;
const CLOSED_TUN = TUN.replace('666', '600');
const pastas = async (): Promise<string[]> => (await run('pgrep', ['-x', 'pasta'])).stdout.split('\n').filter(Boolean);

test('an open network is refused where its device is closed to the user of functions, and no pasta stays', async () => {
  const before = new Set(await pastas());
  const server = await startServer({
    through: ['unshare', '--mount', '/bin/sh', '-c', CLOSED_TUN, 'sh'],
    args: ['--function-network', 'open'],
  });
  using functions = new TestFunctions(server);
  await assert.rejects(functions.node('f', 'export const handler = () => 1;\n'), /may not open \/dev\/net\/tun/);
  assert.equal(await server.stop(), 0);
  assert.deepEqual(
    (await pastas()).filter((pid) => !before.has(pid)),
    [],
  );
  rmSync(server.dataDir, { recursive: true });
});

const NET = `
import socket
def reach(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(2)
        try:
            one.connect(address)
            return one.recv(6).decode()
        except OSError as error:
            return type(error).__name__ if error.errno is None else socket.errno.errorcode[error.errno]
def handler(event, context):
    import os, urllib.request
    return {
        'the API': urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/health').status,
        'loopback': reach(('127.0.0.1', event['port'])),
        'link-local': reach(('169.254.169.254', 80)),
        'gateway': [reach((event['gateway'], event['port']))] if event['gateway'] else [],
        'interfaces': len(socket.if_nameindex()),
        'abstract': reach('\\0' + event['abstract'], socket.AF_UNIX),
    }
`;

test('an open network leads out, and neither to the loopback nor to link-local addresses of this machine', async (t) => {
  if (!existsSync('/dev/net/tun')) return t.skip('this machine has no /dev/net/tun');
  const through = ['unshare', '--mount', '/bin/sh', '-c', TUN, 'sh'];
  await using server = await startServer({ through, args: ['--function-network', 'open'] });
  using functions = new TestFunctions(server);
  const services = [createServer((socket) => socket.end('secret')), createServer((socket) => socket.end('secret'))];
  const name = `thingkeep-test-open-${process.pid}`;
  await new Promise<void>((resolve) => services[0]?.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => services[1]?.listen(`\0${name}`, resolve));
  const address = services[0]?.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const [, gateway = ''] = /^default via (\S+)/m.exec((await run('ip', ['route'])).stdout) ?? [];
  await functions.python('net', NET);
  const { answer, log } = await functions.invoke('net', { port, gateway, abstract: name });
  for (const service of services) service.close();
  const { gateway: towards, ...rest } = answer as { gateway: readonly string[] };
  assert.deepEqual(
    rest,
    { 'the API': 200, loopback: 'ECONNREFUSED', 'link-local': 'EHOSTUNREACH', interfaces: 2, abstract: 'ECONNREFUSED' },
    log,
  );
  assert.ok(!towards.includes('secret'), 'the gateway stands for nothing of this machine');
});

describe('--user', () => {
  const NAME = 'nobody';
  const UID = 65_534;

  test('hands the data folder over, and serves and runs functions as that user', async () => {
    const dataDir = temporaryFolder();
    const first = await startServer({ dataDir });
    assert.equal(await first.stop(), 0);
    assert.equal(statSync(join(dataDir, 'thingkeep.db')).uid, 0);
    // What a link leads to stays whose it is.
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'file'), '');
    symlinkSync(join(elsewhere, 'file'), join(dataDir, 'link'));
    try {
      await using server = await startServer({ dataDir, args: ['--user', NAME] });
      using functions = new TestFunctions(server);
      const status = (await run('cat', [`/proc/${server.pid}/status`])).stdout;
      assert.match(status, new RegExp(`^Uid:\\s+${UID}\\s+${UID}\\s+${UID}\\s+${UID}$`, 'm'));
      assert.match(status, /^CapEff:\s+0+$/m);
      assert.match(status, /^Groups:\s+65534 ?$/m);
      for (const name of ['', 'thingkeep.db', 'credentials', 'ca']) assert.equal(statSync(join(dataDir, name)).uid, UID, name);
      assert.equal(statSync(join(elsewhere, 'file')).uid, 0);
      await functions.python('f', ONE);
      await functions.python(
        'hungry',
        'def handler(event, context):\n    held = bytearray(b"x" * (400 << 20))\n    return len(held)\n',
      );
      assert.equal((await functions.invoke('f')).answer, 1);
      assert.match(JSON.stringify((await functions.invoke('hungry')).answer), /killed/);
    } finally {
      rmSync(dataDir, { recursive: true });
      rmSync(elsewhere, { recursive: true });
    }
  });

  test('opens ports that only root may, ahead', async () => {
    const port = 843;
    const dataDir = join(temporaryFolder(), 'new');
    chmodSync(join(dataDir, '..'), 0o755);
    await using server = await startServer({ dataDir, args: ['--user', NAME], env: {}, through: withPort(port) });
    assert.equal(server.ports.https, port);
    rmSync(join(dataDir, '..'), { recursive: true });
  });

  test('is refused for root, for who is not there, in a folder of somebody else, and without root', async () => {
    const folder = temporaryFolder();
    const say = async (user: string): Promise<string> =>
      (await thingkeep(['start', '--data-dir', folder, '--user', user])).stderr;
    assert.match(await say('root'), /is root itself/);
    assert.match(await say('nobody-of-this-name'), /no such account/);
    chownSync(folder, 60_301, 60_301);
    assert.match(await say(NAME), /belongs to neither root nor nobody/);
    const command = ['--reuid', '60301', '--regid', '60301', '--clear-groups', process.execPath, MAIN];
    const { stderr } = await run('setpriv', [...command, 'start', '--data-dir', folder, '--user', NAME]);
    assert.match(stderr, /only a server that root starts/);
    rmSync(folder, { recursive: true });
  });
});

/** The last of two flags would be refused: the shell takes the first away. */
const withPort = (port: number): readonly string[] => [
  ...[
    '/bin/sh',
    '-c',
    `for arg; do shift; case $arg in --https-port) set -- "$@" "$arg" ${port}; skip=1 ;; *) [ "$skip" = 1 ] && skip=0 || set -- "$@" "$arg" ;; esac; done; exec "$@"`,
  ],
  'sh',
];

test('a Python of its own runs functions where they may reach it, and they are refused where not', async () => {
  const folder = temporaryFolder();
  await run('/usr/bin/python3', ['-m', 'venv', '--without-pip', join(folder, 'own')]);
  const python = join(folder, 'own', 'bin', 'python3');
  const NODE = 'export const handler = async () => 1;';
  const PREFIX = 'import sys\ndef handler(event, context):\n    return sys.prefix\n';
  try {
    for (const user of [undefined, 60_300]) {
      chmodSync(folder, 0o755);
      const as = user === undefined ? {} : { user };
      await using open = await startServer({ ...as, args: ['--function-python', python] });
      using its = new TestFunctions(open);
      await its.python('f', PREFIX);
      assert.equal((await its.invoke('f')).answer, join(folder, 'own'));
      chmodSync(folder, 0o700);
      await using closed = await startServer({ ...as, args: ['--function-python', python] });
      using others = new TestFunctions(closed);
      await assert.rejects(others.python('f', PREFIX), /--function-python \S+: .*can't (be reached|reach what they need)/);
      await others.node('n', NODE);
      assert.equal((await others.invoke('n')).answer, 1, 'only functions of Python miss it');
    }
    await using none = await startServer({ args: ['--function-python', '/opt/none/bin/python3'] });
    using its = new TestFunctions(none);
    await assert.rejects(its.python('f', PREFIX), /--function-python \/opt\/none\/bin\/python3: .*ENOENT/);
    await its.node('n', NODE);
    assert.equal((await its.invoke('n')).answer, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a Node.js below a closed folder still runs functions of a server that stays root', async () => {
  const home = temporaryFolder();
  chmodSync(home, 0o700);
  mkdirSync(join(home, 'bin'));
  cpSync(process.execPath, join(home, 'bin', 'node'));
  try {
    await using server = await startServer({ through: ['/bin/sh', '-c', `shift; exec ${home}/bin/node "$@"`, 'sh'] });
    using functions = new TestFunctions(server);
    await functions.node('n', 'export const handler = async () => process.execPath;');
    assert.equal((await functions.invoke('n')).answer, '/var/lang/bin/node');
  } finally {
    rmSync(home, { recursive: true });
  }
});
