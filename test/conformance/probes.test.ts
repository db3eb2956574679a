/**
 * AWS's own answers, as the public collection cdk-preflight has measured them (repository badmintoncryer/cdk-preflight, folder
 * rules): each of its rules that concerns a service that is here is a case below, a line in COMPATIBILITY.md that says why not,
 * or a row of later work.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as iot from '@aws-sdk/client-iot';
import * as lambda from '@aws-sdk/client-lambda';
import { textOf } from '../architecture/sources.ts';
import { type CoreInProcess, openInProcess } from '../end-to-end/core-in-process.ts';
import { IAM } from './probes/iam.ts';
import { IOT } from './probes/iot.ts';
import { functionInput, LAMBDA } from './probes/lambda.ts';
import { LATER } from './probes/later.ts';
import type { Answer, Probe } from './probes/probe.ts';

const CASES = { iot: IOT, iam: IAM, lambda: LAMBDA } as const;
type Service = keyof typeof CASES;

interface Client {
  send(command: unknown): Promise<unknown>;
  destroy(): void;
}
type Commands = Readonly<Record<string, new (input: object) => unknown>>;
const COMMANDS = { iot, iam, lambda } as unknown as Readonly<Record<Service, Commands>>;

let running: CoreInProcess;
let clients: Readonly<Record<Service, Client>>;

const call = (service: Service, { operation, input }: Pick<Answer, 'operation' | 'input'>): Promise<unknown> => {
  const Command = COMMANDS[service][`${operation}Command`] ?? assert.fail(`the SDK has no ${operation}`);
  return clients[service].send(new Command(input));
};

before(async () => {
  running = await openInProcess([]);
  const { credentials } = running.server.iot.config;
  const options = {
    endpoint: `http://127.0.0.1:${running.core.ports.api}`,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials,
  };
  clients = {
    iot: new iot.IoTClient(options),
    iam: new iam.IAMClient(options),
    lambda: new lambda.LambdaClient(options),
  } as unknown as typeof clients;
  const trust = { Effect: 'Allow', Principal: { Service: 'iot.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust });
  await call('iam', { operation: 'CreateRole', input: { RoleName: 'probe', AssumeRolePolicyDocument } });
  await call('iam', { operation: 'CreateUser', input: { UserName: 'probe' } });
  await call('iam', { operation: 'CreateGroup', input: { GroupName: 'probe' } });
  await call('lambda', { operation: 'CreateFunction', input: { ...functionInput(), FunctionName: 'probe', Publish: true } });
});
after(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await running[Symbol.asyncDispose]();
});

async function check(service: Service, answer: Answer): Promise<void> {
  const what = `${answer.operation} ${JSON.stringify(answer.input).slice(0, 300)}`;
  if (answer.refused === undefined) {
    await assert.doesNotReject(call(service, answer), what);
    return;
  }
  const [code, beginning] = answer.refused;
  await assert.rejects(
    call(service, answer),
    (error: Error) => {
      const { name } = error;
      // The SDK gives errors of the query protocol the names of their shapes.
      assert.equal(name.replace(/Exception$/, ''), code.replace(/Exception$/, ''), `${what}: ${error.message}`);
      assert.equal(error.message.slice(0, beginning.length), beginning, what);
      return true;
    },
    what,
  );
}

for (const [service, probes] of Object.entries(CASES) as [Service, readonly Probe[]][])
  describe(service, () => {
    for (const { name, answers } of probes)
      test(name, async () => {
        for (const answer of answers) await check(service, answer);
      });
  });

/** Operations that COMPATIBILITY.md says are served; another test asks the server whether that is so. */
const isServed = (operation: string): boolean =>
  textOf('COMPATIBILITY.md')
    .split('\n')
    .some((line) => new RegExp(`\\b${operation}\\b`).test(line) && /^\|[^|]+\|.*(?:works|differs)/.test(line));

test('an operation of later work is not served yet: once it is, its probes are cases', () => {
  for (const { family, operations } of LATER)
    for (const operation of operations)
      assert.ok(!isServed(operation), `${operation} is served: make cases of the probes of ${family} in probes/later.ts`);
  assert.ok(isServed('CreateThing') && !isServed('CreateNothing'));
});

test('facts of later work are of its operations, which the server answers as not served', async () => {
  for (const { service, operations, answers = [] } of LATER)
    for (const answer of answers) {
      assert.ok(operations.includes(answer.operation), answer.operation);
      assert.ok(service === 'iot' || service === 'iam' || service === 'lambda', service);
      await assert.rejects(call(service, answer), { name: 'UnknownOperationException' }, answer.operation);
    }
});

test('each probe is a case, a line that says why not, or later work, and only one of them', () => {
  const [, section = ''] = textOf('COMPATIBILITY.md').split('\n## Probes\n');
  const reasons = [...(section.split('\n## ')[0] ?? '').matchAll(/`(pf-[a-z0-9*-]+)`/g)].map(([, name = '']) => name);
  const names = [
    ...Object.values(CASES).flatMap((probes) => probes.map(({ name }) => name)),
    ...LATER.flatMap((row) => row.names),
    ...reasons,
  ];
  assert.equal(new Set(names).size, names.length, 'a probe is named once');
  assert.ok(reasons.length >= 4);
});
