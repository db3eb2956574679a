/** Software packages in job documents (fact sheet 37): what a job brings, and the placeholders that it fills. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JobsFixture, PRESIGN_ROLE, thingArnOf } from './jobs.fixture.ts';

const versionArn = (name: string): string => `arn:aws:iot:us-east-1:123456789012:package/${name}`;
const of = (rest: string): string => `\${aws:iot:package:${rest}}`;
const ATTRIBUTES = { url: 'https://s3.amazonaws.com/bucket/k', note: 'a "b" ${aws:iot:s3-presigned-url:https://x}' };

/** A thing, a published package `lamp` that has a default, and one `bare` without an artifact. */
async function opened(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.things('t');
  const artifact = { s3Location: { bucket: 'bucket', key: 'a b/é?', version: 'v7' } };
  for (const [packageName, more] of [['lamp', { attributes: ATTRIBUTES, artifact }] as const, ['bare', {}] as const]) {
    await bench.call('CreatePackage', { packageName });
    await bench.call('CreatePackageVersion', { packageName, versionName: '1.0', ...more });
    await bench.call('UpdatePackageVersion', { packageName, versionName: '1.0', action: 'PUBLISH' });
  }
  await bench.call('UpdatePackage', { packageName: 'lamp', defaultVersionName: '1.0' });
  return bench;
}

const create = (document: object | string, versions: readonly string[], more: object = {}) => ({
  jobId: 'j',
  targets: [thingArnOf('t')],
  document: typeof document === 'string' ? document : JSON.stringify(document),
  destinationPackageVersions: versions.map(versionArn),
  presignedUrlConfig: { roleArn: PRESIGN_ROLE },
  ...more,
});

/** The document as the device gets it. */
async function got(bench: JobsFixture): Promise<unknown> {
  await bench.settle();
  return ((await bench.ask('t', 'j/get')).body.execution as { jobDocument: unknown }).jobDocument;
}

