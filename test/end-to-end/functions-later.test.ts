/**
 * Events for later: over a kill of the server, tried again by the clock, told to a destination (page
 * invocation-async-error-handling).
 */
// needs: bubblewrap root system-python3
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { TestFunctions } from './functions.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made;
};
after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

const SAYS = 'import time\ndef handler(event, context):\n    print("ran", event["n"])\n    time.sleep(event.get("s", 0))\n';

test('what was accepted runs after the server was killed', async () => {
  const dataDir = folder();
  const server = await startServer({ dataDir });
  {
    using functions = new TestFunctions(server);
    await functions.python('says', SAYS);
    // One is under way when the server is killed, the others have no process.
    await functions.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'says', ReservedConcurrentExecutions: 1 }));
    await functions.later('says', { n: 0, s: 600 });
    await functions.logged('says', 'ran 0');
    await functions.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'says', ReservedConcurrentExecutions: 0 }));
    for (let n = 1; n <= 20; n += 1) await functions.later('says', { n });
  }
  await server.signal('SIGKILL');
  await using again = await startServer({ dataDir });
  using functions = new TestFunctions(again);
  await functions.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'says', Timeout: 1 }));
  await functions.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'says', ReservedConcurrentExecutions: 5 }));
  for (let n = 0; n <= 20; n += 1) assert.ok((await functions.logged('says', `ran ${n}`)).length >= 1);
});

/** A server in this process, by a clock that the test moves. */
class MovedServer implements AsyncDisposable {
  shift = 0;
  readonly functions: TestFunctions;
  readonly core: Awaited<ReturnType<typeof openCore>>;

  private constructor(core: Awaited<ReturnType<typeof openCore>>, functions: TestFunctions) {
    this.core = core;
    this.functions = functions;
  }

  static async open(dataDir: string): Promise<MovedServer> {
    let moved: MovedServer | undefined;
    const shift = (): number => moved?.shift ?? 0;
    const clock = { now: () => Date.now() + shift(), monotonic: () => performance.now() + shift() };
    const ports = ['api-port', 'mqtt-port', 'https-port'].map((name) => [name, '0'] as const);
    const config = readConfig(new Map([['data-dir', dataDir], ...ports]), { settings: new Map(), unknown: [] });
    const data = openDataFolder(dataDir);
    const core = await openCore({ config, folder: data, clock, log: openLog('silent') });
    const [key] = readAccessKeys(data.credentials, config.accountId);
    assert(key !== undefined);
    const server = { url: `http://127.0.0.1:${core.ports.api}`, credentials: () => key } as unknown as TestServer;
    moved = new MovedServer(core, new TestFunctions(server));
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.functions[Symbol.dispose]();
    await this.core[Symbol.asyncDispose]();
  }
}

/** A role of functions that may invoke this function. */
async function makeRole({ functions }: MovedServer, RoleName: string, invokes: string): Promise<void> {
  const { endpoint, credentials } = functions.lambda.config;
  const iam = new IAMClient({ endpoint: endpoint ?? (() => assert.fail()), region: 'us-east-1', credentials, maxAttempts: 1 });
  const document = (statement: object): string =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const trust = document({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' });
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
  const Resource = `arn:aws:lambda:us-east-1:000000000000:function:${invokes}`;
  const PolicyDocument = document({ Action: 'lambda:InvokeFunction', Resource });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'invokes', PolicyDocument }));
  iam.destroy();
}

const FAILS = 'def handler(event, context):\n    print("tried")\n    raise ValueError("never")\n';

test('an event is tried three times, after one minute and two; then its destination hears of it', async () => {
  await using server = await MovedServer.open(folder());
  const { functions } = server;
  await makeRole(server, 'functions', 'hears');
  await functions.python('hears', 'import json\ndef handler(event, context):\n    print("heard", json.dumps(event))\n');
  await functions.python('fails', FAILS);
  const Destination = 'arn:aws:lambda:us-east-1:000000000000:function:hears';
  const config = { FunctionName: 'fails', DestinationConfig: { OnFailure: { Destination } } };
  await functions.lambda.send(new PutFunctionEventInvokeConfigCommand(config));
  await functions.later('fails', { a: 1 });
  await functions.logged('fails', 'tried', 1);
  // A client whose clock has not moved is refused once the server's is five minutes away: less than that in all.
  for (const [minutes, tries] of [
    [1, 2],
    [2, 3],
  ] as const) {
    server.shift += minutes * 60_000 + 1_000;
    await server.core.tick();
    await functions.logged('fails', 'tried', tries);
  }
  const [line = ''] = await functions.logged('hears', 'heard');
  const { requestContext, requestPayload, responsePayload } = JSON.parse(line.slice('heard '.length)) as Record<
    string,
    Record<string, unknown>
  >;
  assert.deepEqual([requestContext?.condition, requestContext?.approximateInvokeCount], ['RetriesExhausted', 3]);
  assert.deepEqual(requestPayload, { a: 1 });
  assert.equal(responsePayload?.errorType, 'ValueError');
  assert.equal((await functions.logged('fails', 'tried')).length, 3);
});

test("a destination hears nothing that the function's own role may not send it", async () => {
  await using server = await MovedServer.open(folder());
  const { functions } = server;
  await functions.python('hears', 'def handler(event, context):\n    print("heard of", event["requestPayload"])\n');
  const Destination = 'arn:aws:lambda:us-east-1:000000000000:function:hears';
  // The first with a role that IAM does not know, the second with one that lets it invoke another function.
  for (const [name, invokes] of [
    ['unknown', undefined],
    ['elsewhere', 'other'],
    ['allowed', 'hears'],
  ] as const) {
    if (invokes !== undefined) await makeRole(server, name, invokes);
    await functions.python(name, FAILS, { Role: `arn:aws:iam::000000000000:role/${name}` });
    const config = { FunctionName: name, MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination } } };
    await functions.lambda.send(new PutFunctionEventInvokeConfigCommand(config));
    await functions.later(name, name);
    await functions.logged(name, 'REPORT');
  }
  assert.deepEqual(await functions.logged('hears', 'heard of'), ['heard of allowed']);
});

test('an event that is too old is not run', async () => {
  await using server = await MovedServer.open(folder());
  const { functions } = server;
  await functions.python('late', SAYS);
  await functions.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'late', MaximumEventAgeInSeconds: 60 }));
  await functions.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'late', ReservedConcurrentExecutions: 0 }));
  await functions.later('late', { n: 1 });
  server.shift += 120_000;
  await functions.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'late', ReservedConcurrentExecutions: 1 }));
  await server.core.tick();
  await functions.later('late', { n: 2 });
  await functions.logged('late', 'ran 2');
  await assert.rejects(functions.logged('late', 'ran 1'), /not within/);
});
