/** Presigned URLs in job documents, and documents that are read from an object (fact sheet 37). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caller, stranger } from '../testing/operations-fixture.ts';
import { JobsFixture, PRESIGN_ROLE, thingArnOf } from './jobs.fixture.ts';
import { locateObject } from './object-locations.ts';
import { jobDocuments, type JobRecord, jobs } from './store.ts';

const document = (placeholder: string): string => JSON.stringify({ url: `\${aws:iot:${placeholder}}` });
const presignedUrlConfig = { roleArn: PRESIGN_ROLE };
const create = (more: object) => ({ jobId: 'j', targets: [thingArnOf('t')], presignedUrlConfig, ...more });

const strangersThing = `arn:aws:iot:${stranger.region}:${stranger.accountId}:thing/x`;

async function opened(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.things('t');
  return bench;
}

/** Changes the record of the job `j`. */
const change = (bench: JobsFixture, changes: Partial<JobRecord>): Promise<void> =>
  bench.regional.write(async (tx) => {
    const job = await tx.get(jobs, [bench.account, 'j']);
    assert.ok(job !== undefined);
    await tx.put(jobs, { ...job, ...changes });
  });

test('bucket, key and version of a URL, by path and by host', () => {
  const cases: readonly (readonly [url: string, found: string])[] = [
    ['https://s3.amazonaws.com/b/k', 'b k'],
    ['https://s3.eu-west-1.amazonaws.com/b/a/k.bin', 'b a/k.bin'],
    ['https://bucket.s3.amazonaws.com/a/k', 'bucket a/k'],
    ['https://bucket.s3.eu-west-1.amazonaws.com/k', 'bucket k'],
    ['https://my.bucket.s3-eu-west-1.amazonaws.com/k', 'my.bucket k'],
    ['http://localhost:8080/bucket/k?versionId=v1', 'bucket k v1'],
    ['https://s3.amazonaws.com/b', 'none'],
    ['https://s3.amazonaws.com/b/', 'none'],
    ['ftp://s3.amazonaws.com/b/k', 'none'],
    ['b/k', 'none'],
    ...['b/../k', 'b/a/./k', 'b/..', '../k', '%2e%2e/k', 'b?x/k', 'b c/k'].map(
      (path) => [`https://s3.amazonaws.com/${path}`, 'none'] as const,
    ),
    ['https://s3.amazonaws.com/b/a..b/...', 'b a..b/...'],
  ];
  for (const [url, found] of cases) {
    const { bucket, key, versionId = '' } = locateObject(url) ?? { bucket: 'none', key: '' };
    assert.equal(`${bucket} ${key} ${versionId}`.trim(), found, url);
  }
});

