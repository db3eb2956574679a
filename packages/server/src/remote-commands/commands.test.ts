/** Commands and their executions (fact sheet 41). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotJobsDataOperations, IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { findOperation } from '@thingkeep/wire/api/table.ts';
import { mayAnswer } from '@thingkeep/wire/api/error-codes.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { decode, encode } from 'cbor2';
import type { Messaging } from '../broker/messaging.ts';
import type { Domain } from '../domain.ts';
import type { Properties } from '../mqtt/properties.ts';
import { registryDomain } from '../registry/domain.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { DueWork } from '../store/due-work.ts';
import { dueRecords } from '../store/due-records.ts';
import { recordCounts } from '../store/record-counts.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { caller, clockAt, OperationsFixture, recordTags, stranger, type TestStore } from '../testing/operations-fixture.ts';
import { commandDomain } from './domain.ts';
import { executionDetails } from './store.ts';

const HOUR = 3_600_000;
const arn = (resource: string): string => `arn:aws:iot:us-east-1:123456789012:${resource}`;
const COMMAND = arn('command/on');
const LAMP = arn('thing/lamp');
const parameter = (name: string): string => `\${aws:iot:commandexecution::parameter:${name}}`;

type StartInput = IotJobsDataOperations['StartCommandExecution']['input'];

class Fixture extends OperationsFixture {
  readonly clock = clockAt(Date.UTC(2026, 0, 1, 12));
  readonly tags = recordTags();
  readonly domain: Domain;
  readonly disk = { low: false };
  readonly refusals: string[] = [];
  /** What becomes of messages that have to be stored. */
  storing: () => Promise<void> = async () => undefined;
  readonly sent: { topic: string; qos: number; payload: Buffer; properties: Properties | undefined }[] = [];
  readonly events: { topic: string; event: Record<string, unknown> }[] = [];
  protected readonly handlers: Handlers<IotOperations>;
  readonly #starts: Handlers<IotJobsDataOperations>;

  private constructor(store: TestStore) {
    super(store);
    const messaging = {
      hasReceivers: () => true,
      publish: (_place: object, topic: string, payload: Buffer, qos: number, properties?: Properties) => {
        if (topic.startsWith('$aws/events/')) this.events.push({ topic, event: JSON.parse(payload.toString()) });
        else this.sent.push({ topic, qos, payload, properties });
      },
      stored: () => this.storing(),
    } as unknown as Messaging;
    const refuse = ({ check, reason }: Refusal) => this.refusals.push(`${check} ${reason}`);
    const deps = { clock: this.clock, inRegion: () => store, refuse };
    this.domain = commandDomain.open({
      ...deps,
      tags: this.tags,
      messaging,
      disk: this.disk,
      log: { error: () => undefined } as never,
    });
    const registry = registryDomain.open({ ...deps, endpoint: 'iot.example.com', issuer: undefined as never });
    const context = { region: 'us-east-1', store, taggable: {} };
    const served = this.domain.operations?.(context) ?? {};
    this.handlers = { ...registry.operations?.(context).iot, ...served.iot };
    this.#starts = served['iot-jobs-data'] ?? {};
  }

  static async open(): Promise<Fixture> {
    return new Fixture(await openMemoryStore());
  }

  /** The next run of the server, on what this one has stored. */
  restarted(): Fixture {
    const next = new Fixture(this.store);
    next.clock.at = this.clock.at;
    return next;
  }

  /** A fixture with a thing and a command that has a payload of this type. */
  static async withCommand(contentType?: string): Promise<Fixture> {
    const fixture = await Fixture.open();
    await fixture.call('CreateThing', { thingName: 'lamp' });
    await fixture.call('CreateCommand', { commandId: 'on', payload: { content: Buffer.from('{"on":1}'), contentType } });
    return fixture;
  }

  async start(more: Partial<StartInput> = {}, as: Caller = caller): Promise<string> {
    const operation = findOperation('iot-jobs-data', 'StartCommandExecution');
    assert.ok(this.#starts.StartCommandExecution && operation);
    try {
      const { executionId = '' } = await this.#starts.StartCommandExecution(
        { commandArn: COMMAND, targetArn: LAMP, ...more },
        as,
      );
      return executionId;
    } catch (error) {
      if (error instanceof ThingkeepError) assert.ok(mayAnswer(operation, error.code), error.code);
      throw error;
    }
  }

  /** What a device gets for a report: the end of the answer's topic, and its members. */
  async report(executionId: string, body: object | string, format: 'json' | 'cbor' = 'json', target = 'things/lamp') {
    const service = this.domain.topics?.find(({ pattern }) => pattern.endsWith(`/response/${format}`));
    const [kind = '', name = ''] = target.split('/');
    const topic = `$aws/commands/${target}/executions/${executionId}/response/${format}`;
    const payload =
      typeof body === 'string' ? Buffer.from(body) : Buffer.from(format === 'json' ? JSON.stringify(body) : encode(body));
    const served = await service?.serve(
      {
        ...{ place: { accountId: caller.accountId, region: caller.region }, topic, parts: { kind, name, executionId }, payload },
        ...{ qos: 1, properties: undefined, requester: { clientId: 'lamp' } },
      },
      () => assert.fail('answers are given'),
    );
    assert.ok(Array.isArray(served) && served.length === 1);
    const [answer] = served;
    assert.equal(answer.to, 'requester');
    const members: Record<string, unknown> = format === 'json' ? JSON.parse(answer.payload.toString()) : decode(answer.payload);
    return [answer.topic.slice(topic.length - format.length), members] as const;
  }

  async error(executionId: string, body: object | string, target?: string): Promise<unknown> {
    const [topic, members] = await this.report(executionId, body, 'json', target);
    assert.deepEqual([topic, members.executionId, typeof members.errorMessage], ['rejected/json', executionId, 'string']);
    return members.error;
  }

  async pass(milliseconds: number): Promise<void> {
    this.clock.at += milliseconds;
    await using work = await DueWork.open([this.domain], {
      store: this.store,
      clock: this.clock,
      log: { error: () => undefined },
    });
    await work.tick();
  }

  get statuses(): readonly string[] {
    return this.events.map(({ topic }) => topic.slice('$aws/events/commandExecution/on/'.length));
  }
}

