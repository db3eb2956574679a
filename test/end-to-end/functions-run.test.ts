/**
 * Hosted functions as processes: Python and Node handlers in every shape, time and memory, and all that a function must not
 * reach (Lambda developer guide, pages python-handler, nodejs-handler, runtimes-api, configuration-envvars; facts 3.6).
 */
// needs: bubblewrap root system-python3
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { TestFunctions } from './functions.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

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

interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace?: readonly string[];
  readonly trace?: readonly string[];
}
const failure = async (name: string, event: unknown = {}): Promise<Failure> => {
  const { error, answer } = await functions.invoke(name, event);
  assert.equal(error, 'Unhandled');
  return answer as Failure;
};

describe('Python', () => {
  test('a handler gets the event and its context', async () => {
    await functions.python(
      'context',
      `
import os
def handler(event, context):
    names = ['function_name', 'function_version', 'invoked_function_arn', 'memory_limit_in_mb', 'log_group_name', 'identity', 'client_context']
    told = {name: getattr(context, name) for name in names}
    told['left'] = context.get_remaining_time_in_millis()
    told['id'] = context.aws_request_id
    told['event'] = event
    told['stream'] = context.log_stream_name
    return told
`,
    );
    const { answer } = await functions.invoke('context', { a: [1, 'é'] });
    const { left, id, stream, ...told } = answer as Record<string, unknown>;
    assert.deepEqual(told, {
      event: { a: [1, 'é'] },
      function_name: 'context',
      function_version: '$LATEST',
      invoked_function_arn: 'arn:aws:lambda:us-east-1:000000000000:function:context',
      memory_limit_in_mb: '128',
      log_group_name: '/aws/lambda/context',
      identity: null,
      client_context: null,
    });
    assert.ok(Number(left) > 5_000 && Number(left) <= 10_000);
    assert.match(String(id), /^[\da-f-]{36}$/);
    assert.match(String(stream), /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][\da-f]{32}$/);
  });

  test('modules in folders, and everything that can be wrong with a handler', async () => {
    const files = {
      'package/__init__.py': '',
      'package/module.py': 'def handler(event, context): return 1\ndef unjson(event, context): return {1, 2}',
      'broken.py': 'def handler(:',
      'raises.py': 'raise RuntimeError("at import")',
      'needs.py': 'import nothing_of_this_name',
      'bye.py': 'import sys\ndef handler(event, context): sys.exit(4)',
    };
    await functions.make('shapes', 'python3.6', 'package.module.handler', files, {});
    assert.equal((await functions.invoke('shapes')).answer, 1);
    const expected: readonly (readonly [handler: string, type: string, message: RegExp])[] = [
      ['package.module.nothing', 'Runtime.HandlerNotFound', /'nothing' missing on module/],
      ['package.module.unjson', 'Runtime.MarshalError', /not JSON serializable/],
      ['missing.handler', 'Runtime.ImportModuleError', /Unable to import module 'missing'/],
      ['needs.handler', 'Runtime.ImportModuleError', /nothing_of_this_name/],
      ['broken.handler', 'Runtime.UserCodeSyntaxError', /Syntax error in module 'broken'/],
      ['raises.handler', 'RuntimeError', /at import/],
      ['nodot', 'Runtime.MalformedHandlerName', /Bad handler/],
      ['bye.handler', 'Runtime.ExitError', /exit status 4/],
    ];
    for (const [Handler, type, message] of expected) {
      await functions.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'shapes', Handler }));
      const { errorType, errorMessage } = await failure('shapes');
      assert.equal(errorType, type, Handler);
      assert.match(errorMessage, message);
    }
    await functions.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'shapes', Handler: 'package/module.handler' }),
    );
    assert.equal((await functions.invoke('shapes')).answer, 1);
  });

  test('an exception is told with its stack, and is in the log', async () => {
    await functions.python('raises', 'def handler(event, context):\n    raise ValueError("no good: %s" % event["a"])\n');
    const { error, answer, log } = await functions.invoke('raises', { a: 5 });
    const { errorType, errorMessage, stackTrace = [] } = answer as Failure;
    assert.deepEqual([error, errorType, errorMessage], ['Unhandled', 'ValueError', 'no good: 5']);
    assert.match(stackTrace.join(''), /index\.py", line 2, in handler/);
    assert.match(
      log,
      /^START RequestId: [\s\S]*\[ERROR\] ValueError: no good: 5\nTraceback[\s\S]*\nEND RequestId: [\s\S]*\nREPORT RequestId: /,
    );
  });

  test('prints and logging go to the log, in their order', async () => {
    await functions.python(
      'talks',
      'import logging, sys\ndef handler(event, context):\n    print("first")\n    print("second", file=sys.stderr)\n    logging.warning("third")\n    print("fourth", end="")\n',
    );
    const { log } = await functions.invoke('talks');
    assert.match(log, /\nfirst\nsecond\n\[WARNING\]\t\S+Z\t[\da-f-]{36}\tthird\nfourth\nEND /);
    assert.equal((await functions.logged('talks', 'second')).length, 1);
  });
});

