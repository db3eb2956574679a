/** Streams: their operations, and what devices get of them (fact sheet 42). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Domain } from '../domain.ts';
import { objectFault, refuseReading } from '../objects/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { caller, clockAt, OperationsFixture, recordTags, stranger, type TestStore } from '../testing/operations-fixture.ts';
import { streamDomain } from './domain.ts';

const ROLE = 'arn:aws:iam::123456789012:role/streams';
const ARN = 'arn:aws:iot:us-east-1:123456789012:stream/s';
const location = (key: string, version?: string) => ({ bucket: 'b', key, version });

class Fixture extends OperationsFixture {
  readonly clock = clockAt(1_000_000);
  readonly tags = recordTags();
  readonly domain: Domain;
  readonly logged: unknown[] = [];
  readonly refusals: string[] = [];
  /** Objects by key, and parts of them that were read. */
  readonly objects = new Map<string, Buffer>();
  readonly read: string[] = [];
  isDenied = false;
  isDown = false;
  protected readonly handlers: Handlers<IotOperations>;

  private constructor(store: TestStore) {
    super(store);
    this.domain = streamDomain.open({
      clock: this.clock,
      tags: this.tags,
      streamUser: async () => undefined,
      log: { error: (entry: unknown) => this.logged.push(entry) } as never,
      inRegion: () => store,
      refuse: ({ check, reason }) => this.refusals.push(`${check} ${reason}`),
      findRole: async (_account, roleArn, _service, sourceArn = '') => {
        assert.match(sourceArn, /^arn:aws:iot:[^:]+:\d+:stream\/./);
        if (roleArn.endsWith('untrusting')) throw new ThingkeepError('AccessDeniedException', 'it does not trust');
        if (roleArn !== ROLE) return 'unknown-role';
        return { decide: () => ({ effect: this.isDenied ? 'IMPLICIT_DENY' : 'ALLOWED' }) };
      },
      roleObjects: {
        open: async (role, name, from, to) => {
          refuseReading(role, name);
          if (this.isDown) objectFault('ServiceUnavailable', 'down');
          const bytes = this.objects.get(name.key) ?? objectFault('NoSuchKey', 'The specified key does not exist.');
          this.read.push(`${name.key} ${from}-${to ?? ''}`);
          async function* content() {
            yield bytes.subarray(from, to);
          }
          const etag = `"${bytes.length}-${bytes[0]}"`;
          return { size: bytes.length, etag, lastModified: 0, content: content(), [Symbol.dispose]: () => undefined };
        },
      },
    });
    this.handlers = this.domain.operations?.({ region: 'us-east-1', store, taggable: {} }).iot ?? {};
  }

  static async open(): Promise<Fixture> {
    return new Fixture(await openMemoryStore());
  }

  async make(files: Record<string, Buffer>): Promise<void> {
    for (const [key, bytes] of Object.entries(files)) this.objects.set(key, bytes);
    const listed = Object.keys(files).map((key, fileId) => ({ fileId, s3Location: location(key) }));
    await this.call('CreateStream', { streamId: 's', roleArn: ROLE, files: listed });
    this.read.length = 0;
  }

  /** The answers of a request, as `topic's end, members`. */
  async ask(verb: 'describe' | 'get', body: object | string, streamId = 's', clientId: string | undefined = 'device') {
    const pattern = `$aws/things/{thingName}/streams/{streamId}/${verb}/json`;
    const service = this.domain.topics?.find((each) => each.pattern === pattern);
    assert.ok(service);
    const answers: (readonly [string, Record<string, unknown>])[] = [];
    const served = await service.serve(
      {
        place: { accountId: caller.accountId, region: caller.region },
        topic: `$aws/things/t/streams/${streamId}/${verb}/json`,
        parts: { thingName: 't', streamId },
        payload: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
        qos: 0,
        properties: undefined,
        requester: { clientId },
      },
      () => assert.fail('answers are given'),
    );
    for await (const { topic, payload, to } of served) {
      assert.equal(to, 'requester');
      const prefix = `$aws/things/t/streams/${streamId}/`;
      assert.ok(topic.startsWith(prefix));
      answers.push([topic.slice(prefix.length), JSON.parse(payload.toString()) as Record<string, unknown>]);
    }
    return answers;
  }

  /** The code of the one answer, which is a rejection. */
  async rejection(verb: 'describe' | 'get', body: object | string, streamId = 's'): Promise<unknown> {
    const [[topic, { o, m }] = ['none', {}], ...more] = await this.ask(verb, body, streamId);
    assert.deepEqual([topic, more.length, typeof m], ['rejected/json', 0, 'string']);
    return o;
  }
}

