/**
 * Runs a Node handler for Lambda's runtime API (version 2018-06-01): asks for an event, calls the handler, answers.
 * Handlers are CommonJS or ES modules; they answer with a promise, or through a callback or the context.
 */
import { closeSync, existsSync, readSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, types } from 'node:util';

const [ADDRESS, PREFIX] = process.env.AWS_LAMBDA_RUNTIME_API.split('/');
const BASE = `http://${ADDRESS}${PREFIX === undefined ? '' : `/${PREFIX}`}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** One request to the runtime API; without it there is nobody to work for. */
const ask = (method, path, body) =>
  new Promise((resolve) => {
    const sent = request(`${BASE}${path}`, { method, agent, headers: { 'content-type': 'application/json' } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', () => process.exit(0));
    });
    sent.on('error', () => process.exit(0));
    sent.end(body);
  });

/** An error in Lambda's form, whatever was thrown. */
function errorOf(thrown, errorType) {
  if (!types.isNativeError(thrown) && !(thrown instanceof Error))
    return {
      errorType: errorType ?? typeof thrown,
      errorMessage: typeof thrown === 'string' ? thrown : format(thrown),
      trace: [],
    };
  const { name, message, stack = '' } = thrown;
  return { errorType: errorType ?? name, errorMessage: message, trace: stack.split('\n') };
}

/** What is being worked on; there is one at a time. */
let current;

const LEVELS = { debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', trace: 'TRACE' };
for (const [method, level] of Object.entries(LEVELS))
  console[method] = (...args) => {
    // A carriage return keeps the lines of one record together for whoever reads them; the log shows lines.
    process.stdout.write(`${new Date().toISOString()}\t${current?.requestId ?? 'undefined'}\t${level}\t${format(...args)}\n`);
  };

async function end(kind, body) {
  const { requestId } = current;
  current = undefined;
  await ask('POST', `/invocation/${requestId}/${kind}`, body);
}

async function fail(error) {
  console.error('Invoke Error', JSON.stringify(error));
  await end('error', JSON.stringify(error));
}

/** What nobody caught ends the process, as it does on Lambda; its event hears of it first. */
async function crash(error) {
  if (current === undefined) await ask('POST', '/init/error', JSON.stringify(error));
  else await fail(error);
  process.exit(129);
}
process.on('uncaughtException', (error) => void crash(errorOf(error)));
process.on('unhandledRejection', (reason) => {
  const { errorMessage, errorType, trace } = errorOf(reason);
  void crash({ errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: `${errorType}: ${errorMessage}`, trace });
});

class Refused extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

/** `folder/module.name.of.handler`: the module's file, and the names that lead to the handler in it. */
function locate(handler) {
  const file = basename(handler);
  const dot = file.indexOf('.');
  if (dot <= 0) throw new Refused('Runtime.MalformedHandlerName', `Bad handler '${handler}'`);
  const path = join(process.env.LAMBDA_TASK_ROOT, dirname(handler), file.slice(0, dot));
  return { path, names: file.slice(dot + 1).split('.') };
}

async function loadModule(path) {
  const file = ['.js', '.mjs', '.cjs', ''].map((ending) => `${path}${ending}`).find((candidate) => existsSync(candidate));
  if (file === undefined) throw new Refused('Runtime.ImportModuleError', `Error: Cannot find module '${basename(path)}'`);
  if (file.endsWith('.mjs')) return import(pathToFileURL(file).href);
  try {
    return createRequire(file)(file);
  } catch (error) {
    // An ES module that awaits while it loads can only be imported.
    if (error?.code === 'ERR_REQUIRE_ASYNC_MODULE') return import(pathToFileURL(file).href);
    if (error?.code === 'MODULE_NOT_FOUND') throw new Refused('Runtime.ImportModuleError', `Error: ${error.message}`);
    if (error instanceof SyntaxError) throw new Refused('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    throw error;
  }
}

async function load(handler) {
  const { path, names } = locate(handler);
  const found = names.reduce((value, name) => value?.[name], await loadModule(path));
  if (typeof found !== 'function') throw new Refused('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  return found;
}

function contextOf(headers, done) {
  const { env } = process;
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const told = headers['lambda-runtime-client-context'];
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    identity: undefined,
    clientContext: told === undefined ? undefined : JSON.parse(told),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? 'handled'),
    done,
  };
}

/** Calls the handler; settles once it has answered in whichever way. */
const call = (handler, event, headers) =>
  new Promise((resolve, reject) => {
    const done = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    // Nothing is left that could answer: a callback was never called, or a promise never settled.
    current.idle = () => resolve(null);
    const returned = handler(event, contextOf(headers, done), done);
    if (typeof returned?.then === 'function') {
      current.idle = () => reject(new Refused('Runtime.NodeJsExit', 'A promise of the handler was never settled'));
      returned.then(resolve, reject);
    } else if (handler.length < 3 && returned !== undefined) resolve(returned);
  });
process.on('beforeExit', () => current?.idle?.());

function toText(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch (error) {
    throw new Refused('Runtime.MarshalError', `Unable to stringify response body: ${error.message}`);
  }
}

async function work(handler) {
  for (;;) {
    const { status, headers, body } = await ask('GET', '/invocation/next');
    if (status !== 200) process.exit(0);
    current = { requestId: headers['lambda-runtime-aws-request-id'] };
    try {
      const text = toText(await call(handler, JSON.parse(body.toString()), headers));
      await end('response', text);
    } catch (error) {
      await fail(errorOf(error));
    }
  }
}

// Only then the API can be reached, which the handler's module may ask when it is loaded.
if (process.env.FORWARDER_READY !== undefined) {
  const ready = Number(process.env.FORWARDER_READY);
  delete process.env.FORWARDER_READY;
  readSync(ready, Buffer.alloc(1));
  closeSync(ready);
}

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (thrown) {
  const error = errorOf(thrown);
  console.error('Uncaught Exception', JSON.stringify(error));
  await ask('POST', '/init/error', JSON.stringify(error));
  process.exit(1);
}
await work(handler);