test('a command is created, shown, listed, updated, deprecated and restored (41.1)', async () => {
  await using commands = await Fixture.open();
  const payload = { content: new Uint8Array(Buffer.from('{}')), contentType: 'application/json' };
  const tags = [{ Key: 'k', Value: 'v' }];
  const made = await commands.call('CreateCommand', { commandId: 'on', displayName: 'On', description: 'd', payload, tags });
  assert.deepEqual(made, { commandId: 'on', commandArn: COMMAND });
  assert.deepEqual(commands.tags.tagged.get(COMMAND), tags);
  await commands.refuses('ConflictException', 'CreateCommand', { commandId: 'on', payload });
  const at = new Date(commands.clock.at);
  const { mandatoryParameters, payloadTemplate, preprocessor, roleArn, ...shown } = await commands.call('GetCommand', {
    commandId: 'on',
  });
  assert.deepEqual([mandatoryParameters, payloadTemplate, preprocessor, roleArn], [undefined, undefined, undefined, undefined]);
  const summary = { ...made, displayName: 'On', deprecated: false, createdAt: at, lastUpdatedAt: at, pendingDeletion: false };
  assert.deepEqual(shown, { ...summary, namespace: 'AWS-IoT', description: 'd', payload });
  commands.clock.at += 1000;
  const later = new Date(commands.clock.at);
  const updated = await commands.call('UpdateCommand', { commandId: 'on', displayName: 'Light', deprecated: true });
  assert.deepEqual(updated, { commandId: 'on', displayName: 'Light', description: 'd', deprecated: true, lastUpdatedAt: later });
  await commands.refuses('ValidationException', 'UpdateCommand', { commandId: 'on', displayName: 'x' }, /deprecated/);
  assert.equal(
    (await commands.call('UpdateCommand', { commandId: 'on', deprecated: false, displayName: 'x' })).deprecated,
    false,
  );
  await commands.call('CreateCommand', { commandId: 'off', payload });
  const ids = async (input: object) => (await commands.call('ListCommands', input)).commands?.map(({ commandId }) => commandId);
  assert.deepEqual(
    [await ids({}), await ids({ sortOrder: 'ASCENDING' })],
    [
      ['off', 'on'],
      ['on', 'off'],
    ],
  );
  assert.deepEqual([await ids({ commandParameterName: 'p' }), await ids({ namespace: 'AWS-IoT-FleetWise' })], [[], []]);
  await commands.refuses('ValidationException', 'ListCommands', { nextToken: 'none' });
  await commands.refuses('ResourceNotFoundException', 'GetCommand', { commandId: 'none' });
  await commands.refuses('ResourceNotFoundException', 'UpdateCommand', { commandId: 'none' });
});

