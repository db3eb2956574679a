/**
 * Functions that mean harm: to the server through the way they are started, to those who end them, and to other functions
 * through what all of them share (docs/decisions/functions-bubblewrap.md).
 */
// needs: bubblewrap root system-python3
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { TestFunctions } from './functions.ts';
import { startServer, type TestServer } from './test-core.ts';

let server: TestServer;
let functions: TestFunctions;

before(async () => {
  server = await startServer();
  functions = new TestFunctions(server);
});
after(async () => {
  functions[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

const NOBODY = 60_300;
/** A shell runs what this variable expands to, before its script (bash(1), INVOCATION). */
const STARTS = (command: string): Record<string, string> => ({ BASH_ENV: `$(${command})`, ENV: `$(${command})` });
const LIMITS = `
import os, resource
def handler(event, context):
    return [resource.getrlimit(resource.RLIMIT_NPROC)[0], resource.getrlimit(resource.RLIMIT_FSIZE)[0], os.environ['BASH_ENV'], os.environ['PATH']]
`;

describe("a function's own variables", () => {
  test('count for its program alone, and not for what confines it: as root', async () => {
    const Variables = { BASH_ENV: '/dev/stdin', PATH: '/tmp/own', SHELLOPTS: 'noexec', IFS: 'x', OPTIND: 'no', each: 'e' };
    await functions.python('starts', LIMITS, { Environment: { Variables } });
    assert.deepEqual((await functions.invoke('starts')).answer, [512, 512 * 1024 * 1024, '/dev/stdin', '/tmp/own']);
  });

  test('and in namespaces', async () => {
    await using other = await startServer({ user: NOBODY });
    using its = new TestFunctions(other);
    const stolen = join(other.dataDir, 'stolen');
    const Variables = {
      ...STARTS(`cp ${other.dataDir}/credentials ${stolen}`),
      LD_PRELOAD: '/nowhere.so',
      TEXT: 'a "b" $c\n\'d\'',
    };
    await its.python('starts', 'import os\ndef handler(event, context):\n    return os.environ["TEXT"]\n', {
      Environment: { Variables },
    });
    assert.equal((await its.invoke('starts')).answer, Variables.TEXT);
    assert.ok(!readdirSync(other.dataDir).includes('stolen'), 'nothing was read as the server');
  });
});

test('connections that say nothing, and bodies that nobody waits for, keep no other function from its events', async () => {
  await functions.python('neighbour', 'def handler(event, context):\n    return 1\n');
  await functions.python(
    'flood',
    `
import json, os, select, socket
held = []
def handler(event, context):
    host, path = os.environ['AWS_LAMBDA_RUNTIME_API'].split('/')
    address = (host.split(':')[0], int(host.split(':')[1]))
    def ask(text):
        connection = socket.create_connection(address)
        connection.sendall(text.encode())
        held.append(connection)
        return connection
    if event['silent']:
        for _ in range(900):
            ask('')
        return 'silent'
    head = 'POST /%s/2018-06-01/runtime/invocation/%s/error HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 100\\r\\n\\r\\n '
    both = [ask(head % (path, context.aws_request_id)) for _ in range(2)]
    [refused], _, _ = select.select(both, [], [])
    both.remove(refused)
    said = [each.recv(12).decode() for each in (refused, ask(head % (path, 'not-under-way')))]
    both[0].sendall(json.dumps({'errorType': 'Said', 'errorMessage': ' '.join(said)}).ljust(99).encode())
    both[0].recv(12)
`,
  );
  assert.equal((await functions.invoke('flood', { silent: true })).answer, 'silent');
  assert.equal((await functions.invoke('neighbour')).answer, 1, 'its process starts beside the flood');
  const { answer } = await functions.invoke('flood', { silent: false });
  assert.deepEqual(answer, { errorType: 'Said', errorMessage: 'HTTP/1.1 400 HTTP/1.1 400' });
});

const HOARD = `
import os, socket, time, urllib.parse
held = []
def handler(event, context):
    url = urllib.parse.urlsplit(os.environ['AWS_ENDPOINT_URL'])
    for _ in range(100):
        try:
            connection = socket.create_connection((url.hostname, url.port), 5)
            connection.sendall(b'POST / HTTP/1.1\\r\\nHost: localhost\\r\\nX-Half: ')
            held.append(connection)
        except OSError:
            pass
    began = time.monotonic()
    if event.get('stay'):
        first = held[0]
        first.settimeout(30)
        try:
            while first.recv(4096):
                pass
        except OSError:
            pass
    return time.monotonic() - began
`;
const ASK = `
import os, urllib.request
def handler(event, context):
    return urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/health', timeout=5).read().decode()
`;

test('half requests of functions take no connection of devices and operators, nor all of another function', async () => {
  await using small = await startServer({ args: ['--max-connections', '24'] });
  using its = new TestFunctions(small);
  await makePolicy(small, 'all', ALLOW_ALL);
  const device = await makeDevice(small, 'device', 'all');
  for (const name of ['one', 'two']) await its.python(name, HOARD, { Timeout: 60 });
  await its.python('three', ASK);
  for (const name of ['one', 'two']) assert.equal((await its.invoke(name)).error, undefined);
  for (let each = 0; each < 3; each += 1) (await DeviceConnection.admitted(small, 5, `d${each}`, device))[Symbol.dispose]();
  assert.equal((await its.invoke('three')).answer, '{"status":"ok"}\n');
  const line = small.log.find(({ event }) => event === 'connections-full');
  assert.equal(line, undefined, 'the bound on connections of others was never reached');
  const { answer } = await its.invoke('one', { stay: true });
  assert.ok(Number(answer) < 15, `a request whose head never ends is ended: ${String(answer)} s`);
});