describe('package placeholders', () => {
  test('attributes, maps of them and artifacts are put in; what an attribute says is no placeholder', async () => {
    const cases: readonly (readonly [document: object, got: object])[] = [
      [{ a: of('lamp:version:1.0:attributes:url') }, { a: ATTRIBUTES.url }],
      [{ a: `<${of('lamp:version:1.0:attributes:note')}>` }, { a: `<${ATTRIBUTES.note}>` }],
      [{ a: of(':version::attributes:url') }, { a: ATTRIBUTES.url }],
      [{ a: of('lamp:version:1.0:attributes') }, { a: ATTRIBUTES }],
      [{ a: [of(':version::attributes')] }, { a: [ATTRIBUTES] }],
      [{ a: of('lamp:version:1.0:artifact-location:s3-presigned-url') }, { a: 'https://signed/bucket/a b/é??GET&v7&3600' }],
      [{ a: of('lamp:version:1.0:artifact:s3-presigned-url') }, { a: 'https://signed/bucket/a b/é??GET&v7&3600' }],
      [
        { a: `\${aws:iot:s3-presigned-url:${of('lamp:version:1.0:attributes:url')}}` },
        { a: 'https://signed/bucket/k?GET&&3600' },
      ],
    ];
    for (const [document, expected] of cases) {
      await using bench = await opened();
      const input = create(document, ['lamp/version/1.0']);
      await bench.call('CreateJob', input);
      assert.deepEqual(await got(bench), expected, input.document);
      const before = await bench.call('GetJobDocument', { jobId: 'j', beforeSubstitution: true });
      assert.equal(before.document, input.document);
    }
  });

  test('the default is resolved when the job is made, and shown as it was given before substitution', async () => {
    await using bench = await opened();
    const document = { a: of('lamp:version:$default:attributes:url') };
    await bench.call('CreateJob', create(document, ['lamp/version/$default', 'bare/version/$null']));
    await bench.call('CreatePackageVersion', { packageName: 'lamp', versionName: '2.0' });
    await bench.call('UpdatePackageVersion', { packageName: 'lamp', versionName: '2.0', action: 'PUBLISH' });
    await bench.call('UpdatePackage', { packageName: 'lamp', defaultVersionName: '2.0' });
    const shown = async (beforeSubstitution: boolean) =>
      (await bench.call('DescribeJob', { jobId: 'j', beforeSubstitution })).job?.destinationPackageVersions;
    assert.deepEqual(await shown(false), [versionArn('lamp/version/1.0'), versionArn('bare/version/$null')]);
    assert.deepEqual(await shown(true), [versionArn('lamp/version/$default'), versionArn('bare/version/$null')]);
    assert.equal((await bench.call('GetJobDocument', { jobId: 'j' })).document, JSON.stringify({ a: ATTRIBUTES.url }));
    assert.deepEqual(await got(bench), { a: ATTRIBUTES.url });
  });

  test('what can not be resolved is refused in the words of the guide', async () => {
    await using bench = await opened();
    const lamp = ['lamp/version/1.0'];
    const url = 'attributes:url';
    const bad: readonly (readonly [document: string, versions: readonly string[], words: RegExp, more?: object])[] = [
      [of(`lamp:version:1.0:${url}`).slice(0, -1), lamp, /^One or more parameters or placeholders are not terminated\.$/],
      [
        of(`:version::${url}`),
        [...lamp, 'bare/version/1.0'],
        /^Cannot resolve empty package name and version name given multiple/,
      ],
      [of(`:version::${url}`), [], /^Cannot resolve empty package name and version name/],
      [of(`lamp:version::${url}`), lamp, /^Empty package name and version name have to be used in pair\.$/],
      [of(`:version:1.0:${url}`), lamp, /^Empty package name and version name have to be used in pair\.$/],
      [of(`lamp:version:$null:${url}`), ['lamp/version/$null'], /^\$null is not allowed to be referenced as a package version/],
      [of(`:version::${url}`), ['lamp/version/$null'], /^\$null is not allowed to be referenced as a package version/],
      [of(`lamp:version:2.0:${url}`), lamp, /^Package lamp version 2\.0 .* not among/],
      [of(`lamp:version:1.0:${url}`), ['lamp/version/$default'], /not among/],
      [of(`lamp:version:1.0:${url}`), [], /not among/],
      [of('lamp:version:1.0:attributes:none'), lamp, /has no attribute none/],
      [of('lamp:version:1.0:other'), lamp, /is not valid/],
      [
        of('bare:version:1.0:artifact-location:s3-presigned-url'),
        ['bare/version/1.0'],
        /^Package bare version 1\.0 does not have an associated artifact to generate an S3 presigned url\.$/,
      ],
      [
        of('lamp:version:1.0:artifact-location:s3-presigned-url'),
        lamp,
        /^presignedUrlConfig role ARN is required .* for package lamp version 1\.0 artifact\.$/,
        { presignedUrlConfig: undefined },
      ],
      [`x${of('lamp:version:1.0:attributes')}`, lamp, /has to be a json value by itself/],
      [`\${aws:iot:s3-presigned-url:${of('lamp:version:1.0:attributes')}}`, lamp, /has to be a json value by itself/],
      [`\${aws:iot:s3-presigned-url:${of('lamp:version:1.0:artifact:s3-presigned-url')}}`, lamp, /cannot be nested inside/],
      [`\${aws:iot:s3-presigned-url:${of('lamp:version:1.0:attributes:note')}}`, lamp, /not terminated/],
      ['plain', ['bare/version/$default'], /has no default version/],
    ];
    for (const [text, versions, words, more] of bad)
      await bench.refuses('InvalidRequestException', 'CreateJob', create({ a: text }, versions, more), words);
    const unknown = create({}, ['none/version/1.0']);
    await bench.refuses('ResourceNotFoundException', 'CreateJob', unknown, /package none does not exist/);
    const key = create(`{"${of('lamp:version:1.0:attributes')}":1}`, lamp);
    await bench.refuses('InvalidRequestException', 'CreateJob', key, /not valid JSON/);
  });

  test('a document that its attributes make too large is refused', async () => {
    await using bench = await opened();
    await bench.call('CreatePackageVersion', { packageName: 'lamp', versionName: '2', attributes: { a: 'x'.repeat(3000) } });
    await bench.call('UpdatePackageVersion', { packageName: 'lamp', versionName: '2', action: 'PUBLISH' });
    const input = create({ a: of('lamp:version:2:attributes:a').repeat(11) }, ['lamp/version/2']);
    await bench.refuses('InvalidRequestException', 'CreateJob', input, /at most 32768 bytes/);
  });

  test('a template keeps its placeholders, which a job from it fills', async () => {
    await using bench = await opened();
    const document = { a: of(':version::attributes'), b: of('lamp:version:1.0:artifact-location:s3-presigned-url') };
    const { jobId: _, targets, ...template } = create(document, ['lamp/version/1.0']);
    const { jobTemplateArn } = await bench.call('CreateJobTemplate', { jobTemplateId: 't', description: 'd', ...template });
    assert.equal((await bench.call('DescribeJobTemplate', { jobTemplateId: 't' })).document, template.document);
    await bench.call('CreateJob', { jobId: 'j', targets, jobTemplateArn });
    assert.deepEqual(await got(bench), { a: ATTRIBUTES, b: 'https://signed/bucket/a b/é??GET&v7&3600' });
    const bad = { jobTemplateId: 'u', description: 'd', document: JSON.stringify({ a: of('lamp:version::attributes') }) };
    await bench.refuses('InvalidRequestException', 'CreateJobTemplate', bad, /in pair/);
  });

  test('before substitution the document of a managed template has its parameters', async () => {
    await using bench = await opened();
    const input = { jobId: 'j', targets: [thingArnOf('t')], jobTemplateArn: 'arn:aws:iot:us-east-1::jobtemplate/AWS-Reboot:1.0' };
    await bench.call('CreateJob', { ...input, documentParameters: { pathToHandler: '/h' } });
    const { document } = await bench.call('GetJobDocument', { jobId: 'j', beforeSubstitution: true });
    assert.match(document ?? '', /\$\{aws:iot:parameter:pathToHandler\}/);
  });
});
