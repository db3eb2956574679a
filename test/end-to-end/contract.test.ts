/**
 * What the server promises to whoever starts it: flags, environment and config file, one clear line when it can't
 * start, the ready line, the files it leaves, and a goodbye in order.
 */
// needs: aws
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { DescribeEndpointCommand } from '@aws-sdk/client-iot';
import { aws, awsKnowsEndpointVariable } from './aws-command.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { plainEnvironment, run, succeed } from './run-command.ts';
import { FREE_PORTS, MAIN, startServer, temporaryFolder, type TestServer, thingkeep } from './test-core.ts';
import { until, within } from './until.ts';

/** Everything below a folder, as paths relative to it. */
const filesOf = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];

/** `thingkeep start` that must not start: one line on standard error, nothing on standard output. */
async function refusedStart(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ line: string; code: number | null }> {
  const { code, stdout, stderr } = await thingkeep(['start', ...args], env);
  assert.notEqual(code, 0);
  assert.notEqual(code, null, 'ends by itself');
  assert.equal(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines.length, 1, stderr);
  assert.match(stderr, /^thingkeep: \S/);
  return { line: stderr.trimEnd(), code };
}

describe('a start that is not possible says why in one line', () => {
  let folder = '';
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);

  for (const [what, args, expected] of [
    ['an unknown flag', ['--colour', 'blue'], /unknown argument --colour/],
    ['an argument without dashes', ['now'], /unknown argument now/],
    ['a flag without its value', ['--region'], /--region needs a value/],
    ['a flag in the place of a value', ['--region', '--bind'], /--region needs a value/],
    ['a flag twice', ['--region', 'us-east-1', '--region', 'us-west-2'], /--region is given twice/],
    ['a port beyond the last', ['--api-port', '65536'], /--api-port: 65536 is not a port/],
    ['a port that is no number', ['--mqtt-port', 'mqtt'], /--mqtt-port: mqtt is not a port/],
    ['a negative port', ['--https-port', '-1'], /--https-port: -1 is not a port/],
    ['two listeners on one port', ['--api-port', '4000', '--mqtt-port', '4000'], /must differ/],
    ['a region that is none', ['--region', 'Mars'], /--region: "Mars" is not a region/],
    ['an account id of the wrong length', ['--account-id', '12'], /--account-id: "12" is not an account id/],
    ['a bind address that is none', ['--bind', 'anywhere!'], /--bind: "anywhere!" is not an IP address/],
    ['a host name that is none', ['--endpoint', 'a b'], /--endpoint: "a b" is not a host name/],
    ['a log level that is none', ['--log-level', 'loud'], /--log-level: loud is none of/],
    [
      'a config file that is not there',
      ['--config', '/nowhere/thingkeep.json'],
      /config file \/nowhere\/thingkeep.json can't be read/,
    ],
    ['a server certificate without its key', ['--server-certificate', '/nowhere/cert.pem'], /come together/],
    [
      'a server certificate that is not there',
      ['--server-certificate', '/nowhere/c.pem', '--server-key', '/nowhere/k.pem'],
      /\/nowhere\/c\.pem/,
    ],
  ] as const)
    test(what, async () => {
      const dataDir = at(what.replaceAll(' ', '-'));
      const ports = args.some((arg) => arg.endsWith('-port')) ? [] : FREE_PORTS;
      const { line } = await refusedStart(['--data-dir', dataDir, ...ports, ...args]);
      assert.match(line, expected);
    });

  test('a wrong command line leaves no folder behind', async () => {
    const { code } = await refusedStart(['--data-dir', at('untouched'), '--colour', 'blue']);
    assert.equal(code, 2);
    assert.equal(existsSync(at('untouched')), false);
  });

  test('a wrong environment variable', async () => {
    assert.match((await refusedStart([], { THINGKEEP_MQTT_PORT: 'x' })).line, /THINGKEEP_MQTT_PORT: x is not a port/);
  });

  test('a config file with an unknown key, a wrong value, or no object', async () => {
    const config = at('config.json');
    for (const [text, expected] of [
      ['{"colour":"blue"}', /unknown key colour/],
      ['{"api-port":"x"}', /config key api-port: x is not a port/],
      ['{"api-port":{}}', /api-port is not a text, number or truth value/],
      ['[]', /is not a JSON object/],
      ['{', /can't be read/],
      ['{"__proto__":{"x":1},"constructor":1}', /unknown key/],
    ] as const) {
      writeFileSync(config, text);
      assert.match((await refusedStart(['--config', config])).line, expected);
    }
  });

  test('a data folder that is a file, or below a file', async () => {
    writeFileSync(at('file'), 'mine');
    assert.match((await refusedStart(['--data-dir', at('file'), ...FREE_PORTS])).line, /data folder .*file is not a folder/);
    assert.match(
      (await refusedStart(['--data-dir', at('file/below'), ...FREE_PORTS])).line,
      /data folder .*below is not a folder/,
    );
    assert.equal(readFileSync(at('file'), 'utf8'), 'mine');
  });

  test('a data folder that may not be written to', async () => {
    // Permissions do not bind root; what the kernel keeps for itself does.
    const dataDir = process.getuid?.() === 0 ? '/proc/thingkeep' : at('closed');
    if (dataDir !== '/proc/thingkeep') {
      mkdirSync(dataDir);
      chmodSync(dataDir, 0o500);
    }
    assert.match((await refusedStart(['--data-dir', dataDir, ...FREE_PORTS])).line, /data folder .* can't be written to/);
  });

  test('a data file of a newer Thingkeep, which stays as it was', async () => {
    const dataDir = at('newer');
    mkdirSync(dataDir, { mode: 0o700 });
    const db = new DatabaseSync(join(dataDir, 'thingkeep.db'));
    db.exec('CREATE TABLE later (x); PRAGMA user_version = 4711');
    db.close();
    const was = readFileSync(join(dataDir, 'thingkeep.db'));
    assert.match((await refusedStart(['--data-dir', dataDir, ...FREE_PORTS])).line, /written by a newer Thingkeep/);
    const now = new DatabaseSync(join(dataDir, 'thingkeep.db'));
    assert.equal(now.prepare('PRAGMA user_version').get()?.user_version, 4711);
    now.close();
    assert.ok(was.length > 0);
    assert.deepEqual(
      filesOf(dataDir).filter((name) => !name.startsWith('thingkeep.db')),
      [],
      'no keys for a server that did not start',
    );
  });

  test('a data file that is damaged, which stays as it was', async () => {
    const dataDir = at('damaged');
    mkdirSync(dataDir, { mode: 0o700 });
    writeFileSync(join(dataDir, 'thingkeep.db'), 'this is no database'.repeat(400));
    assert.match((await refusedStart(['--data-dir', dataDir, ...FREE_PORTS])).line, /data file .* is damaged/);
    assert.equal(readFileSync(join(dataDir, 'thingkeep.db'), 'utf8'), 'this is no database'.repeat(400));
  });

  test('a credentials file that can not be read as one', async () => {
    const dataDir = at('credentials');
    mkdirSync(dataDir, { mode: 0o700 });
    writeFileSync(join(dataDir, 'credentials'), 'secret\n');
    const { line } = await refusedStart(['--data-dir', dataDir, ...FREE_PORTS]);
    assert.match(line, /credentials file .* neither a profile nor a setting/);
    assert.doesNotMatch(line, /secret\b/);
  });

  for (const port of ['api', 'mqtt', 'https'] as const)
    test(`the ${port} port is in use`, async () => {
      await using holder = createServer();
      await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
      const { port: taken } = holder.address() as { port: number };
      const rest = FREE_PORTS.flatMap((arg, i) => (i % 2 === 0 && arg !== `--${port}-port` ? [arg, '0'] : []));
      const { line } = await refusedStart(['--data-dir', at(`taken-${port}`), ...rest, `--${port}-port`, String(taken)]);
      assert.match(line, new RegExp(`\\(--${port}-port\\): port ${taken} on 127.0.0.1 is in use`));
      assert.equal(existsSync(join(at(`taken-${port}`), 'server.json')), false, 'no server claims to run');
    });

  test('env and refusals without a running server', async () => {
    for (const command of ['env', 'refusals']) {
      const { code, stdout, stderr } = await thingkeep([command, '--data-dir', at('empty')]);
      assert.notEqual(code, 0);
      assert.equal(stdout, '');
      assert.match(stderr, /^thingkeep: no server runs on data folder .*\n$/);
    }
  });
});

test('help names every flag, and an unknown command is refused', async () => {
  for (const args of [['--help'], ['help'], ['start', '--help'], ['help', 'start'], []]) {
    const { code, stdout } = await thingkeep(args);
    assert.equal(code, 0, args.join(' '));
    for (const flag of [
      'data-dir',
      'bind',
      'api-port',
      'mqtt-port',
      'https-port',
      'endpoint',
      'region',
      'account-id',
      'rate-limits',
      'config',
    ])
      assert.ok(stdout.includes(`--${flag}`), `${args.join(' ')} tells of --${flag}`);
  }
  const { stdout: help } = await thingkeep(['help']);
  for (const line of help.split('\n').filter((each) => each.startsWith('  --')))
    assert.ok(/^ {2}--\S+( \S+)?$/.test(line) || line[28] === ' ', `a long flag has a line of its own: ${line}`);
  for (const args of [
    ['refusals', '-h'],
    ['help', 'refusals'],
  ]) {
    const { stdout } = await thingkeep(args);
    assert.match(stdout, /^ {2}thingkeep refusals .*--data-dir DIR/s);
    assert.doesNotMatch(stdout, /thingkeep accounts|--mqtt-port/);
  }
  assert.equal((await thingkeep(['help', 'dance'])).code, 2);
  const { code, stderr } = await thingkeep(['dance']);
  assert.equal(code, 2);
  assert.match(stderr, /^thingkeep: unknown command dance.*\n$/);
});

test('help of every command is text, and --version says both versions', async () => {
  const { stdout: help } = await thingkeep(['help']);
  const names = [...new Set([...help.matchAll(/^ {2}thingkeep ([a-z]+)/gm)].map(([, name = '']) => name))];
  assert.ok(names.length >= 8, names.join(' '));
  const outcomes = await Promise.all(names.map((name) => thingkeep([name, '--help'])));
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    assert.deepEqual([code, stderr], [0, ''], names[index]);
    assert.doesNotMatch(stdout, /\[object|undefined|NaN/, names[index]);
  }
  const { version } = JSON.parse(readFileSync(new URL('../../packages/server/package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  for (const args of [['--version'], ['-v'], ['version']])
    assert.equal((await thingkeep(args)).stdout, `thingkeep ${version} (Node.js ${process.version})\n`);
});

test('an older Node.js is told in one line, by the command, by what the package installs, and by npm start', async () => {
  const older = "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.19.0' })";
  const file = (name: string): string => fileURLToPath(new URL(`../../packages/server/src/${name}`, import.meta.url));
  for (const name of ['main.ts', 'launch.mjs', 'node-version.mjs']) {
    const { code, stdout, stderr } = await run(process.execPath, ['--import', older, file(name), 'start']);
    assert.deepEqual([code, stdout], [1, ''], name);
    assert.match(stderr, /^thingkeep: Node\.js 24 or newer is needed, and this is 20\.19\.0 \(\/\S+\)\. .*\n$/, name);
    assert.match(stderr, /There is one in (\/\S+\/node_modules\/\.bin): put it first, export PATH="\1:/, name);
  }
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const name of ['start', 'thingkeep'])
    assert.match(scripts[name] ?? '', /^node packages\/server\/src\/node-version\.mjs && /);
});

test('flags win over the environment, and it over the config file', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'thingkeep.json');
  writeFileSync(
    config,
    JSON.stringify({
      'api-port': 0,
      'mqtt-port': 0,
      'https-port': 0,
      region: 'eu-west-1',
      endpoint: 'file.test',
      'account-id': '111111111111',
    }),
  );
  const { promise, resolve } = Promise.withResolvers<string>();
  const { spawn } = await import('node:child_process');
  const child = spawn(
    process.execPath,
    [MAIN, 'start', `--config=${config}`, '--data-dir', join(folder, 'data'), '--region', 'ap-south-1'],
    {
      env: { ...plainEnvironment(), THINGKEEP_REGION: 'us-west-2', THINGKEEP_ENDPOINT: 'variable.test' },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const ended = new Promise<number | null>((resolveEnd) => child.once('close', resolveEnd));
  child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  try {
    const ready = await within('the ready line', promise, 30_000);
    assert.match(ready, / endpoint variable\.test /);
    const lines = (await thingkeep(['env', '--data-dir', join(folder, 'data')])).stdout;
    assert.match(lines, /^export AWS_REGION='ap-south-1'$/m);
    const identity = JSON.parse(
      await aws({ ...plainEnvironment(), ...exported(lines), AWS_CONFIG_FILE: '/dev/null' }, 'sts', 'get-caller-identity'),
    ) as { Account: string };
    assert.equal(identity.Account, '111111111111');
  } finally {
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    rmSync(folder, { recursive: true, force: true });
  }
});

const exported = (lines: string): Record<string, string> =>
  Object.fromEntries([...lines.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]));

describe('a server that runs', () => {
  let server: TestServer;
  let started = 0;
  before(async () => {
    const begin = performance.now();
    server = await startServer({ env: { THINGKEEP_SERVICE_HOST: '10.0.0.1' } });
    started = performance.now() - begin;
  });
  after(() => server[Symbol.asyncDispose]());

  test('is ready soon, and its ready line names every port', (t) => {
    t.diagnostic(`ready after ${Math.round(started)} ms`);
    assert.ok(started < 15_000);
    const { api, mqtt, https } = server.ports;
    assert.equal(new Set([api, mqtt, https, 0]).size, 4);
  });

  test('warns of a variable that begins like its own and means nothing to it', async () => {
    const line = await server.logged(({ event }) => event === 'unknown-variable');
    assert.equal(line.name, 'THINGKEEP_SERVICE_HOST');
  });

  test('answers GET /health and serves its root certificate', async () => {
    const health = await fetch(`${server.url}/health`);
    assert.equal(health.status, 200);
    const root = await fetch(`${server.url}/root-ca.pem`);
    assert.equal(await root.text(), readFileSync(server.rootCa, 'utf8'));
  });

  test('made a credentials file for the owner alone', () => {
    const path = join(server.dataDir, 'credentials');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(
      readFileSync(path, 'utf8'),
      /^\[default\]\naws_access_key_id = AKIA[A-Z2-7]{16}\naws_secret_access_key = [A-Za-z0-9+/]{40}\n$/,
    );
  });

  test('keeps every file but the root certificate private', () => {
    assert.equal(statSync(server.dataDir).mode & 0o777, 0o700);
    const open = filesOf(server.dataDir).filter((name) => (statSync(join(server.dataDir, name)).mode & 0o077) !== 0);
    assert.deepEqual(open, ['root-ca.pem']);
  });

  test('thingkeep env, evaluated by a shell, makes the plain aws command work', async () => {
    const command = awsKnowsEndpointVariable() ? 'aws' : 'aws --endpoint-url "$AWS_ENDPOINT_URL"';
    const script = `eval "$("$0" "$1" env --data-dir "$2")" && ${command} iot create-thing --thing-name from-the-shell --query thingName --output text`;
    const env = { ...plainEnvironment(), AWS_CONFIG_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' };
    assert.equal(await succeed('sh', ['-c', script, process.execPath, MAIN, server.dataDir], { env }), 'from-the-shell\n');
  });

  test('a second server on its folder is refused in one line, and the first goes on', async () => {
    const { line } = await refusedStart(['--data-dir', server.dataDir, ...FREE_PORTS]);
    assert.match(line, /is in use by another server/);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    assert.ok(existsSync(join(server.dataDir, 'server.json')), 'what env and refusals read is still there');
  });
});

test('SIGTERM says goodbye to devices (MQTT 5, reason 0x8B), answers what is under way, and exits 0', async () => {
  const server = await startServer();
  try {
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    using five = await DeviceConnection.admitted(server, 5, 'five', device);
    using three = await DeviceConnection.admitted(server, 4, 'three', device);
    const begin = performance.now();
    const code = server.signal('SIGTERM');
    const goodbye = await five.next();
    assert.equal(goodbye.cmd, 'disconnect');
    assert.equal('reasonCode' in goodbye ? goodbye.reasonCode : undefined, 0x8b);
    assert.equal((await five.next()).cmd, 'closed');
    assert.equal((await three.next()).cmd, 'closed');
    assert.equal(await code, 0);
    assert.ok(performance.now() - begin < 10_000);
    assert.equal(existsSync(join(server.dataDir, 'server.json')), false);
    await until('the end in the log', () => server.log.find(({ event }) => event === 'stopped'));
    await assert.rejects(server.iot.send(new DescribeEndpointCommand({})));
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

test('SIGTERM during idle connections and half-open requests still ends within 10 s', async () => {
  await using server = await startServer();
  const { connect } = await import('node:net');
  const half = connect(server.ports.api, '127.0.0.1');
  half.on('error', () => undefined);
  half.write('POST /things/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{');
  const silent = connect(server.ports.mqtt, '127.0.0.1');
  silent.on('error', () => undefined);
  const { connect: tlsConnect } = await import('node:tls');
  const ofDevice = tlsConnect({
    port: server.ports.https,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(server.rootCa),
  });
  ofDevice.on('error', () => undefined);
  await new Promise((resolve) => ofDevice.once('secureConnect', resolve));
  ofDevice.write('POST /topics/x HTTP/1.1\r\nHost: ');
  await fetch(`${server.url}/health`);
  const begin = performance.now();
  assert.equal(await server.signal('SIGTERM'), 0);
  assert.ok(performance.now() - begin < 10_000);
  for (const socket of [half, silent, ofDevice]) socket.destroy();
});

test('a server that was killed leaves its folder usable, and another starts on it', async () => {
  const folder = temporaryFolder();
  try {
    const first = await startServer({ dataDir: folder });
    const credentials = first.credentials();
    const root = readFileSync(first.rootCa, 'utf8');
    await first.signal('SIGKILL');
    await using second = await startServer({ dataDir: folder });
    assert.deepEqual(second.credentials(), credentials);
    assert.equal(readFileSync(second.rootCa, 'utf8'), root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