test('a stream is created, described, updated, listed and deleted; each update is a version (42.1)', async () => {
  await using streams = await Fixture.open();
  streams.objects.set('a', Buffer.alloc(700, 1));
  streams.objects.set('b', Buffer.alloc(3, 1));
  const files = [{ fileId: 3, s3Location: location('a') }];
  const tags = [{ Key: 'k', Value: 'v' }];
  const made = await streams.call('CreateStream', { streamId: 's', description: 'd', files, roleArn: ROLE, tags });
  assert.deepEqual(made, { streamId: 's', streamArn: ARN, description: 'd', streamVersion: 1 });
  assert.deepEqual(streams.tags.tagged.get(ARN), tags);
  const { streamInfo } = await streams.call('DescribeStream', { streamId: 's' });
  const at = new Date(1_000_000);
  assert.deepEqual(streamInfo, { ...made, files, createdAt: at, lastUpdatedAt: at, roleArn: ROLE });
  streams.clock.at += 1000;
  const second = [{ fileId: 0, s3Location: location('b', 'null') }];
  const updated = await streams.call('UpdateStream', { streamId: 's', files: second });
  assert.deepEqual(updated, { ...made, streamVersion: 2 });
  const { streamInfo: after } = await streams.call('DescribeStream', { streamId: 's' });
  assert.deepEqual([after?.files, after?.createdAt, after?.lastUpdatedAt], [second, at, new Date(1_001_000)]);
  assert.deepEqual((await streams.ask('describe', { c: 'x' }))[0], [
    'description/json',
    { c: 'x', s: 2, d: 'd', r: [{ f: 0, z: 3 }] },
  ]);
  await streams.call('CreateStream', { streamId: 't', files, roleArn: ROLE });
  const ids = async (input: object) => (await streams.call('ListStreams', input)).streams?.map(({ streamId }) => streamId);
  assert.deepEqual(
    [await ids({}), await ids({ ascendingOrder: true })],
    [
      ['t', 's'],
      ['s', 't'],
    ],
  );
  const { streams: first, nextToken } = await streams.call('ListStreams', { maxResults: 1 });
  assert.deepEqual([first?.[0]?.streamId, await ids({ nextToken })], ['t', ['s']]);
  assert.deepEqual((await streams.call('ListStreams', {}, stranger)).streams, []);
  await streams.call('DeleteStream', { streamId: 's' });
  assert.deepEqual(streams.tags.changes, [`+${ARN}`, `-${ARN}`]);
  for (const name of ['DescribeStream', 'UpdateStream', 'DeleteStream'] as const)
    await streams.refuses('ResourceNotFoundException', name, { streamId: 's' });
});

test('files are looked at when a stream is made: what the role can not read, is too large or not there is refused', async () => {
  await using streams = await Fixture.open();
  streams.objects.set('a', Buffer.alloc(10));
  streams.objects.set('large', Buffer.alloc(24 * 1024 * 1024 + 1));
  const create = { streamId: 's', roleArn: ROLE, files: [{ fileId: 0, s3Location: location('a') }] };
  const file = (key: string, fileId = 0) => ({ fileId, s3Location: location(key) });
  await streams.refuses('ResourceNotFoundException', 'CreateStream', { ...create, files: [file('none')] }, /s3:\/\/b\/none/);
  await streams.refuses('InvalidRequestException', 'CreateStream', { ...create, files: [file('large')] }, /25165825 bytes/);
  await streams.refuses('InvalidRequestException', 'CreateStream', { ...create, files: [file('a'), file('a')] }, /one fileId/);
  await streams.refuses('InvalidRequestException', 'CreateStream', { ...create, files: [{ fileId: 1 }] }, /s3Location/);
  for (const role of ['other', 'untrusting'])
    await streams.refuses('UnauthorizedException', 'CreateStream', {
      ...create,
      roleArn: `arn:aws:iam::123456789012:role/${role}`,
    });
  streams.isDenied = true;
  await streams.refuses('UnauthorizedException', 'CreateStream', create, /s3:GetObject/);
  streams.isDenied = false;
  streams.isDown = true;
  await streams.refuses('ServiceUnavailableException', 'CreateStream', create);
  streams.isDown = false;
  await streams.call('CreateStream', create);
  await streams.refuses('ResourceAlreadyExistsException', 'CreateStream', create);
});

test('a device gets blocks, the last one short, with file, number and token (42.2)', async () => {
  await using streams = await Fixture.open();
  const bytes = Buffer.from(Array.from({ length: 700 }, (_, i) => i & 0xff));
  await streams.make({ a: bytes });
  const answers = await streams.ask('get', { c: 'token', s: 1, f: 0, l: 256, o: 1, n: 5 });
  const p = (from: number, to: number) => bytes.subarray(from, to).toString('base64');
  assert.deepEqual(answers, [
    ['data/json', { c: 'token', f: 0, l: 256, i: 1, p: p(256, 512) }],
    ['data/json', { c: 'token', f: 0, l: 188, i: 2, p: p(512, 700) }],
  ]);
  assert.deepEqual(await streams.ask('get', { f: 0, l: 256 }, 's', ''), await streams.ask('get', { f: 0, l: 256 }));
});