test('payloads and templates are checked when a command is created (41.1)', async () => {
  await using commands = await Fixture.open();
  const base = { commandId: 'c' };
  const payload = { content: Buffer.from('x') };
  const template = {
    payloadTemplate: `{"a":"${parameter('p')}"}`,
    preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' as const } },
  };
  const p = { name: 'p', type: 'INTEGER' as const };
  const condition = { comparisonOperator: 'IN_RANGE' as const, operand: { numberRange: { min: '1', max: '5' } } };
  const bad: readonly [object, RegExp][] = [
    [{}, /'payload' field of the command is required/],
    [{ payload: { contentType: 'text/plain' } }, /'content'/],
    [{ payload: { content: Buffer.alloc(32 * 1024 + 1) } }, /larger/],
    [{ payload: { ...payload, contentType: 'a\nb' } }, /contentType/],
    [{ payload, ...template }, /Only one of/],
    [{ payload, mandatoryParameters: [p] }, /does not support 'mandatoryParameters'/],
    [{ payloadTemplate: template.payloadTemplate }, /'preprocessor'/],
    [template, /not in 'mandatoryParameters'/],
    [{ ...template, payloadTemplate: '{}', mandatoryParameters: [p] }, /at least one placeholder/],
    [{ ...template, mandatoryParameters: [p, p] }, /one name/],
    [{ ...template, mandatoryParameters: [{ ...p, defaultValue: { S: 'x' } }] }, /not of the type INTEGER/],
    [{ ...template, mandatoryParameters: [{ ...p, defaultValue: { I: 6 }, valueConditions: [condition] }] }, /IN_RANGE/],
    [{ ...template, mandatoryParameters: [{ ...p, value: { I: 6 }, valueConditions: [condition] }] }, /IN_RANGE/],
    [{ namespace: 'AWS-IoT-FleetWise' }, /'roleArn'/],
    [{ namespace: 'AWS-IoT-FleetWise', roleArn: 'arn:aws:iam::1:role/r', payload }, /does not support/],
  ];
  for (const [more, words] of bad) await commands.refuses('ValidationException', 'CreateCommand', { ...base, ...more }, words);
  const mandatoryParameters = [{ ...p, defaultValue: { I: 3 }, valueConditions: [condition], description: 'd' }];
  await commands.call('CreateCommand', { ...base, ...template, mandatoryParameters });
  const shown = await commands.call('GetCommand', base);
  assert.deepEqual([shown.payloadTemplate, shown.preprocessor], [template.payloadTemplate, template.preprocessor]);
  assert.deepEqual(JSON.parse(JSON.stringify(shown.mandatoryParameters)), mandatoryParameters);
  assert.deepEqual((await commands.call('ListCommands', { commandParameterName: 'p' })).commands?.length, 1);
});

test('a LONG keeps its 64 bits as default, as value of an execution and on its way to the device (41.1)', async () => {
  await using commands = await Fixture.open();
  await commands.call('CreateThing', { thingName: 'lamp' });
  // The SDK's types know no bigint, which a long beyond a double's integers is.
  const long = (value: bigint) => ({ L: value as unknown as number });
  const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)];
  await commands.call('CreateCommand', {
    commandId: 'on',
    payloadTemplate: `{"l":"${parameter('l')}"}`,
    preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' } },
    mandatoryParameters: [{ name: 'l', type: 'LONG', defaultValue: long(most) }],
  });
  const { mandatoryParameters } = await commands.call('GetCommand', { commandId: 'on' });
  assert.deepEqual(mandatoryParameters?.[0]?.defaultValue, { L: most });
  await commands.start();
  const executionId = await commands.start({ parameters: { l: long(least) } });
  await commands.start({ parameters: { l: { L: 7 } } });
  const sent = commands.sent.map(({ payload }) => payload.toString());
  assert.deepEqual(sent, [`{"l":${most}}`, `{"l":${least}}`, '{"l":7}']);
  const { parameters } = await commands.call('GetCommandExecution', { executionId, targetArn: LAMP });
  assert.deepEqual(parameters, { l: { L: least } });
});