describe('Node', () => {
  test('promises, values, callbacks, CommonJS and nested names', async () => {
    const files = {
      'index.mjs': `
        export const handler = async (event, context) => ({ event, name: context.functionName, left: context.getRemainingTimeInMillis() > 5000 });
        export const nothing = async () => {};
        export const callback = (event, context, done) => setTimeout(() => done(null, event.a), 1);
        export const deep = { er: { handler: async () => 'deep' } };
        export const silent = (event, context, done) => {};
      `,
      'common.js': `
        exports.handler = (event, context, callback) => callback(null, 'common');
        exports.old = (event, context) => context.succeed('old');
      `,
      'src/in.cjs': `exports.handler = async () => require('node:path').basename(__dirname);`,
      'late.mjs': `const value = await Promise.resolve('awaited'); export const handler = async () => value;`,
    };
    await functions.make('node-shapes', 'nodejs20.x', 'index.handler', files, {});
    const expected: readonly (readonly [handler: string, answer: unknown])[] = [
      ['index.handler', { event: { a: 1 }, name: 'node-shapes', left: true }],
      ['index.nothing', null],
      ['index.callback', 1],
      ['index.deep.er.handler', 'deep'],
      ['index.silent', null],
      ['common.handler', 'common'],
      ['common.old', 'old'],
      ['src/in.handler', 'src'],
      ['late.handler', 'awaited'],
    ];
    for (const [Handler, answer] of expected) {
      await functions.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'node-shapes', Handler }));
      assert.deepEqual(await functions.invoke('node-shapes', { a: 1 }).then(({ answer: given, error }) => ({ given, error })), {
        given: answer,
        error: undefined,
      });
    }
  });

  test('every way to fail', async () => {
    await functions.node(
      'node-fails',
      `
      export const thrown = async () => { throw new TypeError('bad'); };
      export const text = async () => { throw 'just text'; };
      export const callback = (event, context, done) => done(new RangeError('by callback'));
      export const later = async () => { setTimeout(() => { throw new Error('later'); }, 1); await new Promise((r) => setTimeout(r, 5000)); };
      export const rejected = async () => { Promise.reject(new Error('nobody caught')); await new Promise((r) => setTimeout(r, 5000)); };
      export const never = () => new Promise(() => {});
      export const ends = async () => process.exit(3);
      export const large = async () => 'x'.repeat(6291557);
      export const ring = async () => { const a = {}; a.a = a; return a; };
    `,
      { Handler: 'index.thrown' },
    );
    const expected: readonly (readonly [handler: string, type: string, message: RegExp])[] = [
      ['thrown', 'TypeError', /^bad$/],
      ['text', 'string', /^just text$/],
      ['callback', 'RangeError', /^by callback$/],
      ['later', 'Error', /^later$/],
      ['rejected', 'Runtime.UnhandledPromiseRejection', /nobody caught/],
      ['never', 'Runtime.NodeJsExit', /never settled/],
      ['ends', 'Runtime.ExitError', /exit status 3/],
      ['large', 'Function.ResponseSizeTooLarge', /6291556 bytes/],
      ['ring', 'Runtime.MarshalError', /circular/],
      ['nothing', 'Runtime.HandlerNotFound', /index\.nothing/],
    ];
    for (const [name, type, message] of expected) {
      await functions.lambda.send(
        new UpdateFunctionConfigurationCommand({ FunctionName: 'node-fails', Handler: `index.${name}` }),
      );
      const { errorType, errorMessage } = await failure('node-fails');
      assert.equal(errorType, type, name);
      assert.match(errorMessage, message);
    }
  });
});