test('rejections have their codes, and the token where it was right (42.2)', async () => {
  await using streams = await Fixture.open();
  await streams.make({ a: Buffer.alloc(700, 1), empty: Buffer.alloc(0) });
  const get = { f: 0, l: 256, o: 0, n: 1 };
  const cases: readonly (readonly [object | string, string])[] = [
    ['{', 'InvalidJson'],
    ['[]', 'InvalidJson'],
    [{}, 'InvalidRequest'],
    [{ ...get, s: 2 }, 'VersionMismatch'],
    [{ ...get, f: 7 }, 'ResourceNotFound'],
    [{ ...get, f: 1 }, 'ResourceNotFound'],
    [{ ...get, o: 3 }, 'ResourceNotFound'],
    [{ ...get, l: 1 }, 'BlockSizeOutOfBounds'],
    [{ ...get, o: 98_305 }, 'OffsetOutOfBounds'],
    [{ ...get, n: 98_305 }, 'BlockCountLimitExceeded'],
    [{ ...get, b: '00'.repeat(12_289) }, 'BlockBitmapLimitExceeded'],
  ];
  for (const [body, code] of cases) assert.equal(await streams.rejection('get', body), code, JSON.stringify(body).slice(0, 60));
  assert.equal(await streams.rejection('get', get, 'none'), 'ResourceNotFound');
  assert.equal(await streams.rejection('describe', {}, 'none'), 'ResourceNotFound');
  const [[, late] = ['', {}]] = await streams.ask('get', { ...get, c: 'token', l: 1 });
  assert.deepEqual(late, { o: 'BlockSizeOutOfBounds', m: 'The block size is out of bounds', c: 'token' });
  const [[, unnamed] = ['', {}]] = await streams.ask('get', { ...get, c: 'x'.repeat(65) });
  assert.deepEqual([unnamed.o, 'c' in unnamed], ['InvalidRequest', false]);
  streams.isDenied = true;
  assert.equal(await streams.rejection('get', get), 'Unauthorized');
  streams.isDenied = false;
  streams.isDown = true;
  assert.equal(await streams.rejection('get', get), 'InternalError');
  assert.equal(streams.logged.length, 1);
  streams.isDown = false;
  streams.objects.set('a', Buffer.alloc(700, 2));
  assert.equal(await streams.rejection('get', get), 'ETagMismatch');
  streams.objects.delete('a');
  assert.equal(await streams.rejection('get', get), 'ResourceNotFound');
});

test('requests that can not succeed as they are, and roles without the right, are among the refusals of the account', async () => {
  await using streams = await Fixture.open();
  await streams.make({ a: Buffer.alloc(700, 1) });
  await streams.ask('get', '{');
  await streams.ask('get', { f: 0, l: 1 });
  await streams.ask('get', { f: 7, l: 256 });
  streams.isDenied = true;
  await streams.ask('get', { f: 0, l: 256 });
  const topic = '$aws/things/t/streams/s/get/json';
  assert.deepEqual(
    streams.refusals.map((each) => each.split(':')[0]),
    [`protocol ${topic}`, `protocol ${topic}`, `policy ${topic}`],
  );
  assert.match(streams.refusals[2] ?? '', /is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b\/a$/);
});

test('a request of nobody who could get the answer does nothing', async () => {
  await using streams = await Fixture.open();
  await streams.make({ a: Buffer.alloc(700, 1) });
  const service = streams.domain.topics?.find(({ pattern }) => pattern.endsWith('/get/json'));
  const served = await service?.serve(
    {
      ...{ place: caller, topic: '', parts: { thingName: 't', streamId: 's' }, qos: 0, properties: undefined, requester: {} },
      payload: Buffer.from('{"f":0,"l":256}'),
    },
    () => assert.fail('answers are given'),
  );
  for await (const each of served ?? []) assert.fail(each.topic);
  assert.deepEqual(streams.read, []);
});

test('parts of a file are read once for all that ask at the time, and again after a minute; a denied role gets none', async () => {
  await using streams = await Fixture.open();
  const bytes = Buffer.alloc(600_000, 1);
  await streams.make({ a: bytes });
  const get = { f: 0, l: 131_072, n: 1 };
  const all = await Promise.all(Array.from({ length: 10 }, () => streams.ask('get', get)));
  assert.ok(all.every(([answer]) => answer?.[0] === 'data/json'));
  assert.deepEqual(streams.read, ['a 0-262144']);
  // A block over the end of a part, and the last, short one.
  await streams.ask('get', { ...get, l: 100_000, o: 2 });
  const [[, last] = ['', {}]] = await streams.ask('get', { ...get, o: 4 });
  assert.equal(last.l, 600_000 - 4 * 131_072);
  assert.deepEqual(streams.read, ['a 0-262144', 'a 262144-524288', 'a 524288-600000']);
  streams.isDenied = true;
  assert.equal(await streams.rejection('get', get), 'Unauthorized');
  streams.isDenied = false;
  streams.clock.at += 60_001;
  await streams.ask('get', get);
  assert.equal(streams.read.length, 4);
});