test('a value given at the start comes before that of the parameter, which overrides the default (CommandParameter)', async () => {
  await using commands = await Fixture.open();
  await commands.call('CreateThing', { thingName: 'lamp' });
  const own = { type: 'INTEGER' as const, value: { I: 5 } };
  await commands.call('CreateCommand', {
    commandId: 'on',
    payloadTemplate: `["${parameter('both')}","${parameter('only')}"]`,
    preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' } },
    mandatoryParameters: [
      { ...own, name: 'both', defaultValue: { I: 1 } },
      { ...own, name: 'only' },
    ],
  });
  await commands.start();
  await commands.start({ parameters: { both: { I: 9 } } });
  assert.deepEqual(
    commands.sent.map(({ payload }) => payload.toString()),
    ['[5,5]', '[9,5]'],
  );
});

test('a command goes at once when it was deprecated for twelve hours, and after twelve hours otherwise (41.1)', async () => {
  await using commands = await Fixture.withCommand();
  const executionId = await commands.start();
  const remove = async () => (await commands.call('DeleteCommand', { commandId: 'on' })).statusCode;
  assert.deepEqual([await remove(), await remove()], [202, 202]);
  assert.equal((await commands.call('GetCommand', { commandId: 'on' })).pendingDeletion, true);
  assert.deepEqual((await commands.call('ListCommands', {})).commands, []);
  await assert.rejects(commands.start(), { code: 'ValidationException' });
  await commands.refuses('ConflictException', 'UpdateCommand', { commandId: 'on' });
  await commands.pass(12 * HOUR);
  await commands.refuses('ResourceNotFoundException', 'GetCommand', { commandId: 'on' });
  assert.equal((await commands.call('GetCommandExecution', { executionId, targetArn: LAMP })).status, 'TIMED_OUT');
  assert.equal(await remove(), 204);
  await commands.call('CreateCommand', { commandId: 'on', payload: { content: Buffer.from('x') } });
  await commands.call('UpdateCommand', { commandId: 'on', deprecated: true });
  await assert.rejects(commands.start(), { code: 'ValidationException', message: /deprecated/ });
  commands.clock.at += 12 * HOUR + 1;
  assert.equal(await remove(), 204);
  await commands.refuses('ResourceNotFoundException', 'GetCommand', { commandId: 'on' });
});

test('an execution sends the payload as it is, on the topic of its type, and tells of it (41.2, 41.5)', async () => {
  for (const [contentType, end] of [
    ['application/json', 'request/json'],
    ['application/cbor', 'request/cbor'],
    ['text/plain', 'request'],
    [undefined, 'request'],
  ] as const) {
    await using commands = await Fixture.withCommand(contentType);
    const executionId = await commands.start({ executionTimeoutSeconds: 60 });
    const [{ topic, qos, payload, properties } = assert.fail()] = commands.sent;
    assert.deepEqual(
      [topic, qos, payload.toString()],
      [`$aws/commands/things/lamp/executions/${executionId}/${end}`, 1, '{"on":1}'],
    );
    assert.deepEqual(properties, { contentType: contentType ?? 'application/octet-stream', messageExpiryInterval: 60 });
    const { status, createdAt, startedAt, completedAt, executionTimeoutSeconds, timeToLive } = await commands.call(
      'GetCommandExecution',
      { executionId, targetArn: LAMP },
    );
    const at = new Date(commands.clock.at);
    assert.deepEqual([status, createdAt, startedAt, completedAt, executionTimeoutSeconds], ['CREATED', at, at, undefined, 60]);
    assert.equal((timeToLive?.getTime() ?? 0) - at.getTime(), 183 * 24 * HOUR);
    const event = { executionId, status: 'CREATED', eventType: 'COMMAND_EXECUTION', commandArn: COMMAND, targetArn: LAMP };
    assert.deepEqual(commands.events, [
      { topic: '$aws/events/commandExecution/on/CREATED', event: { ...event, timestamp: commands.clock.at } },
    ]);
  }
});

