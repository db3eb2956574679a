/** Software packages, their versions and SBOMs (fact sheet 44). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Domain } from '../domain.ts';
import { zipOf, zipOfFiles } from '../functions/code/zip.fixture.ts';
import { objectFault, refuseReading } from '../objects/contract.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { caller, clockAt, OperationsFixture, recordTags, stranger, type TestStore } from '../testing/operations-fixture.ts';
import { reportedPackages, resolveDestinations, versionUpdatesByJobs } from './contract.ts';
import { packageDomain } from './domain.ts';

const arn = (resource: string): string => `arn:aws:iot:us-east-1:123456789012:${resource}`;
const TOKEN = 'x'.repeat(36);
const packageName = 'lamp';
const NAME = { packageName, versionName: '1.0' };

class Fixture extends OperationsFixture {
  readonly clock = clockAt(1_000_000);
  readonly tags = recordTags();
  readonly domain: Domain;
  readonly objects = new Map<string, Buffer>();
  protected readonly handlers: Handlers<IotOperations>;

  private constructor(store: TestStore) {
    super(store);
    this.domain = packageDomain.open({
      clock: this.clock,
      tags: this.tags,
      findRole: async () => 'unknown-role',
      inRegion: () => store,
      refuse: ({ reason }) => assert.fail(reason),
      packageShadows: { report: async () => undefined },
      roleObjects: {
        open: async (role, name) => {
          refuseReading(role, name);
          const bytes = this.objects.get(name.key) ?? objectFault('NoSuchKey', 'The specified key does not exist.');
          async function* content() {
            yield bytes;
          }
          return { size: bytes.length, etag: '""', lastModified: 0, content: content(), [Symbol.dispose]: () => undefined };
        },
      },
    });
    this.handlers = this.domain.operations?.({ region: 'us-east-1', store, taggable: {} }).iot ?? {};
  }

  static async open(): Promise<Fixture> {
    return new Fixture(await openMemoryStore());
  }

  static async withVersion(): Promise<Fixture> {
    const fixture = await Fixture.open();
    await fixture.call('CreatePackage', { packageName });
    await fixture.call('CreatePackageVersion', NAME);
    return fixture;
  }

  async has(name: string): Promise<boolean | undefined> {
    return this.store.read(async (tx) => this.domain.taggable?.package?.(tx, caller.accountId, name));
  }
}

test('a package is created once for one token, shown, updated, listed and deleted', async () => {
  await using packages = await Fixture.open();
  const made = { packageName, packageArn: arn('package/lamp'), description: 'd' };
  const asked = { packageName, description: 'd', clientToken: TOKEN, tags: { k: 'v' } };
  assert.deepEqual(await packages.call('CreatePackage', asked), made);
  assert.deepEqual(await packages.call('CreatePackage', asked), made);
  assert.deepEqual(packages.tags.tagged.get(made.packageArn), [{ Key: 'k', Value: 'v' }]);
  await packages.refuses('ConflictException', 'CreatePackage', { packageName });
  await packages.refuses('ConflictException', 'CreatePackage', { ...asked, description: 'other' });
  const at = new Date(1_000_000);
  const shown = { ...made, defaultVersionName: undefined, creationDate: at, lastModifiedDate: at };
  assert.deepEqual(await packages.call('GetPackage', { packageName }), shown);
  packages.clock.at += 1000;
  await packages.call('UpdatePackage', { packageName, description: 'e' });
  const later = new Date(1_001_000);
  assert.deepEqual(await packages.call('GetPackage', { packageName }), { ...shown, description: 'e', lastModifiedDate: later });
  await packages.call('CreatePackage', { packageName: 'a' });
  const names = async (input: object) =>
    (await packages.call('ListPackages', input)).packageSummaries?.map((each) => each.packageName);
  const { nextToken } = await packages.call('ListPackages', { maxResults: 1 });
  assert.deepEqual([await names({}), await names({ nextToken })], [['a', 'lamp'], ['lamp']]);
  await packages.refuses('ValidationException', 'ListPackages', { nextToken: 'none' });
  assert.deepEqual((await packages.call('ListPackages', {}, stranger)).packageSummaries, []);
  assert.equal(await packages.has('lamp'), true);
  await packages.call('DeletePackage', { packageName });
  await packages.call('DeletePackage', { packageName });
  await packages.refuses('ResourceNotFoundException', 'GetPackage', { packageName });
  await packages.refuses('ResourceNotFoundException', 'UpdatePackage', { packageName });
  assert.equal(await packages.has('lamp'), false);
});

test('an account has 100 packages', async () => {
  await using packages = await Fixture.open();
  for (let i = 0; i < 100; i += 1) await packages.call('CreatePackage', { packageName: `p${i}` });
  await packages.refuses('ServiceQuotaExceededException', 'CreatePackage', { packageName: 'more' }, /100 packages/);
  await packages.call('DeletePackage', { packageName: 'p0' });
  await packages.call('CreatePackage', { packageName: 'more' });
});

test('a version is a draft until it is published; then attributes and artifact stay', async () => {
  await using packages = await Fixture.open();
  await packages.refuses('ValidationException', 'CreatePackageVersion', NAME, /does not exist/);
  await packages.call('CreatePackage', { packageName });
  const artifact = { s3Location: { bucket: 'b', key: 'k' } };
  const given = { ...NAME, description: 'd', attributes: { a: 'b' }, artifact, recipe: '{}', clientToken: TOKEN };
  const versionArn = arn('package/lamp/version/1.0');
  const made = { packageVersionArn: versionArn, ...NAME, description: 'd', attributes: { a: 'b' }, status: 'DRAFT' };
  assert.deepEqual(await packages.call('CreatePackageVersion', { ...given, tags: { k: 'v' } }), made);
  assert.deepEqual(await packages.call('CreatePackageVersion', given), made);
  assert.deepEqual(packages.tags.tagged.get(versionArn), [{ Key: 'k', Value: 'v' }]);
  await packages.refuses('ConflictException', 'CreatePackageVersion', { ...given, recipe: 'x' });
  const large = { ...NAME, versionName: '2', attributes: { a: 'x'.repeat(3 * 1024) } };
  await packages.refuses('ValidationException', 'CreatePackageVersion', large, /larger than 3072/);
  await packages.refuses('ValidationException', 'CreatePackageVersion', {
    ...NAME,
    versionName: '2',
    artifact: { s3Location: {} },
  });
  const at = new Date(1_000_000);
  const dates = { creationDate: at, lastModifiedDate: at };
  assert.deepEqual(await packages.call('GetPackageVersion', NAME), {
    ...{ ...made, ...dates, artifact, recipe: '{}', sbom: undefined, sbomValidationStatus: undefined },
  });
  const update = (more: object) => packages.call('UpdatePackageVersion', { ...NAME, ...more });
  const status = async () => (await packages.call('GetPackageVersion', NAME)).status;
  await packages.refuses('ValidationException', 'UpdatePackageVersion', { ...NAME, action: 'DEPRECATE' }, /DRAFT/);
  await update({ attributes: { c: 'd' }, artifact, action: 'PUBLISH' });
  assert.equal(await status(), 'PUBLISHED');
  for (const change of [{ attributes: {} }, { artifact }])
    await packages.refuses('ValidationException', 'UpdatePackageVersion', { ...NAME, ...change }, /can not be changed/);
  await update({ description: 'e', recipe: '[]', action: 'DEPRECATE' });
  assert.equal(await status(), 'DEPRECATED');
  await update({ action: 'PUBLISH' });
  assert.equal(await status(), 'PUBLISHED');
  await packages.call('CreatePackageVersion', { packageName, versionName: '2.0' });
  const list = async (input: object) =>
    (await packages.call('ListPackageVersions', { packageName, ...input })).packageVersionSummaries?.map(
      ({ versionName }) => versionName,
    );
  assert.deepEqual(
    [await list({}), await list({ status: 'DRAFT' }), await list({ status: 'DEPRECATED' })],
    [['1.0', '2.0'], ['2.0'], []],
  );
  await packages.refuses('ResourceNotFoundException', 'GetPackageVersion', { packageName, versionName: 'none' });
  await packages.refuses('ResourceNotFoundException', 'UpdatePackageVersion', { packageName, versionName: 'none' });
  assert.deepEqual([await packages.has('lamp/version/1.0'), await packages.has('lamp/version/3')], [true, false]);
});

test('the default of a package is a version that is no draft, and can not be deleted as long as it is the default', async () => {
  await using packages = await Fixture.withVersion();
  const update = { packageName, defaultVersionName: '1.0' };
  await packages.refuses('ValidationException', 'UpdatePackage', update, /DRAFT/);
  await packages.refuses('ResourceNotFoundException', 'UpdatePackage', { packageName, defaultVersionName: '2' });
  await packages.call('UpdatePackageVersion', { ...NAME, action: 'PUBLISH' });
  await packages.refuses('ValidationException', 'UpdatePackage', { ...update, unsetDefaultVersion: true }, /Only one of/);
  await packages.call('UpdatePackage', update);
  assert.equal((await packages.call('GetPackage', { packageName })).defaultVersionName, '1.0');
  await packages.refuses('ValidationException', 'DeletePackageVersion', NAME, /default/);
  await packages.refuses('ValidationException', 'DeletePackage', { packageName }, /versions/);
  await packages.call('UpdatePackage', { packageName, unsetDefaultVersion: true });
  await packages.call('DeletePackageVersion', NAME);
  await packages.call('DeletePackageVersion', NAME);
  await packages.call('DeletePackage', { packageName });
});

test('the configuration for jobs needs a role to be enabled', async () => {
  await using packages = await Fixture.open();
  const get = async () => (await packages.call('GetPackageConfiguration', {})).versionUpdateByJobsConfig;
  assert.deepEqual(await get(), { enabled: false, roleArn: undefined });
  await packages.refuses('ValidationException', 'UpdatePackageConfiguration', { versionUpdateByJobsConfig: { enabled: true } });
  const roleArn = 'arn:aws:iam::123456789012:role/r';
  await packages.call('UpdatePackageConfiguration', { versionUpdateByJobsConfig: { enabled: true, roleArn } });
  assert.deepEqual(await get(), { enabled: true, roleArn });
  assert.equal((await packages.store.read((tx) => versionUpdatesByJobs(tx, caller.accountId))).enabled, true);
  await packages.call('UpdatePackageConfiguration', { versionUpdateByJobsConfig: { enabled: false } });
  assert.deepEqual(await get(), { enabled: false, roleArn });
});

test('an SBOM is an archive of SPDX and CycloneDX in JSON; each file has a result', async () => {
  await using packages = await Fixture.withVersion();
  const spdx = JSON.stringify({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT' });
  const cyclone = JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5' });
  const associate = (key: string) =>
    packages.call('AssociateSbomWithPackageVersion', { ...NAME, sbom: { s3Location: { bucket: 'b', key } } });
  const results = async (input: object = {}) =>
    (await packages.call('ListSbomValidationResults', { ...NAME, ...input })).validationResultSummaries;
  packages.objects.set('good', zipOfFiles({ 'a.json': spdx, 'folder/b.json': cyclone }));
  const sbom = { s3Location: { bucket: 'b', key: 'good', version: undefined } };
  assert.deepEqual(await associate('good'), { ...NAME, sbom, sbomValidationStatus: 'IN_PROGRESS' });
  const shown = await packages.call('GetPackageVersion', NAME);
  assert.deepEqual([shown.sbom, shown.sbomValidationStatus], [sbom, 'SUCCEEDED']);
  assert.deepEqual(
    (await results())?.map(({ fileName, validationResult }) => [fileName, validationResult]),
    [
      ['a.json', 'SUCCEEDED'],
      ['folder/b.json', 'SUCCEEDED'],
    ],
  );
  const large = { name: 'large.json', content: '"x"', claimedSize: 5 * 1024 * 1024 };
  packages.objects.set(
    'bad',
    zipOf([{ name: 'a.json', content: spdx }, { name: 'b.txt', content: 'x' }, { name: 'c.json', content: '{}' }, large]),
  );
  await associate('bad');
  assert.equal((await packages.call('GetPackageVersion', NAME)).sbomValidationStatus, 'FAILED');
  assert.deepEqual(
    (await results({ validationResult: 'FAILED' }))?.map(({ fileName, errorCode }) => [fileName, errorCode]),
    [
      ['b.txt', 'INCOMPATIBLE_FORMAT'],
      ['c.json', 'INCOMPATIBLE_FORMAT'],
      ['large.json', 'FILE_SIZE_LIMIT_EXCEEDED'],
    ],
  );
  const { nextToken } = await packages.call('ListSbomValidationResults', { ...NAME, maxResults: 3 });
  assert.deepEqual(
    (await results({ maxResults: 3, nextToken }))?.map(({ fileName }) => fileName),
    ['large.json'],
  );
  for (const token of ['none', '0x2', '99'])
    await packages.refuses('ValidationException', 'ListSbomValidationResults', { ...NAME, nextToken: token });
  await packages.call('DisassociateSbomFromPackageVersion', NAME);
  assert.deepEqual([(await packages.call('GetPackageVersion', NAME)).sbom, await results()], [undefined, []]);
});

test('an SBOM that can not be read is refused, by the rights of the caller', async () => {
  await using packages = await Fixture.withVersion();
  packages.objects.set('text', Buffer.from('no archive'));
  packages.objects.set('empty', zipOf([]));
  packages.objects.set('large', Buffer.alloc(2 * 1024 * 1024 + 1));
  packages.objects.set('many', zipOf(Array.from({ length: 101 }, (_, i) => ({ name: `${i}.json`, content: '{}' }))));
  packages.objects.set('bomb', zipOf([{ name: 'a.json', content: 'x'.repeat(5_000_000), claimedSize: 10 }]));
  const associate = (key: string) => ({ ...NAME, sbom: { s3Location: { bucket: 'b', key } } });
  const name = 'AssociateSbomWithPackageVersion';
  await packages.refuses('ValidationException', name, { ...NAME, sbom: {} }, /needs to include SBOM reference/);
  await packages.refuses('ValidationException', name, associate('none'), /not accessible by the service/);
  await packages.refuses('ValidationException', name, associate('large'), /size exceeds limit/);
  for (const key of ['text', 'empty', 'many', 'bomb']) await packages.refuses('ValidationException', name, associate(key));
  await packages.refuses('ResourceNotFoundException', name, { ...associate('text'), versionName: 'none' });
  packages.objects.set('good', zipOfFiles({ 'a.json': '{"bomFormat":"CycloneDX","specVersion":"1.6"}' }));
  const denied = { ...caller, permissions: async () => ({ decide: () => ({ effect: 'IMPLICIT_DENY' as const }) }) };
  await packages.refuses('ValidationException', name, associate('good'), /not accessible/, denied);
  const three = await Promise.allSettled(Array.from({ length: 3 }, () => packages.call(name, associate('good'))));
  assert.deepEqual(
    three.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'ok')),
    ['ok', 'ok', 'ServiceQuotaExceededException'],
  );
});

test('what jobs need: versions by ARN, the default, none; drafts and strangers are refused', async () => {
  await using packages = await Fixture.withVersion();
  const artifact = { bucket: 'b', key: 'k' };
  await packages.call('UpdatePackageVersion', { ...NAME, attributes: { a: 'b' }, artifact: { s3Location: artifact } });
  const resolve = (...names: string[]) =>
    packages.store.read((tx) =>
      resolveDestinations(
        tx,
        caller,
        names.map((name) => arn(`package/${name}`)),
      ),
    );
  await assert.rejects(resolve('lamp/version/1.0'), { code: 'InvalidRequestException', message: /DRAFT/ });
  await packages.call('UpdatePackageVersion', { ...NAME, action: 'PUBLISH' });
  const resolved = { ...NAME, namedAs: '1.0', arn: arn('package/lamp/version/1.0'), attributes: { a: 'b' }, artifact };
  assert.deepEqual(JSON.parse(JSON.stringify(await resolve('lamp/version/1.0'))), [resolved]);
  await assert.rejects(resolve('lamp/version/$default'), { code: 'InvalidRequestException', message: /no default/ });
  await packages.call('UpdatePackage', { packageName, defaultVersionName: '1.0' });
  const byDefault = await resolve('lamp/version/$default');
  assert.deepEqual(JSON.parse(JSON.stringify(byDefault)), [{ ...resolved, namedAs: '$default' }]);
  assert.deepEqual(reportedPackages(byDefault.map((each) => each.arn)), { lamp: { version: '1.0', attributes: null } });
  assert.deepEqual(reportedPackages([arn('package/lamp/version/$null')]), { lamp: null });
  for (const name of ['lamp', 'lamp/version/', 'lamp/version/$other', 'lamp/version/a/b'])
    await assert.rejects(resolve(name), { code: 'InvalidRequestException' }, name);
  for (const name of ['none/version/1.0', 'lamp/version/2'])
    await assert.rejects(resolve(name), { code: 'ResourceNotFoundException' }, name);
  await assert.rejects(resolve('lamp/version/1.0', 'lamp/version/$null'), { code: 'InvalidRequestException' });
  await assert.rejects(resolve(...Array<string>(26).fill('lamp/version/1.0')), {
    code: 'InvalidRequestException',
    message: /25/,
  });
  const foreign = packages.store.read((tx) => resolveDestinations(tx, stranger, [arn('package/lamp/version/1.0')]));
  await assert.rejects(foreign, { code: 'InvalidRequestException' });
});