test('a program that brings its own runtime speaks the runtime API itself', async () => {
  const bootstrap = `#!/bin/bash
base="\${AWS_LAMBDA_RUNTIME_API#*/}"; host="\${AWS_LAMBDA_RUNTIME_API%%/*}"
ask() { exec 3<>"/dev/tcp/\${host%%:*}/\${host##*:}"; printf '%s' "$1" >&3; }
while true; do
  ask $'GET /'"$base"$'/2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'
  answer="$(cat <&3)"
  id="$(printf '%s' "$answer" | sed -n 's/^lambda-runtime-aws-request-id: \\([0-9a-f-]*\\).*/\\1/p')"
  body='{"by":"'"$_HANDLER"'"}'
  ask $'POST /'"$base/2018-06-01/runtime/invocation/$id/response"$' HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: '"\${#body}"$'\\r\\n\\r\\n'"$body"
  cat <&3 >/dev/null
done
`;
  const { zipOf } = await import('../../packages/server/src/functions/code/zip.fixture.ts');
  const ZipFile = zipOf([{ name: 'bootstrap', content: bootstrap, mode: 0o100755 }]);
  await functions.make('own', 'provided.al2023', 'mine', {}, { Code: { ZipFile } });
  for (let n = 0; n < 2; n += 1) assert.deepEqual((await functions.invoke('own')).answer, { by: 'mine' });
});

describe('bounds', () => {
  test('time: what does not end in time is ended, and the next event has a process of its own', async () => {
    await functions.python(
      'slow',
      'import time\ncount = 0\ndef handler(event, context):\n    global count\n    count += 1\n    time.sleep(event["s"])\n    return count\n',
      { Timeout: 1 },
    );
    assert.equal((await functions.invoke('slow', { s: 0 })).answer, 1);
    assert.equal((await functions.invoke('slow', { s: 0 })).answer, 2, 'a warm process');
    const { error, answer } = await functions.invoke('slow', { s: 60 });
    assert.equal(error, 'Unhandled');
    assert.match((answer as Failure).errorMessage, /^\S+Z [\da-f-]{36} Task timed out after 1\.00 seconds$/);
    assert.equal((await functions.invoke('slow', { s: 0 })).answer, 1, 'a new process');
  });

  test('memory: what holds more than it may is ended', async () => {
    await functions.python(
      'hungry',
      'import time\ndef handler(event, context):\n    held = []\n    while True:\n        held.append(bytearray(4_000_000))\n        time.sleep(0.01)\n',
    );
    const { errorType, errorMessage } = await failure('hungry');
    assert.equal(errorType, 'Runtime.ExitError');
    assert.match(errorMessage, /signal: killed \(it held more than 128 MB\)/);
  });

  test('a process that leaves its group is ended with the rest', async () => {
    await functions.python(
      'daemon',
      `
import os, time
def handler(event, context):
    name = event['name']
    pid = os.fork()
    if pid == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv('/bin/sleep', [name, '600'])
        os._exit(0)
    os.waitpid(pid, 0)
`,
    );
    const name = `daemon-of-${process.pid}`;
    const sleeps = (): boolean => readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && commandOf(pid).startsWith(`${name}\0`));
    await functions.invoke('daemon', { name });
    await until('it runs', () => (sleeps() ? true : undefined));
    await functions.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'daemon', Description: 'changed' }));
    await until('it has gone', () => (sleeps() ? undefined : true));
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8');
  } catch {
    return '';
  }
}