const brokenDisk = async (): Promise<void> => {
  throw new Error('the disk is broken');
};

test('a request that could not be stored is sent by the retry, and once it is sent by no other (41.2)', async () => {
  await using commands = await Fixture.withCommand('application/json');
  const clientToken = 'once';
  commands.storing = brokenDisk;
  await assert.rejects(commands.start({ clientToken }), /disk/);
  await assert.rejects(commands.start({ clientToken }), /disk/);
  commands.storing = async () => undefined;
  const executionId = await commands.start({ clientToken });
  const topic = `$aws/commands/things/lamp/executions/${executionId}/request/json`;
  const requests = () => commands.sent.map((each) => [each.topic, each.payload.toString()]);
  assert.deepEqual(requests(), Array(3).fill([topic, '{"on":1}']), 'each attempt has tried to send it');
  assert.equal(await commands.start({ clientToken }), executionId);
  await commands.pass(9_000);
  assert.equal(commands.sent.length, 3);
});

test('a request that could not be stored is sent without a retry, with the time that is left (41.2)', async () => {
  await using commands = await Fixture.withCommand();
  await commands.call('CreateCommand', {
    commandId: 'dim',
    payloadTemplate: `["${parameter('l')}","\${aws:iot:commandexecution::executionTimeoutSec}"]`,
    preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' } },
    mandatoryParameters: [{ name: 'l', type: 'INTEGER' }],
  });
  commands.storing = brokenDisk;
  await assert.rejects(commands.start({ commandArn: arn('command/dim'), parameters: { l: { I: 5 } } }), /disk/);
  await commands.pass(2_000);
  commands.storing = async () => undefined;
  assert.equal(commands.sent.length, 2);
  await commands.pass(1_000);
  await commands.pass(1_000);
  const expiries = commands.sent.map(({ payload, properties }) => [payload.toString(), properties?.messageExpiryInterval]);
  assert.deepEqual(
    expiries,
    [10, 8, 7].map((left) => ['[5,10]', left]),
  );
});

test('a request that the server died before it had sent is sent by its next run, unless the time is over (41.2)', async () => {
  await using commands = await Fixture.withCommand();
  commands.storing = () => new Promise(() => undefined);
  void commands.start({ clientToken: 'once', executionTimeoutSeconds: 60 });
  void commands.start({ executionTimeoutSeconds: 1 });
  // Both are stored once a write that was asked for later is.
  await commands.call('CreateThing', { thingName: 'later' });
  const next = commands.restarted();
  await next.pass(5_000);
  const expected = [['{"on":1}', 55]];
  assert.deepEqual(
    next.sent.map(({ payload, properties }) => [payload.toString(), properties?.messageExpiryInterval]),
    expected,
  );
  assert.deepEqual(next.statuses.toSorted(), ['CREATED', 'TIMED_OUT']);
  await next.start({ clientToken: 'once', executionTimeoutSeconds: 60 });
  assert.equal(next.sent.length, 1);
});

test('a request is not sent again to a device that has answered it (41.2)', async () => {
  await using commands = await Fixture.withCommand();
  commands.storing = brokenDisk;
  await assert.rejects(commands.start(), /disk/);
  const [, , , , , executionId = ''] = commands.sent[0]?.topic.split('/') ?? [];
  await commands.report(executionId, { status: 'IN_PROGRESS' });
  await commands.pass(2_000);
  assert.equal(commands.sent.length, 1);
});

test('targets, commands and times that are none are refused (41.2)', async () => {
  await using commands = await Fixture.withCommand();
  const code = (more: Partial<StartInput>, as?: Caller) =>
    commands.start(more, as).then(
      () => 'none',
      ({ code: found }: ThingkeepError) => found,
    );
  assert.equal(await code({ targetArn: arn('thing/none') }), 'ResourceNotFoundException');
  assert.equal(await code({ commandArn: arn('command/none') }), 'ResourceNotFoundException');
  for (const targetArn of [arn('thinggroup/g'), 'lamp', arn('client/a/b'), arn('client/+'), arn(`client/${'x'.repeat(129)}`)])
    assert.equal(await code({ targetArn }), 'ValidationException', targetArn);
  assert.equal(await code({ commandArn: arn('thing/on') }), 'ValidationException');
  assert.equal(await code({ executionTimeoutSeconds: 43_201 }), 'ValidationException');
  assert.equal(await code({ parameters: { p: { I: 1 } } }), 'ValidationException');
  assert.equal(await code({}, stranger), 'ValidationException');
  assert.equal(await code({ executionTimeoutSeconds: 43_200, targetArn: arn('client/not registered') }), 'none');
  assert.equal(commands.sent[0]?.topic.split('/').slice(0, 4).join('/'), '$aws/commands/clients/not registered');
});

