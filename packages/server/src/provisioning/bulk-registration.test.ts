/** Bulk registration (fact sheet, sections 4.9 and 27): lines, errors by line, stop, reports, and what goes on after an end. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { caller, ProvisioningFixture, ROLE, UNTRUSTING } from '../testing/provisioning-fixture.ts';
import { inputLines } from './registration-lines.ts';
import { registrationTasks } from './registration-tasks.ts';

let fixture: ProvisioningFixture;
beforeEach(async () => {
  fixture = await ProvisioningFixture.open();
});
afterEach(async () => {
  assert.equal(fixture.openInputs, 0, 'an input is closed however its task ends');
  await fixture[Symbol.asyncDispose]();
});

const TEMPLATE = JSON.stringify({
  Parameters: { ThingName: { Type: 'String' }, Serial: { Type: 'String', Default: 'none' } },
  Resources: {
    thing: {
      Type: 'AWS::IoT::Thing',
      Properties: { ThingName: { Ref: 'ThingName' }, AttributePayload: { serial: { Ref: 'Serial' } } },
    },
  },
});

const start = async (lines: readonly string[], templateBody = TEMPLATE): Promise<string> => {
  fixture.inputs.set('input', lines.join('\n'));
  const input = { templateBody, inputFileBucket: 'b', inputFileKey: 'input', roleArn: ROLE };
  return (await fixture.call('StartThingRegistrationTask', input)).taskId ?? '';
};
const describeTask = (taskId: string) => fixture.call('DescribeThingRegistrationTask', { taskId });
const things = async (): Promise<string[]> =>
  ((await fixture.call('ListThings', {})).things ?? []).map(({ thingName = '' }) => thingName);
const line = (ThingName: string, more: object = {}): string => JSON.stringify({ ThingName, ...more });

test('each line makes what the template says, and progress is told', async () => {
  const taskId = await start([
    line('a', { Serial: '1' }),
    '',
    line('b'),
    `${line('c')}\r`,
    ...Array.from({ length: 30 }, (_, i) => line(`more-${i}`)),
  ]);
  const before = await describeTask(taskId);
  assert.deepEqual([before.status, before.percentageProgress, before.successCount], ['InProgress', 0, 0]);
  await fixture.doDueWork();
  const { status, successCount, failureCount, percentageProgress, message, inputFileKey, roleArn } = await describeTask(taskId);
  assert.deepEqual([status, successCount, failureCount, percentageProgress, message], ['Completed', 33, 0, 100, undefined]);
  assert.deepEqual([inputFileKey, roleArn], ['input', ROLE]);
  assert.equal((await things()).length, 33);
  assert.deepEqual((await fixture.call('DescribeThing', { thingName: 'a' })).attributes, { serial: '1' });
  const results = await fixture.report(taskId, 'RESULTS');
  assert.deepEqual(results[0], {
    line: 1,
    response: { resourceArns: { thing: `arn:aws:iot:us-east-1:${caller.accountId}:thing/a` } },
  });
  assert.deepEqual(
    results.slice(0, 4).map((each) => each.line),
    [1, 3, 4, 5],
  );
  assert.deepEqual(await fixture.report(taskId, 'ERRORS'), []);
  assert.deepEqual((await fixture.call('ListThingRegistrationTasks', { status: 'Completed' })).taskIds, [taskId]);
});

test('a task makes way after a while, and goes on behind the line that was done last', async () => {
  const { clock } = fixture;
  Object.assign(clock, { monotonic: () => (clock.at += 1_000) });
  const taskId = await start([
    ...Array.from({ length: 15 }, (_, i) => line(`thing-${i}`)),
    ...Array.from({ length: 15 }, () => ''),
  ]);
  let turns = 0;
  for (; (await describeTask(taskId)).status === 'InProgress' && turns < 100; turns += 1) await fixture.doDueWork();
  const { status, successCount, failureCount, percentageProgress } = await describeTask(taskId);
  assert.deepEqual([status, successCount, failureCount, percentageProgress], ['Completed', 15, 0, 100]);
  assert.ok(turns > 2, `${turns} turns`);
  const results = await fixture.report(taskId, 'RESULTS');
  assert.deepEqual(
    results.map((each) => each.line),
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
});

test('lines without anything in them leave the event loop to others', async () => {
  await start(Array.from({ length: 20_000 }, () => ''));
  fixture.pieceSize = 100_000;
  let turns = 0;
  let waiting = setImmediate(function count() {
    turns += 1;
    waiting = setImmediate(count);
  });
  await fixture.doDueWork();
  clearImmediate(waiting);
  assert.ok(turns >= 40, `${turns} turns`);
});

test('a bad line is told by its number, makes nothing, and leaves the others alone', async () => {
  const lines = [
    line('a'),
    'no json',
    '[]',
    '{"ThingName":5}',
    '{}',
    line('bad name'),
    line('z'),
    line('x'.repeat(256_001)),
    line('y'),
    '{"ThingName":"first","ThingName":"second"}',
    `{"ThingName":${'['.repeat(100_000)}`,
  ];
  const taskId = await start(lines);
  await fixture.doDueWork();
  const { status, successCount, failureCount } = await describeTask(taskId);
  assert.deepEqual([status, successCount, failureCount], ['Completed', 3, 8]);
  assert.deepEqual((await things()).toSorted(), ['a', 'y', 'z']);
  const errors = await fixture.report(taskId, 'ERRORS');
  assert.deepEqual(
    errors.map((each) => each.line),
    [2, 3, 4, 5, 6, 8, 10, 11],
  );
  assert.match(String(errors[0]?.message), /no JSON/);
  assert.match(String(errors[2]?.message), /ThingName is no string/);
  assert.match(String(errors[5]?.message), /more than 256000 characters/);
  for (const n of [6, 7]) assert.match(String(errors[n]?.message), /no JSON/);
});

test('what the role may not do fails line by line', async () => {
  fixture.denied.push('iot:CreateThing');
  const taskId = await start([line('a')]);
  await fixture.doDueWork();
  const errors = await fixture.report(taskId, 'ERRORS');
  assert.match(String(errors[0]?.message), /provisioning is not authorized to perform: iot:CreateThing/);
  assert.deepEqual(await things(), []);
});

test('a task fails as a whole where its input or role is none, or the input changes meanwhile', async () => {
  const input = { templateBody: TEMPLATE, inputFileBucket: 'b', inputFileKey: 'missing', roleArn: ROLE };
  const { taskId = '' } = await fixture.call('StartThingRegistrationTask', input);
  await fixture.doDueWork();
  const { status, message } = await describeTask(taskId);
  assert.equal(status, 'Failed');
  assert.match(message ?? '', /s3:\/\/b\/missing can not be read: The specified key does not exist/);
  await fixture.refuses(
    'InvalidRequestException',
    'StartThingRegistrationTask',
    { ...input, roleArn: UNTRUSTING },
    /can ?not be assumed/,
  );
  await fixture.refuses('InvalidRequestException', 'StartThingRegistrationTask', { ...input, templateBody: '{}' });
});

test('an account has one task at a time; one that waits can be stopped', async () => {
  const taskId = await start([line('a')]);
  const again = { templateBody: TEMPLATE, inputFileBucket: 'b', inputFileKey: 'input', roleArn: ROLE };
  await fixture.refuses('InvalidRequestException', 'StartThingRegistrationTask', again, /one at a time/);
  await fixture.call('StopThingRegistrationTask', { taskId });
  assert.equal((await describeTask(taskId)).status, 'Cancelling');
  await fixture.doDueWork();
  assert.equal((await describeTask(taskId)).status, 'Cancelled');
  assert.deepEqual(await things(), []);
  await fixture.refuses('InvalidRequestException', 'StopThingRegistrationTask', { taskId });
  await fixture.refuses('ResourceNotFoundException', 'StopThingRegistrationTask', { taskId: 'none' });
  await fixture.refuses('ResourceNotFoundException', 'DescribeThingRegistrationTask', { taskId: 'none' });
  await fixture.refuses('InvalidRequestException', 'ListThingRegistrationTaskReports', { taskId: 'none', reportType: 'ERRORS' });
  await start([line('b')]);
});

test('an account has a thousand tasks in thirty days', async () => {
  const taskId = await start([line('a')]);
  await fixture.doDueWork();
  await fixture.store.write(async (tx) => {
    const task = await tx.get(registrationTasks, [caller.accountId, taskId]);
    for (let n = 1; task !== undefined && n < 1000; n += 1) await tx.put(registrationTasks, { ...task, taskId: `task-${n}` });
  });
  const again = { templateBody: TEMPLATE, inputFileBucket: 'b', inputFileKey: 'input', roleArn: ROLE };
  await fixture.refuses('InvalidRequestException', 'StartThingRegistrationTask', again, /1000 registration tasks in 30 days/);
  fixture.clock.at += 31 * 24 * 3_600_000;
  await fixture.doDueWork();
  await start([line('b')]);
});

test('a task whose process has ended behind its last line is completed without another look at the input', async () => {
  const lines = [line('a'), line('b'), ''];
  const taskId = await start(lines);
  const size = lines.join('\n').length;
  await fixture.store.write(async (tx) => {
    const task = await tx.get(registrationTasks, [caller.accountId, taskId]);
    if (task !== undefined) await tx.put(registrationTasks, { ...task, size, offset: size, line: 2, successCount: 2 });
  });
  await fixture.doDueWork();
  const { status, successCount, percentageProgress, message } = await describeTask(taskId);
  assert.deepEqual([status, successCount, percentageProgress, message], ['Completed', 2, 100, undefined]);
});

test('a task that waits for the disk goes on where it was', async () => {
  const taskId = await start(Array.from({ length: 25 }, (_, i) => line(`t${i}`)));
  fixture.disk.low = true;
  await fixture.doDueWork();
  assert.deepEqual(await things(), []);
  fixture.disk.low = false;
  fixture.clock.at += 31_000;
  await fixture.doDueWork();
  const { status, successCount } = await describeTask(taskId);
  assert.deepEqual([status, successCount], ['Completed', 25]);
});

test('what is kept of a task goes after thirty days', async () => {
  const taskId = await start([line('a'), 'bad']);
  await fixture.doDueWork();
  fixture.clock.at += 31 * 24 * 3_600_000;
  await fixture.doDueWork();
  await fixture.refuses('ResourceNotFoundException', 'DescribeThingRegistrationTask', { taskId });
  assert.deepEqual(await things(), ['a']);
});

test('a link to a report is good for an hour', async () => {
  const taskId = await start([line('a')]);
  await fixture.doDueWork();
  const { resourceLinks: [link = ''] = [] } = await fixture.call('ListThingRegistrationTaskReports', {
    taskId,
    reportType: 'RESULTS',
  });
  assert.match(link, /^http:\/\/here\/thing-registration-reports\/[\w-]{43}$/);
  const token = link.slice(link.lastIndexOf('/') + 1);
  assert.notEqual(await fixture.reports.open(token), undefined);
  assert.equal(await fixture.reports.open(`${token}x`), undefined);
  fixture.clock.at += 3_600_001;
  assert.equal(await fixture.reports.open(token), undefined);
});

test('links of an account push out its own oldest ones, and none of another account', async () => {
  const taskId = await start([line('a')]);
  await fixture.doDueWork();
  const { reports } = fixture;
  const tokenOf = (link: string): string => link.slice(link.lastIndexOf('/') + 1);
  const [kept, oldest] = [
    tokenOf(reports.link(caller, taskId, 'RESULTS')),
    reports.link({ ...caller, accountId: '1' }, 'x', 'ERRORS'),
  ];
  for (let i = 0; i < 1_000; i += 1) reports.link({ ...caller, accountId: '1' }, 'x', 'ERRORS');
  assert.notEqual(await reports.open(kept), undefined);
  for (let i = 0; i < 100; i += 1) reports.link(caller, taskId, 'ERRORS');
  assert.equal(await reports.open(kept), undefined);
  assert.equal(await reports.open(tokenOf(oldest)), undefined);
});

test('lines are the same however the bytes come, and from wherever they are read on', async () => {
  const text = 'one\ntwo\r\n\nfür drei 💡\nlast';
  const bytes = Buffer.from(text);
  const read = async (from: number, size: number): Promise<{ text: string | undefined; end: number }[]> => {
    async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let at = from; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    const found: { text: string | undefined; end: number }[] = [];
    for await (const each of inputLines(pieces(), from)) found.push(each);
    return found;
  };
  const whole = await read(0, 1000);
  assert.deepEqual(
    whole.map((each) => each.text),
    ['one', 'two', '', 'für drei 💡', 'last'],
  );
  for (const size of [1, 2, 3, 7]) assert.deepEqual(await read(0, size), whole);
  for (const [i, { end }] of whole.entries()) assert.deepEqual(await read(end, 3), whole.slice(i + 1));
});
