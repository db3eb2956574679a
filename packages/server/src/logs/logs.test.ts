/** Log groups, streams and events over a real store (CloudWatch Logs API reference). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openLog } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { byRegion, regionsOf } from '../store/regional.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { readFilter } from './filter.ts';
import { logsService } from './logs-service.ts';
import { LogWriter } from './writer.ts';

const CALLER = { accountId: '123456789012', region: 'us-east-1', arn: '', userId: '', sourceIp: '', requestId: '' };
const folder = mkdtempSync(join(tmpdir(), 'thingkeep-logs-'));
const DAY = 24 * 3600 * 1000;

let store: Store;
let now = Date.UTC(2026, 0, 10);
const clock = { now: () => now, monotonic: () => now };
let writer: LogWriter;
let group = '';

async function call<T = Record<string, unknown>>(operation: string, input: Record<string, unknown> = {}): Promise<T> {
  const { operations } = logsService({ store: byRegion(store)('us-east-1'), clock });
  return (await operations[operation]?.(input, CALLER)) as T;
}
const refused = (work: Promise<unknown>, code: string): Promise<void> => assert.rejects(work, { code });
const put = (stream: string, ...messages: string[]) =>
  call<{ rejectedLogEventsInfo?: object }>('PutLogEvents', {
    logGroupName: group,
    logStreamName: stream,
    logEvents: messages.map((message, index) => ({ timestamp: now + index, message })),
  });
interface Events {
  readonly events: readonly { readonly message: string }[];
  readonly nextForwardToken?: string;
  readonly nextBackwardToken?: string;
  readonly nextToken?: string;
}
const messagesOf = ({ events }: Events): string[] => events.map(({ message }) => message);

before(async () => {
  store = await openSqliteStore({ path: join(folder, 'thingkeep.db') });
  writer = new LogWriter({ inRegion: byRegion(store), regions: () => regionsOf(store), clock, log: openLog('silent') });
});
after(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async ({ name }) => {
  group = `/test/${name.replaceAll(/\W+/g, '-')}`;
  await call('CreateLogGroup', { logGroupName: group, tags: { a: '1' } });
});

test('groups: once each, described, tagged, kept for a time, deleted', async () => {
  await refused(call('CreateLogGroup', { logGroupName: group }), 'ResourceAlreadyExistsException');
  await refused(call('CreateLogGroup', { logGroupName: 'a b' }), 'InvalidParameterException');
  await call('PutRetentionPolicy', { logGroupName: group, retentionInDays: 7 });
  await refused(call('PutRetentionPolicy', { logGroupName: group, retentionInDays: 8 }), 'InvalidParameterException');
  const arn = `arn:aws:logs:us-east-1:123456789012:log-group:${group}`;
  const described = await call<{ logGroups: Record<string, unknown>[] }>('DescribeLogGroups', { logGroupNamePrefix: group });
  assert.equal(described.logGroups.length, 1);
  assert.deepEqual([described.logGroups[0]?.arn, described.logGroups[0]?.retentionInDays], [`${arn}:*`, 7]);
  await call('TagResource', { resourceArn: arn, tags: { b: '2' } });
  await call('UntagResource', { resourceArn: arn, tagKeys: ['a'] });
  assert.deepEqual(await call('ListTagsForResource', { resourceArn: arn }), { tags: { b: '2' } });
  assert.deepEqual(await call('ListTagsLogGroup', { logGroupName: group }), { tags: { b: '2' } });
  await call('DeleteLogGroup', { logGroupName: group });
  await refused(call('DeleteLogGroup', { logGroupName: group }), 'ResourceNotFoundException');
});

test('a request is about one group: permissions are asked for on that one', async () => {
  const both = { logGroupName: group, logGroupIdentifier: `${group}-other` };
  for (const operation of ['FilterLogEvents', 'DescribeLogStreams'])
    await refused(call(operation, both), 'InvalidParameterException');
  await call('CreateLogGroup', { logGroupName: both.logGroupIdentifier });
  const resourceArn = `arn:aws:logs:us-east-1:123456789012:log-group:${both.logGroupIdentifier}`;
  await call('TagLogGroup', { logGroupName: group, resourceArn, tags: { of: 'this' } });
  assert.deepEqual(await call('ListTagsForResource', { resourceArn, logGroupName: group }), { tags: {} });
  await refused(call('TagResource', { logGroupName: group, tags: { of: 'this' } }), 'InvalidParameterException');
});

test('events come back in the order of their times, forward and backward', async () => {
  await call('CreateLogStream', { logGroupName: group, logStreamName: 's' });
  await put('s', 'a', 'b', 'c');
  now -= 1000;
  await put('s', 'earlier');
  now += 1000;
  const from = { logGroupName: group, logStreamName: 's' };
  const first = await call<Events>('GetLogEvents', { ...from, limit: 2, startFromHead: true });
  assert.deepEqual(messagesOf(first), ['earlier', 'a']);
  const second = await call<Events>('GetLogEvents', { ...from, limit: 2, nextToken: first.nextForwardToken });
  assert.deepEqual(messagesOf(second), ['b', 'c']);
  const end = await call<Events>('GetLogEvents', { ...from, nextToken: second.nextForwardToken });
  assert.deepEqual(messagesOf(end), []);
  assert.equal(end.nextForwardToken, second.nextForwardToken);
  assert.deepEqual(messagesOf(await call<Events>('GetLogEvents', { ...from, limit: 2 })), ['b', 'c']);
  const back = await call<Events>('GetLogEvents', { ...from, nextToken: second.nextBackwardToken });
  assert.deepEqual(messagesOf(back), ['earlier', 'a']);
  await refused(call('GetLogEvents', { ...from, nextToken: 'nonsense' }), 'InvalidParameterException');
  await refused(call('GetLogEvents', { ...from, logStreamName: 'none' }), 'ResourceNotFoundException');
});

test('a search goes over all streams, by time, name and words', async () => {
  for (const stream of ['x1', 'x2', 'y']) {
    await call('CreateLogStream', { logGroupName: group, logStreamName: stream });
    await put(stream, `ERROR in ${stream}`, `fine in ${stream}`);
    now += 10;
  }
  const search = (more: Record<string, unknown>) => call<Events>('FilterLogEvents', { logGroupName: group, ...more });
  assert.equal((await search({})).events.length, 6);
  assert.deepEqual(messagesOf(await search({ filterPattern: 'ERROR' })), ['ERROR in x1', 'ERROR in x2', 'ERROR in y']);
  assert.deepEqual(messagesOf(await search({ filterPattern: 'ERROR', logStreamNamePrefix: 'x' })), [
    'ERROR in x1',
    'ERROR in x2',
  ]);
  assert.deepEqual(messagesOf(await search({ logStreamNames: ['y'] })), ['ERROR in y', 'fine in y']);
  assert.deepEqual(messagesOf(await search({ startTime: now - 10 })), ['ERROR in y', 'fine in y']);
  const pages: string[] = [];
  for (let token: string | undefined; ; ) {
    const page: Events = await search({ limit: 4, nextToken: token });
    pages.push(...messagesOf(page));
    token = page.nextToken;
    if (token === undefined) break;
  }
  assert.equal(new Set(pages).size, 6);
  await refused(search({ filterPattern: '{ $.a = 1 }' }), 'InvalidParameterException');
});

test('events too old or too new are told, and the others kept', async () => {
  await call('CreateLogStream', { logGroupName: group, logStreamName: 's' });
  const logEvents = [now - 15 * DAY, now, now + 3 * 3600 * 1000].map((timestamp) => ({ timestamp, message: String(timestamp) }));
  const answer = await call('PutLogEvents', { logGroupName: group, logStreamName: 's', logEvents });
  assert.deepEqual(answer.rejectedLogEventsInfo, { tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 2 });
  assert.deepEqual(messagesOf(await call<Events>('GetLogEvents', { logGroupName: group, logStreamName: 's' })), [String(now)]);
  for (const bad of [
    [],
    [{ timestamp: now }],
    [{ timestamp: now, message: '' }],
    [
      { timestamp: now + 1, message: 'b' },
      { timestamp: now, message: 'a' },
    ],
  ])
    await refused(call('PutLogEvents', { logGroupName: group, logStreamName: 's', logEvents: bad }), 'InvalidParameterException');
});

describe('room', () => {
  const place = { region: 'us-east-1', accountId: '123456789012' };

  test('a stream keeps its newest 4 MiB at most', async () => {
    const line = 'z'.repeat(200_000);
    for (let n = 0; n < 40; n += 1) {
      writer.write(place, group, 'big', [{ timestamp: now + n, message: `${n} ${line}` }]);
      await writer.flush();
    }
    const { logGroups } = await call<{ logGroups: { storedBytes: number }[] }>('DescribeLogGroups', {
      logGroupNamePrefix: group,
    });
    const stored = logGroups[0]?.storedBytes ?? 0;
    assert.ok(stored > 1_000_000 && stored <= 4 * 1024 * 1024, String(stored));
    const all = await call<Events>('FilterLogEvents', { logGroupName: group, startTime: now + 38 });
    assert.deepEqual(
      messagesOf(all).map((message) => message.split(' ')[0]),
      ['38', '39'],
    );
    assert.deepEqual(
      messagesOf(
        await call<Events>('FilterLogEvents', { logGroupName: group, filterPattern: '"0 zz"', limit: 1, endTime: now + 1 }),
      ),
      [],
    );
  });

  test('what is older than its group keeps it goes', async () => {
    writer.write(place, group, 's', [{ timestamp: now, message: 'old' }]);
    await writer.flush();
    await call('PutRetentionPolicy', { logGroupName: group, retentionInDays: 1 });
    now += DAY + 1;
    writer.write(place, group, 's', [{ timestamp: now, message: 'new' }]);
    await writer.flush();
    await writer.tidy();
    assert.deepEqual(messagesOf(await call<Events>('FilterLogEvents', { logGroupName: group })), ['new']);
  });

  test('a group keeps the thousand streams that were written to last', async () => {
    for (let n = 0; n < 1_002; n += 1) writer.write(place, group, `s${n}`, [{ timestamp: now + n, message: String(n) }]);
    await writer.flush();
    const first = await call<{ logStreams: { logStreamName: string }[] }>('DescribeLogStreams', {
      logGroupName: group,
      orderBy: 'LastEventTime',
      limit: 1,
    });
    assert.equal(first.logStreams[0]?.logStreamName, 's2');
    const last = await call<{ logStreams: { logStreamName: string }[] }>('DescribeLogStreams', {
      logGroupName: group,
      orderBy: 'LastEventTime',
      descending: true,
      limit: 1,
    });
    assert.equal(last.logStreams[0]?.logStreamName, 's1001');
  });
});

test('patterns of terms (user guide, page FilterAndPatternSyntax)', () => {
  const cases: readonly (readonly [pattern: string, message: string, fits: boolean])[] = [
    ['', 'anything', true],
    ['ERROR', 'an ERROR', true],
    ['ERROR', 'an error', false],
    ['ERROR disk', 'disk ERROR', true],
    ['ERROR disk', 'ERROR', false],
    ['"disk full"', 'the disk full', true],
    ['"disk full"', 'full disk', false],
    ['ERROR -disk', 'ERROR disk', false],
    ['ERROR -disk', 'ERROR net', true],
    ['?ERROR ?WARN', 'WARN', true],
    ['?ERROR ?WARN', 'INFO', false],
  ];
  for (const [pattern, message, fits] of cases) assert.equal(readFilter(pattern)(message), fits, `${pattern} on ${message}`);
});