test('a token starts one execution; with another request it is a conflict (41.2)', async () => {
  await using commands = await Fixture.withCommand();
  const first = await commands.start({ clientToken: 't' });
  assert.equal(await commands.start({ clientToken: 't' }), first);
  assert.deepEqual([commands.sent.length, commands.events.length], [1, 1]);
  await assert.rejects(commands.start({ clientToken: 't', executionTimeoutSeconds: 11 }), { code: 'ConflictException' });
  await commands.call('UpdateCommand', { commandId: 'on', deprecated: true });
  assert.equal(await commands.start({ clientToken: 't' }), first);
});

test('parameters: the request, else the default; conditions hold for both (41.1)', async () => {
  await using commands = await Fixture.open();
  const range = { comparisonOperator: 'IN_RANGE' as const, operand: { numberRange: { min: '60', max: '80' } } };
  await commands.call('CreateCommand', {
    commandId: 'on',
    payloadTemplate: `{"temperature":"${parameter('temperature')}","who":"${parameter('who')}"}`,
    preprocessor: { awsJsonSubstitution: { outputFormat: 'CBOR' } },
    mandatoryParameters: [
      { name: 'temperature', type: 'INTEGER', defaultValue: { I: 72 }, valueConditions: [range] },
      { name: 'who', type: 'STRING' },
    ],
  });
  const targetArn = arn('client/c');
  const start = (parameters: Record<string, never> | object) =>
    commands.start({ targetArn, parameters: parameters as StartInput['parameters'] & object });
  const executionId = await start({ who: { S: 'me' } });
  await start({ who: { S: 'me' }, temperature: { I: 75 } });
  assert.deepEqual(
    commands.sent.map(({ topic, payload, properties }) => [
      topic.split('/').slice(-2).join('/'),
      decode(payload),
      properties?.contentType,
    ]),
    [72, 75].map((temperature) => ['request/cbor', { temperature, who: 'me' }, 'application/cbor']),
  );
  const shown = await commands.call('GetCommandExecution', { executionId, targetArn });
  assert.deepEqual(shown.parameters, { who: { S: 'me' } });
  const bad: readonly [object, RegExp][] = [
    [{}, /'who' has no value/],
    [{ who: { S: 'me' }, temperature: { I: 81 } }, /IN_RANGE/],
    [{ who: { S: 'me' }, temperature: { D: 70 } }, /not of the type/],
    [{ who: { S: 'me' }, other: { S: 'x' } }, /no parameter 'other'/],
    [{ who: { S: 'x'.repeat(70_000) } }, /larger/],
  ];
  for (const [parameters, words] of bad) await assert.rejects(start(parameters), { code: 'ValidationException', message: words });
});

test('a device reports status, reason and result, in JSON and CBOR (41.3, 41.4)', async () => {
  await using commands = await Fixture.withCommand();
  const executionId = await commands.start();
  const accepted = ['accepted/json', { executionId, clientToken: 't' }];
  assert.deepEqual(await commands.report(executionId, { status: 'IN_PROGRESS', clientToken: 't' }), accepted);
  commands.clock.at += 1000;
  const reason = { reasonCode: 'ALL_WELL', reasonDescription: 'fine' };
  const result = { text: { s: 'x' }, yes: { b: true }, bytes: { bin: new Uint8Array([1, 2]) } };
  const done = await commands.report(executionId, { status: 'SUCCEEDED', statusReason: reason, result }, 'cbor');
  assert.deepEqual(done, ['accepted/cbor', { executionId }]);
  const at = new Date(commands.clock.at);
  const get = (includeResult?: boolean) => commands.call('GetCommandExecution', { executionId, targetArn: LAMP, includeResult });
  const shown = await get(true);
  assert.deepEqual([shown.status, shown.statusReason, shown.completedAt, shown.lastUpdatedAt], ['SUCCEEDED', reason, at, at]);
  assert.deepEqual(shown.result, { text: { S: 'x' }, yes: { B: true }, bytes: { BIN: new Uint8Array([1, 2]) } });
  assert.equal((await get()).result, undefined);
  assert.deepEqual(commands.statuses, ['CREATED', 'IN_PROGRESS', 'SUCCEEDED']);
  assert.deepEqual(commands.events[2]?.event.statusReason, reason);
  assert.equal('result' in (commands.events[2]?.event ?? {}), false);
  for (const status of ['IN_PROGRESS', 'SUCCEEDED', 'TIMED_OUT'])
    assert.equal(await commands.error(executionId, { status }), 'TerminalStateReached');
});