describe('presigned URLs', () => {
  test('each kind is signed whenever the device gets the document, in notify-next too', async () => {
    const kinds: readonly (readonly [placeholder: string, url: string])[] = [
      ['s3-presigned-url:https://s3.amazonaws.com/bucket/a%20b', 'https://signed/bucket/a%20b?GET&&3600'],
      ['s3-presigned-url-v1:https://s3.us-east-1.amazonaws.com/bucket/k', 'https://signed/bucket/k?GET&&3600'],
      ['s3-presigned-url-v2:https://bucket.s3.amazonaws.com/a%20b%3FversionId%3Dv7', 'https://signed/bucket/a b?GET&v7&3600'],
      [
        's3-presigned-url-upload:https://s3.amazonaws.com/bucket/${thingName}/${jobId}/${executionNumber}/${thingName}',
        'https://signed/bucket/t/j/1/t?PUT&&3600',
      ],
    ];
    for (const [placeholder, url] of kinds) {
      await using bench = await opened();
      const text = document(placeholder);
      await bench.call('CreateJob', create({ document: text }));
      await bench.settle();
      const next = bench.heard('t').at(-1) ?? '';
      const { execution } = JSON.parse(next.slice('notify-next '.length)) as { execution: { jobDocument: object } };
      assert.deepEqual(execution.jobDocument, { url });
      assert.equal((await bench.call('GetJobDocument', { jobId: 'j' })).document, text);
      for (const what of ['$next/get', 'j/get', 'start-next'])
        assert.deepEqual(((await bench.ask('t', what)).body.execution as { jobDocument: object }).jobDocument, { url }, what);
      const updated = await bench.ask('t', 'j/update', { status: 'IN_PROGRESS', includeJobDocument: true });
      assert.deepEqual(updated.body.jobDocument, { url });
    }
  });

  test('the job says how long a URL counts', async () => {
    await using bench = await opened();
    const text = document('s3-presigned-url:https://s3.amazonaws.com/bucket/k');
    await bench.call('CreateJob', create({ document: text, presignedUrlConfig: { roleArn: PRESIGN_ROLE, expiresInSec: 60 } }));
    await bench.settle();
    assert.match((await bench.ask('t', 'j/get')).text, /bucket\/k\?GET&&60/);
  });

  test('UpdateJob changes the members that it gives, checks both with the document, and leaves no placeholder unsigned', async () => {
    await using bench = await opened();
    const text = document('s3-presigned-url:https://s3.amazonaws.com/bucket/k');
    await bench.call('CreateJob', create({ document: text, presignedUrlConfig: { roleArn: PRESIGN_ROLE, expiresInSec: 600 } }));
    await bench.settle();
    await bench.call('UpdateJob', { jobId: 'j', presignedUrlConfig: { expiresInSec: 60 } });
    assert.match((await bench.ask('t', 'j/get')).text, /signed\/bucket\/k\?GET&&60"/);
    await bench.call('UpdateJob', { jobId: 'j', presignedUrlConfig: { roleArn: PRESIGN_ROLE } });
    const shown = (await bench.call('DescribeJob', { jobId: 'j' })).job?.presignedUrlConfig;
    assert.deepEqual(shown, { roleArn: PRESIGN_ROLE, expiresInSec: 60 });
    const other = { jobId: 'j', presignedUrlConfig: { roleArn: `${PRESIGN_ROLE}-other` } };
    await bench.refuses('InvalidRequestException', 'UpdateJob', other, /^Permission denied when attempting to use role/);
    await bench.refuses('ResourceNotFoundException', 'UpdateJob', { ...other, jobId: 'none' });
    assert.match((await bench.ask('t', 'j/get')).text, /signed\/bucket\/k/);
  });

  test('a job takes the role of its template and its own seconds', async () => {
    await using bench = await opened();
    const text = document('s3-presigned-url:https://s3.amazonaws.com/bucket/k');
    const template = { jobTemplateId: 'p', description: 'd', document: text, presignedUrlConfig };
    const { jobTemplateArn } = await bench.call('CreateJobTemplate', template);
    await bench.call('CreateJob', create({ jobTemplateArn, presignedUrlConfig: { expiresInSec: 90 } }));
    await bench.settle();
    assert.match((await bench.ask('t', 'j/get')).text, /signed\/bucket\/k\?GET&&90"/);
  });

  test('a document whose URL can not be signed is given to no device', async () => {
    await using bench = await opened();
    const text = document('s3-presigned-url:https://s3.amazonaws.com/bucket/k');
    await bench.call('CreateJob', create({ document: text }));
    await bench.settle();
    await change(bench, { presignedUrls: undefined });
    assert.match((await bench.ask('t', 'j/get')).text, /"code":"InvalidRequest"/);
    await change(bench, { presignedUrls: presignedUrlConfig });
    const other = document('s3-presigned-url-v3:https://s3.amazonaws.com/bucket/k');
    await bench.regional.write((tx) => tx.put(jobDocuments, { accountId: bench.account, jobId: 'j', document: other }));
    assert.match((await bench.ask('t', 'j/get')).text, /"code":"InvalidRequest"/);
  });

  test('what can not be signed is refused when the job is made, in the words of the guide', async () => {
    await using bench = await opened();
    const at = (rest: string) => `s3-presigned-url${rest}`;
    const bad: readonly (readonly [placeholder: string, words: RegExp, more?: object])[] = [
      [at(':https://s3.amazonaws.com/bucket/k'), /role ARN is required/, { presignedUrlConfig: undefined }],
      [at(':https://s3.amazonaws.com/bucket'), /^Provided argument for presigned url is invalid$/],
      [at('-v3:https://s3.amazonaws.com/bucket/k'), /^Provided argument for presigned url is invalid$/],
      [at('-v2:https://s3.amazonaws.com/bucket/%zz'), /^Provided argument for presigned url is invalid$/],
      [at(':https://s3.amazonaws.com/other/k'), /^Permission denied when attempting to use role \S+ to access bucket other\.$/],
      [
        at(':https://s3.amazonaws.com/bucket/k'),
        /^Permission denied when attempting/,
        { presignedUrlConfig: { roleArn: 'arn:aws:iam::123456789012:role/none' } },
      ],
      [at('-upload'), /^Provided argument for presigned url is invalid$/],
      [at(''), /^Provided argument for presigned url is invalid$/],
      [at('-uploads:https://s3.amazonaws.com/bucket/k'), /^Provided argument for presigned url is invalid$/],
      ['S3-presigned-url:https://s3.amazonaws.com/bucket/k', /^Provided argument for presigned url is invalid$/],
      ['s3-presign:https://s3.amazonaws.com/bucket/k', /^Provided argument for presigned url is invalid$/],
      [at('-upload:https://s3.amazonaws.com/bucket/${what}'), /^Undefined placeholder, \$\{what\}, inside of presign url upload/],
      [at('-upload:https://s3.amazonaws.com/bucket/${jobId}${jobId}${jobId}'), /^Undefined placeholder/],
    ];
    for (const [placeholder, words, more = {}] of bad) {
      const input = create({ document: document(placeholder), ...more });
      await bench.refuses('InvalidRequestException', 'CreateJob', input, words);
      const { targets: _, jobId: __, ...template } = input;
      await bench.refuses(
        'InvalidRequestException',
        'CreateJobTemplate',
        { jobTemplateId: 'x', description: 'd', ...template },
        words,
      );
    }
  });

  test('a URL whose role is gone is told to the device, and notify-next goes without the document', async () => {
    await using bench = await opened();
    await bench.call('CreateJob', create({ document: document('s3-presigned-url:https://s3.amazonaws.com/bucket/k') }));
    await change(bench, { presignedUrls: { roleArn: 'arn:aws:iam::123456789012:role/gone' } });
    await bench.settle();
    assert.doesNotMatch(bench.heard('t').at(-1) ?? '', /jobDocument/);
    const { outcome, body } = await bench.ask('t', 'j/get');
    assert.deepEqual([outcome, body.code], ['rejected', 'InvalidRequest']);
  });
});

const many = (count: number): string =>
  JSON.stringify(Array.from({ length: count }, (_, i) => `\${aws:iot:s3-presigned-url:https://s3.amazonaws.com/bucket/k${i}}`));

describe('a role that may sign no more', () => {
  const gone = { roleArn: 'arn:aws:iam::123456789012:role/gone' };

  async function unsignable(): Promise<JobsFixture> {
    const bench = await opened();
    await bench.call('CreateJob', create({ document: document('s3-presigned-url:https://s3.amazonaws.com/bucket/k') }));
    await bench.settle();
    await bench.job('k', ['t']);
    await change(bench, { presignedUrls: gone });
    bench.heard('t');
    return bench;
  }

  const execution = async (bench: JobsFixture) => {
    const found = (await bench.call('DescribeJobExecution', { jobId: 'j', thingName: 't' })).execution;
    return [found?.status, found?.versionNumber];
  };

  test('start-next is refused without a change, and says which job it is', async () => {
    await using bench = await unsignable();
    for (let i = 0; i < 2; i += 1) {
      const { outcome, body } = await bench.ask('t', 'start-next', { statusDetails: { a: 'b' } });
      assert.deepEqual(
        [outcome, body.code, /document of j can not be signed/.test(String(body.message))],
        ['rejected', 'InvalidRequest', true],
      );
    }
    assert.deepEqual(await execution(bench), ['QUEUED', 1]);
    assert.deepEqual(bench.heard('t'), []);
    // The device can end it without its document, and goes on with the next job.
    assert.equal((await bench.ask('t', 'j/update', { status: 'REJECTED' })).outcome, 'accepted');
    assert.match((await bench.ask('t', 'start-next')).text, /"jobId":"k"/);
  });

  test('an update that asks for the document is refused without a change', async () => {
    await using bench = await unsignable();
    const report = { status: 'IN_PROGRESS', includeJobDocument: true };
    assert.equal((await bench.ask('t', 'j/update', report)).outcome, 'rejected');
    assert.deepEqual(await execution(bench), ['QUEUED', 1]);
    assert.equal((await bench.ask('t', 'j/update', { status: 'IN_PROGRESS' })).outcome, 'accepted');
    assert.equal((await bench.ask('t', 'start-next')).outcome, 'rejected');
    assert.deepEqual(await execution(bench), ['IN_PROGRESS', 2]);
  });

  test('what becomes the next job while a document is signed is the one that is started', async () => {
    await using bench = await unsignable();
    await change(bench, { presignedUrls: presignedUrlConfig });
    bench.kept.signing.begins = async () => void (await bench.call('CancelJob', { jobId: 'j' }));
    assert.match((await bench.ask('t', 'start-next')).text, /"jobId":"k"/);
    assert.deepEqual(await execution(bench), ['CANCELED', 2]);
  });
});

describe('while a document is signed', () => {
  const url = (key: string): string =>
    JSON.stringify({ url: `\${aws:iot:s3-presigned-url:https://s3.amazonaws.com/bucket/${key}}` });

  test('a job that is made anew under its id gives its own document', async () => {
    await using bench = await opened();
    await bench.call('CreateJob', create({ document: url('old') }));
    await bench.settle();
    let isFirst = true;
    bench.kept.signing.begins = async () => {
      if (!isFirst) return;
      isFirst = false;
      await bench.call('DeleteJob', { jobId: 'j', force: true });
      await bench.settle();
      await bench.call('CreateJob', create({ document: url('new') }));
      await bench.settle();
    };
    assert.match((await bench.ask('t', 'start-next')).text, /signed\/bucket\/new/);
  });

  test('a device whose next job changes each time is asked to come again', async () => {
    await using bench = await opened();
    bench.kept.hears = () => false;
    for (let i = 0; i < 8; i += 1) await bench.call('CreateJob', { ...create({ document: url(`k${i}`) }), jobId: `j${i}` });
    await bench.settle();
    let next = 0;
    bench.kept.signing.begins = async () => {
      if (next < 7) await bench.call('DeleteJob', { jobId: `j${next++}`, force: true });
    };
    const { outcome, body } = await bench.ask('t', 'start-next');
    assert.deepEqual([outcome, body.code], ['rejected', 'RequestThrottled']);
  });

  test('a report of the end is taken without the document where that can not be signed', async () => {
    await using bench = await opened();
    await bench.call('CreateJob', create({ document: url('k') }));
    await bench.settle();
    await bench.ask('t', 'start-next');
    await change(bench, { presignedUrls: { roleArn: 'arn:aws:iam::123456789012:role/gone' } });
    const { outcome, body } = await bench.ask('t', 'j/update', { status: 'SUCCEEDED', includeJobDocument: true });
    assert.deepEqual([outcome, body.jobDocument], ['accepted', undefined]);
    assert.equal((await bench.call('DescribeJob', { jobId: 'j' })).job?.status, 'COMPLETED');
  });
});

describe('many URLs', () => {
  const urls = (count: number): string => `{"urls":${many(count)}}`;

  test('a document has at most 50', async () => {
    await using bench = await opened();
    await bench.refuses('InvalidRequestException', 'CreateJob', create({ document: urls(51) }), /at most 50 presigned urls/);
    await bench.call('CreateJob', create({ document: urls(50) }));
  });

  /** How many URLs were signed in each turn of the event loop, by account, and the sessions that signed them. */
  function watch(bench: JobsFixture) {
    const turns = new Map<string, Map<number, number>>();
    let [turn, sessions, isOver] = [0, 0, false];
    const next = (): void => {
      turn += 1;
      if (!isOver) setImmediate(next);
    };
    next();
    bench.kept.signing.begins = () => {
      sessions += 1;
    };
    bench.kept.signing.signs = (accountId) => {
      const own = turns.get(accountId) ?? new Map<number, number>();
      turns.set(accountId, own.set(turn, (own.get(turn) ?? 0) + 1));
    };
    return {
      sessions: () => sessions,
      signed: (accountId: string): readonly number[] => [...(turns.get(accountId)?.values() ?? [])],
      [Symbol.dispose]: () => {
        isOver = true;
      },
    };
  }

  test('those of a stored document are signed over many turns, by one session, and those of another account meanwhile', async () => {
    await using bench = await opened();
    await bench.call('CreateThing', { thingName: 'x' }, stranger);
    await bench.call('CreateJob', create({ document: urls(1) }));
    await bench.call('CreateJob', { ...create({ document: urls(1) }), targets: [strangersThing] }, stranger);
    await bench.settle();
    // As a server of before had it stored.
    for (const accountId of [bench.account, stranger.accountId])
      await bench.regional.write((tx) => tx.put(jobDocuments, { accountId, jobId: 'j', document: urls(400) }));
    using watched = watch(bench);
    const { signed, sessions } = watched;
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => bench.ask('t', 'j/get')),
      bench.data.DescribeJobExecution?.({ thingName: 'x', jobId: 'j' }, stranger),
    ]);
    assert.equal((answers[0] as { text: string }).text.split('https://signed/').length - 1, 400);
    assert.equal(sessions(), 6);
    assert.ok(Math.max(...signed(bench.account), ...signed(stranger.accountId)) <= 10);
    assert.equal(
      signed(bench.account).reduce((sum, count) => sum + count, 0),
      5 * 400,
    );
    // The other account does not wait for the five answers of the first one.
    assert.ok(signed(stranger.accountId).length < signed(bench.account).length / 4);
  });

  test('nothing is signed for a notification that nobody gets', async () => {
    await using bench = await opened();
    bench.kept.hears = (topic) => topic.endsWith('/notify');
    using watched = watch(bench);
    await bench.call('CreateJob', create({ document: urls(1) }));
    await bench.settle();
    assert.deepEqual([bench.heard('t').length, watched.sessions()], [1, 0]);
  });

  test('what one account has to sign keeps its own messages in order, and no message of another', async () => {
    await using bench = await opened();
    await bench.call('CreateThing', { thingName: 'x' }, stranger);
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    bench.kept.signing.begins = (accountId) => {
      if (accountId !== bench.account) return undefined;
      begun.resolve();
      return gate.promise;
    };
    await bench.call('CreateJob', create({ document: urls(1) }));
    const rollout = bench.settle();
    await begun.promise;
    const ends = bench.call('CancelJob', { jobId: 'j', force: true });
    await bench.call('CreateJob', { jobId: 'j', targets: [strangersThing], document: '{}' }, stranger);
    bench.clock.at += 1000;
    const others = bench.settle();
    while (bench.published.length < 2) await new Promise(setImmediate);
    assert.deepEqual([bench.heard('x').length, bench.heard('t')], [2, []]);
    gate.resolve();
    await Promise.all([rollout, ends, others]);
    assert.deepEqual(
      bench
        .heard('t')
        .map((each) => each.replace(/^(\S+).*"(jobs|execution)":(..).*$/, '$1 $3').replace(/ \{"timestamp.*/, ' none')),
      ['notify {"', 'notify-next {"', 'notify {}', 'notify-next none'],
    );
  });
});

describe('document sources', () => {
  test('the object is read when the job is made, and shown with its source', async () => {
    await using bench = await opened();
    const documentSource = 'https://s3.amazonaws.com/bucket/%7B%22a%22:1%7D';
    await bench.call('CreateJob', create({ documentSource }));
    assert.equal((await bench.call('DescribeJob', { jobId: 'j' })).documentSource, documentSource);
    assert.equal((await bench.call('GetJobDocument', { jobId: 'j' })).document, '{"a":1}');
    await bench.call('CreateJobTemplate', { jobTemplateId: 't', description: 'd', documentSource });
    assert.equal((await bench.call('DescribeJobTemplate', { jobTemplateId: 't' })).document, '{"a":1}');
  });

  test('one that is no document, too large, or not for the caller is refused', async () => {
    await using bench = await opened();
    const source = (rest: string) => ({ documentSource: `https://s3.amazonaws.com/${rest}` });
    const refused = (more: object, words: RegExp) => bench.refuses('InvalidRequestException', 'CreateJob', create(more), words);
    await refused(source('bucket/text'), /not valid JSON/);
    await refused(source('other/k'), /can not be read: Access Denied/);
    await refused(source('bucket'), /Invalid document source/);
    await refused(source('bucket/%zz'), /Invalid document source/);
    const little = { ...caller, permissions: async () => ({ decide: () => ({ effect: 'IMPLICIT_DENY' as const }) }) };
    await bench.refuses('InvalidRequestException', 'CreateJob', create(source('bucket/{}')), /Access Denied/, little);
  });
});