describe('a function can not reach', () => {
  const SPY = `
import glob, os, socket, urllib.error, urllib.request
def attempt(work):
    try:
        return 'reached: %s' % (work(),)
    except urllib.error.HTTPError as error:
        return 'HTTP %d' % error.code
    except OSError as error:
        return error.strerror or type(error).__name__
def handler(event, context):
    server = event['server']
    task = os.environ['LAMBDA_TASK_ROOT']
    api = os.environ['AWS_LAMBDA_RUNTIME_API'].split('/')
    return {
        'data folder': attempt(lambda: os.listdir(event['data'])),
        'credentials': attempt(lambda: open(event['data'] + '/credentials').read()),
        'data file': attempt(lambda: open(event['data'] + '/thingkeep.db', 'rb').read(1)),
        'environment of the server': attempt(lambda: open('/proc/%d/environ' % server).read()),
        'memory of the server': attempt(lambda: open('/proc/%d/mem' % server, 'rb').read(1)),
        'files of the server': attempt(lambda: os.listdir('/proc/%d/fd' % server)),
        'the server by signal': attempt(lambda: os.kill(server, 0)),
        'its own code, to change it': attempt(lambda: open(task + '/index.py', 'a')),
        'folders beside its own': attempt(lambda: sorted(os.listdir(os.path.dirname(task)))),
        'rights of root': attempt(lambda: os.setuid(0)),
        'events of others': attempt(lambda: urllib.request.urlopen('http://%s/%s/2018-06-01/runtime/invocation/next' % (api[0], 'A' * 32))),
    }
`;

  test('the server: its data, credentials, memory, environment, files', async () => {
    await functions.python('spy', SPY);
    const { answer } = await functions.invoke('spy', {
      data: server.dataDir,
      server: server.pid,
    });
    assert.deepEqual(answer, {
      'data folder': 'No such file or directory',
      credentials: 'No such file or directory',
      'data file': 'No such file or directory',
      'environment of the server': 'No such file or directory',
      'memory of the server': 'No such file or directory',
      'files of the server': 'No such file or directory',
      'the server by signal': 'No such process',
      'its own code, to change it': 'Permission denied',
      'folders beside its own': "reached: ['lang', 'runtime', 'task']",
      'rights of root': 'Invalid argument',
      'events of others': 'HTTP 403',
    });
  });

  test('another function: its code, folder, environment, process', async () => {
    const Variables = { SECRET: 'of the victim' };
    const leave = `
import os
def handler(event, context):
    open('/tmp/mine', 'w').write('of the victim')
    open('/dev/shm/mine', 'w').write('of the victim')
    return [os.environ['LAMBDA_TASK_ROOT'], os.environ['TMPDIR'], os.path.exists('/tmp/mine')]
`;
    await functions.python('victim', leave, { Environment: { Variables } });
    await functions.python(
      'thief',
      `
import glob, os
def read(path):
    try:
        return open(path, 'rb').read().decode('latin-1')
    except OSError:
        return ''
def handler(event, context):
    # All there is to see: every process, the files of every process, and every folder that may be written.
    seen = [read(path) for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline')]
    seen += [read('/proc/%s/root/%s/mine' % (pid, folder)) for pid in os.listdir('/proc') if pid.isdigit() for folder in ['tmp', 'dev/shm']]
    seen += [read(path) for path in glob.glob('/var/task/*') + glob.glob('/run/thingkeep/*') + glob.glob('/tmp/*')]
    return [any('of the' + ' victim' in text for text in seen), len(seen) > 5]
`,
    );
    const victim = (await functions.invoke('victim')).answer;
    assert.deepEqual(victim, ['/var/task', '/tmp', true]);
    assert.deepEqual((await functions.invoke('thief')).answer, [false, true]);
    assert.deepEqual((await functions.invoke('victim')).answer, victim, 'the victim is still there');
  });

  test('the environment of whoever started the server', async () => {
    await using other = await startServer({ env: { SECRET_OF_THE_OPERATOR: 's', AWS_SECRET_ACCESS_KEY: 's' } });
    using its = new TestFunctions(other);
    await its.python('env', 'import os\ndef handler(event, context):\n    return dict(os.environ)\n', {
      Environment: { Variables: { MINE: '1' } },
    });
    const environment = (await its.invoke('env')).answer as Record<string, string>;
    const { PATH, TZ, MINE, AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, _HANDLER, AWS_LAMBDA_FUNCTION_MEMORY_SIZE } =
      environment;
    assert.deepEqual(
      { PATH, TZ, MINE, AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, _HANDLER, AWS_LAMBDA_FUNCTION_MEMORY_SIZE },
      {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        TZ: ':UTC',
        MINE: '1',
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: other.url,
        _HANDLER: 'index.handler',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      },
    );
    // A role that is not here gives no credentials; nor does anything of the server's.
    assert.deepEqual(
      Object.keys(environment).filter((name) => /SECRET|ACCESS_KEY|SESSION|THINGKEEP|NODE/.test(name)),
      [],
    );
  });
});

test('nothing of a function is left when the server has ended', async () => {
  const workshops = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('thingkeep-sandbox-'));
  const before_ = new Set(workshops());
  const other = await startServer();
  const its = new TestFunctions(other);
  await its.python('loop', 'def handler(event, context):\n    return 1\n');
  assert.equal((await its.invoke('loop')).answer, 1);
  const made = workshops().filter((name) => !before_.has(name));
  its[Symbol.dispose]();
  await other[Symbol.asyncDispose]();
  const left = new Set(workshops());
  assert.ok(made.length > 0);
  assert.ok(made.some((name) => !left.has(name)));
});