test('statuses and what may become of them (41.3)', async () => {
  for (const status of ['SUCCEEDED', 'FAILED', 'REJECTED', 'TIMED_OUT']) {
    await using commands = await Fixture.withCommand();
    const executionId = await commands.start({ executionTimeoutSeconds: 5 });
    await commands.report(executionId, { status: 'IN_PROGRESS' });
    await commands.report(executionId, { status: 'IN_PROGRESS', statusReason: { reasonCode: 'HALF' } });
    assert.equal(await commands.error(executionId, { status: 'CREATED' }), 'InvalidStateTransition');
    await commands.pass(4_999);
    assert.equal((await commands.call('GetCommandExecution', { executionId, targetArn: LAMP })).status, 'IN_PROGRESS');
    await commands.pass(1);
    const {
      status: late,
      statusReason,
      completedAt,
    } = await commands.call('GetCommandExecution', { executionId, targetArn: LAMP });
    assert.deepEqual([late, statusReason, completedAt], ['TIMED_OUT', { reasonCode: '$NO_RESPONSE_FROM_DEVICE' }, undefined]);
    assert.equal(await commands.error(executionId, { status: 'IN_PROGRESS' }), 'InvalidStateTransition');
    assert.equal((await commands.report(executionId, { status }))[0], 'accepted/json');
    assert.equal(await commands.error(executionId, { status: 'FAILED' }), 'TerminalStateReached');
    assert.deepEqual(commands.statuses, ['CREATED', 'IN_PROGRESS', 'IN_PROGRESS', 'TIMED_OUT', status]);
    await commands.pass(12 * HOUR);
    assert.equal(commands.statuses.length, 5, 'the end of the time counts once');
  }
});

test('reports that are malformed, of nothing, or of another target are rejected and change nothing (41.4)', async () => {
  await using commands = await Fixture.withCommand();
  const executionId = await commands.start();
  const ok = { status: 'SUCCEEDED' };
  const bad: readonly (object | string)[] = [
    ...['', '{', '[]', {}, { status: 'DONE' }, { status: 1 }],
    ...[
      { ...ok, statusReason: {} },
      { ...ok, statusReason: { reasonCode: 'lower' } },
      { ...ok, statusReason: 'x' },
    ],
    { ...ok, statusReason: { reasonCode: 'X'.repeat(65) } },
    { ...ok, statusReason: { reasonCode: 'X', reasonDescription: 'a\u0000' } },
    { ...ok, statusReason: { reasonCode: 'X', reasonDescription: 'x'.repeat(1025) } },
    ...[
      { ...ok, result: {} },
      { ...ok, result: { a: { x: 1 } } },
      { ...ok, result: { a: { s: 'x', b: true } } },
    ],
    ...[
      { ...ok, result: { 'a b': { s: 'x' } } },
      { ...ok, result: { a: { bin: '!' } } },
      { ...ok, result: { a: { s: '' } } },
    ],
    ...[
      { ...ok, clientToken: 'a b' },
      { ...ok, result: { a: { s: 'x'.repeat(33_000) } } },
    ],
  ];
  for (const body of bad)
    assert.equal(await commands.error(executionId, body), 'InvalidRequest', JSON.stringify(body).slice(0, 80));
  assert.equal(commands.refusals.length, bad.length);
  assert.match(commands.refusals[0] ?? '', /^protocol \$aws\/commands\/things\/lamp\/.*: The status is missing or invalid$/);
  assert.equal(await commands.error('none', ok), 'ResourceNotFound');
  assert.equal(await commands.error(executionId, ok, 'things/other'), 'ResourceNotFound');
  assert.equal(await commands.error(executionId, ok, 'clients/lamp'), 'ResourceNotFound');
  assert.equal(await commands.error(executionId, ok, 'groups/lamp'), 'ResourceNotFound');
  commands.disk.low = true;
  assert.equal(await commands.error(executionId, ok), 'InternalError');
  assert.deepEqual(commands.statuses, ['CREATED']);
});

