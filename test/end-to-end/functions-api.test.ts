/** Lambda's API with real clients: the aws command and boto3 (Lambda API reference; facts 3.6, 3.7). */
// needs: aws boto3 bubblewrap root system-python3
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zipOf, zipOfFiles } from '../../packages/server/src/functions/code/zip.fixture.ts';
import { aws, awsJson, awsOutcome } from './aws-command.ts';
import { ROLE, TestFunctions } from './functions.ts';
import { python } from './python-command.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';

const HANDLER = (says: string): string => `def handler(event, context):\n    print('said ${says}')\n    return '${says}'\n`;

let server: TestServer;
let functions: TestFunctions;
let folder: string;
const at = (name: string): string => join(folder, name);

before(async () => {
  folder = temporaryFolder();
  server = await startServer();
  functions = new TestFunctions(server);
  writeFileSync(at('first.zip'), zipOfFiles({ 'index.py': HANDLER('first') }));
  writeFileSync(at('second.zip'), zipOfFiles({ 'index.py': HANDLER('second') }));
});
after(async () => {
  functions[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('boto3: a function from its creation to its end', async () => {
  const seen = JSON.parse(await python('lambda_walk.py', 'boto3', server.env, at('first.zip'), at('second.zip'))) as unknown;
  assert.deepEqual(seen, {
    made: ['Active', 'Successful', '$LATEST', true],
    again: ['ResourceConflictException', 409],
    missing: ['ResourceNotFoundException', 404],
    first: [200, '$LATEST', '"first"'],
    version: '1',
    'same version': '1',
    updated: true,
    latest: [200, '$LATEST', '"second"'],
    live: [200, '1', '"first"'],
    'live by ARN': [200, '1', '"first"'],
    'live after': [200, '2', '"second"'],
    stale: ['PreconditionFailedException', 412],
    versions: ['$LATEST', '1', '2'],
    archive: true,
    dry: 204,
    event: 202,
    'not json': ['InvalidRequestContentException', 400],
    tail: true,
    twice: ['ResourceConflictException', 409],
    policy: { Service: 'iot.amazonaws.com' },
    'no policy': ['ResourceNotFoundException', 404],
    throttled: ['TooManyRequestsException', 429],
    'event config': [0, 60],
    tags: { b: '2' },
    account: 1,
    'in use': ['ResourceConflictException', 409],
    left: ['$LATEST', '2'],
    functions: [],
  });
});

test('the aws command: create, invoke, logs, update, delete', async () => {
  const { env } = server;
  const create = ['--runtime', 'python3.12', '--role', ROLE, '--handler', 'index.handler', '--timeout', '10'];
  const made = await awsJson<{ FunctionArn: string }>(
    env,
    ...['lambda', 'create-function', '--function-name', 'cli', '--zip-file', `fileb://${at('first.zip')}`, ...create],
  );
  assert.equal(made.FunctionArn, 'arn:aws:lambda:us-east-1:000000000000:function:cli');
  await aws(env, 'lambda', 'wait', 'function-active', '--function-name', 'cli');
  const invoked = await awsJson<{ StatusCode: number }>(env, 'lambda', 'invoke', '--function-name', 'cli', at('answer.json'));
  assert.equal(invoked.StatusCode, 200);
  assert.deepEqual(await functions.logged('cli', 'said first'), ['said first']);
  const groups = await aws(env, 'logs', 'describe-log-groups', '--query', 'logGroups[].logGroupName', '--output', 'text');
  assert.ok(groups.includes('/aws/lambda/cli'));
  await aws(env, 'lambda', 'update-function-code', '--function-name', 'cli', '--zip-file', `fileb://${at('second.zip')}`);
  await aws(env, 'lambda', 'invoke', '--function-name', 'cli', '--invocation-type', 'Event', at('answer.json'));
  assert.deepEqual(await functions.logged('cli', 'said second'), ['said second']);
  await aws(env, 'lambda', 'delete-function', '--function-name', 'cli');
  const gone = await awsOutcome({ env }, 'lambda', 'get-function', '--function-name', 'cli');
  assert.match(
    gone.stderr,
    /\(ResourceNotFoundException\) when calling the GetFunction operation: Function not found: arn:aws:lambda:us-east-1:000000000000:function:cli\n/,
  );
});

describe('refused with the code and words of Lambda', () => {
  const make = (more: Record<string, unknown>, ZipFile = zipOfFiles({ 'index.py': HANDLER('x') })) =>
    functions.python('refused', '', { Code: { ZipFile }, ...more });
  const cases: readonly (readonly [what: string, make: () => Promise<void>, code: string, words: RegExp])[] = [
    ['code in S3', () => make({ Code: { S3Bucket: 'bucket', S3Key: 'k' } }), 'InvalidParameterValueException', /no S3 here/],
    ['an image', () => make({ PackageType: 'Image' }), 'InvalidParameterValueException', /container images/],
    [
      'a language that is not here',
      () => make({ Runtime: 'java21' }),
      'InvalidParameterValueException',
      /java21 is not supported/,
    ],
    ['no language that there is', () => make({ Runtime: 'cobol' }), 'ValidationException', /failed to satisfy/],
    [
      'a layer',
      () => make({ Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:l:1'] }),
      'InvalidParameterValueException',
      /no layers/,
    ],
    ['too long a time', () => make({ Timeout: 901 }), 'ValidationException', /timeout/i],
    ['too little memory', () => make({ MemorySize: 64 }), 'ValidationException', /memory/i],
    ['too large a memory', () => make({ MemorySize: 10_241 }), 'InvalidParameterValueException', /10240/],
    [
      'names that are not its own',
      () => make({ Environment: { Variables: { AWS_REGION: 'x' } } }),
      'InvalidParameterValueException',
      /reserved keys.*AWS_REGION/,
    ],
    [
      'too large an environment',
      () => make({ Environment: { Variables: { AB: 'x'.repeat(4095) } } }),
      'InvalidParameterValueException',
      /4KB/,
    ],
    ['no archive', () => make({}, Buffer.from('none')), 'InvalidParameterValueException', /unzip/],
    [
      'a way up',
      () => make({}, zipOf([{ name: '../../etc/cron.d/x' }])),
      'InvalidParameterValueException',
      /relative path|leads elsewhere/,
    ],
    [
      'a link',
      () => make({}, zipOf([{ name: 'l', mode: 0o120777, content: '/' }])),
      'InvalidParameterValueException',
      /neither a file/,
    ],
    [
      'a bomb',
      () => make({}, zipOf([{ name: 'b', content: Buffer.alloc(30_000_000), claimedSize: 10 }])),
      'InvalidParameterValueException',
      /unzip/,
    ],
    [
      'another region',
      () => make({ FunctionName: 'arn:aws:lambda:eu-west-1:000000000000:function:f' }),
      'ResourceNotFoundException',
      /region/,
    ],
    [
      'another account',
      () => make({ FunctionName: 'arn:aws:lambda:us-east-1:111111111111:function:f' }),
      'ResourceNotFoundException',
      /not found/,
    ],
  ];
  for (const [what, work, code, words] of cases)
    test(what, () =>
      assert.rejects(work(), (error: Error & { Type?: string }) => {
        assert.deepEqual([error.name, error.Type], [code, 'User']);
        assert.match(error.message, words);
        return true;
      }),
    );
});

test('an archive of forty megabytes is taken; a stranger gets to send none', async () => {
  const { randomBytes } = await import('node:crypto');
  const ZipFile = zipOf([
    { name: 'index.py', content: HANDLER('large') },
    { name: 'data.bin', content: randomBytes(40 * 1024 * 1024) },
  ]);
  await functions.python('large', '', { Code: { ZipFile } });
  assert.equal((await functions.invoke('large')).answer, 'large');
  const answer = await fetch(`${server.url}/2015-03-31/functions`, {
    method: 'POST',
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AKIDNOBODY/20260101/us-east-1/lambda/aws4_request' },
    body: new Uint8Array(5 * 1024 * 1024),
  }).catch(() => undefined);
  assert.ok(answer === undefined || answer.status === 400 || answer.status === 403);
});

test('a link to the code of a function is of its maker alone', async () => {
  await functions.python('linked', HANDLER('x'));
  const { Code } = await awsJson<{ Code: { Location: string } }>(
    server.env,
    'lambda',
    'get-function',
    '--function-name',
    'linked',
  );
  assert.equal((await fetch(Code.Location)).status, 200);
  assert.equal((await fetch(Code.Location.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))).status, 403);
  assert.equal((await fetch(`${server.url}/functions/code`)).status, 403);
});