test('executions are listed by command or target, and by when they began or ended (41.3)', async () => {
  await using commands = await Fixture.withCommand();
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    ids.push(await commands.start({ executionTimeoutSeconds: 43_200 }));
    commands.clock.at += 60_000;
  }
  await commands.report(ids[1] ?? '', { status: 'SUCCEEDED' });
  const client = await commands.start({ targetArn: arn('client/c') });
  const list = async (input: object) =>
    (await commands.call('ListCommandExecutions', input)).commandExecutions?.map(({ executionId }) => executionId);
  const startedTimeFilter = { after: '2025-12-31T00:00' };
  assert.deepEqual(await list({ targetArn: LAMP, startedTimeFilter }), ids.toReversed());
  assert.deepEqual(await list({ commandArn: COMMAND, startedTimeFilter, sortOrder: 'ASCENDING' }), [...ids, client]);
  assert.deepEqual(
    await list({ targetArn: LAMP, startedTimeFilter: { after: '2026-01-01T12:00', before: '2026-01-01T12:02' } }),
    [ids[1]],
  );
  assert.deepEqual(await list({ targetArn: LAMP, completedTimeFilter: startedTimeFilter }), [ids[1]]);
  assert.deepEqual(await list({ commandArn: COMMAND, completedTimeFilter: { before: '2026-01-01T12:03' } }), []);
  assert.deepEqual(await list({ targetArn: LAMP, startedTimeFilter, status: 'SUCCEEDED' }), [ids[1]]);
  const { nextToken } = await commands.call('ListCommandExecutions', { targetArn: LAMP, startedTimeFilter, maxResults: 2 });
  assert.deepEqual(await list({ targetArn: LAMP, startedTimeFilter, maxResults: 2, nextToken }), [ids[0]]);
  const bad = [
    { startedTimeFilter },
    { targetArn: LAMP, commandArn: COMMAND, startedTimeFilter },
    { targetArn: LAMP },
    { targetArn: LAMP, startedTimeFilter, completedTimeFilter: startedTimeFilter },
    { targetArn: LAMP, startedTimeFilter: {} },
    { targetArn: LAMP, startedTimeFilter: { after: 'yesterday' } },
    { targetArn: 'lamp', startedTimeFilter },
    { targetArn: LAMP, startedTimeFilter, nextToken: 'none' },
  ];
  for (const input of bad) await commands.refuses('ValidationException', 'ListCommandExecutions', input);
});

test('an execution is deleted at its end, and goes by itself after six months, with all that belongs to it', async () => {
  await using commands = await Fixture.withCommand();
  const [first, second] = [await commands.start(), await commands.start()];
  await commands.refuses('ConflictException', 'DeleteCommandExecution', { executionId: first, targetArn: LAMP }, /CREATED/);
  await commands.report(first, { status: 'FAILED', result: { a: { s: 'x' } } });
  await commands.call('DeleteCommandExecution', { executionId: first, targetArn: arn('client/other') });
  await commands.call('DeleteCommandExecution', { executionId: first, targetArn: LAMP });
  await commands.refuses('ResourceNotFoundException', 'GetCommandExecution', { executionId: first, targetArn: LAMP });
  await commands.report(second, { status: 'SUCCEEDED', result: { a: { s: 'x' } } });
  await commands.pass(10_000);
  await commands.pass(183 * 24 * HOUR);
  await commands.refuses('ResourceNotFoundException', 'GetCommandExecution', { executionId: second, targetArn: LAMP });
  const left = await commands.store.read(async (tx) => [
    (await tx.scan(executionDetails, { prefix: [] })).items,
    (await tx.scan(dueRecords, { prefix: ['command-execution'] })).items,
    (await tx.scan(recordCounts, { prefix: [caller.accountId, 'command-executions'] })).items,
  ]);
  assert.deepEqual(left, [[], [], []]);
});
