/** What jobs with software packages leave in the shadow `$package` of things (fact sheet 44). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JobsFixture, PACKAGE_ROLE, PRESIGN_ROLE } from './jobs.fixture.ts';

const versionArn = (name: string): string => `arn:aws:iot:us-east-1:123456789012:package/${name}`;

const configure = (bench: JobsFixture, enabled: boolean, roleArn = PACKAGE_ROLE) =>
  bench.call('UpdatePackageConfiguration', { versionUpdateByJobsConfig: { enabled, roleArn } });

/** Things `t` and `other`, and packages `lamp` and `boot` with versions 1.0 and 2.0. */
async function opened(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.things('t', 'other');
  for (const packageName of ['lamp', 'boot']) {
    await bench.call('CreatePackage', { packageName });
    for (const versionName of ['1.0', '2.0']) {
      await bench.call('CreatePackageVersion', { packageName, versionName });
      await bench.call('UpdatePackageVersion', { packageName, versionName, action: 'PUBLISH' });
    }
  }
  await bench.call('UpdatePackage', { packageName: 'lamp', defaultVersionName: '2.0' });
  await configure(bench, true);
  return bench;
}

const place = ({ account }: JobsFixture) => ({ region: 'us-east-1', accountId: account });

/** What the shadow says that a thing has, with the shadow's version; undefined where there is none. */
async function packagesOf(bench: JobsFixture, thingName: string) {
  const address = { place: place(bench), thingName, shadowName: '$package' };
  const text = await bench.shadows.get(address).catch(() => undefined);
  if (text === undefined) return undefined;
  const { state, version } = JSON.parse(text) as { state: { reported?: object }; version: number };
  return [state.reported, version];
}

const deploy = (bench: JobsFixture, jobId: string, thingName: string, ...names: readonly string[]) =>
  bench.job(jobId, [thingName], { destinationPackageVersions: names.map(versionArn) });

const end = (bench: JobsFixture, jobId: string, thingName: string, status = 'SUCCEEDED') =>
  bench.ask(thingName, `${jobId}/update`, { status });

describe('the shadow $package', () => {
  test('it has the versions of a job that has succeeded, published as an update of a device is; $null takes one out', async () => {
    await using bench = await opened();
    await deploy(bench, 'a', 't', 'lamp/version/$default', 'boot/version/1.0');
    await end(bench, 'a', 't');
    await bench.settle();
    assert.deepEqual(await packagesOf(bench, 't'), [{ lamp: { version: '2.0' }, boot: { version: '1.0' } }, 1]);
    const topics = bench.published.map(({ topic }) => topic).filter((topic) => topic.includes('/shadow/'));
    const prefix = '$aws/things/t/shadow/name/$package/update';
    assert.deepEqual(topics, [`${prefix}/accepted`, `${prefix}/documents`]);
    await deploy(bench, 'b', 't', 'lamp/version/$null');
    await end(bench, 'b', 't');
    await bench.settle();
    assert.deepEqual(await packagesOf(bench, 't'), [{ boot: { version: '1.0' } }, 2]);
  });

  test('what a device says of attributes goes when its version is another', async () => {
    await using bench = await opened();
    const address = { place: place(bench), thingName: 't', shadowName: '$package' };
    const reported = { lamp: { version: '1.0', attributes: { a: 'b' } } };
    await bench.shadows.update(address, Buffer.from(JSON.stringify({ state: { reported } })));
    await deploy(bench, 'a', 't', 'lamp/version/2.0');
    await end(bench, 'a', 't');
    await bench.settle();
    assert.deepEqual(await packagesOf(bench, 't'), [{ lamp: { version: '2.0' } }, 2]);
  });

  test('a stop between the end of an execution and the shadow loses nothing, and the last of two jobs stands', async () => {
    await using bench = await opened();
    await deploy(bench, 'a', 't', 'lamp/version/1.0', 'boot/version/1.0');
    await deploy(bench, 'b', 't', 'lamp/version/2.0');
    await end(bench, 'a', 't');
    await end(bench, 'b', 't');
    assert.equal(await packagesOf(bench, 't'), undefined);
    await bench.restart();
    await bench.settle();
    assert.deepEqual(await packagesOf(bench, 't'), [{ boot: { version: '1.0' }, lamp: { version: '2.0' } }, 1]);
  });

  test('another end, a job without packages, and a configuration that does not say so write nothing', async () => {
    await using bench = await opened();
    await deploy(bench, 'a', 't', 'lamp/version/1.0');
    await end(bench, 'a', 't', 'FAILED');
    await bench.job('b', ['t']);
    await end(bench, 'b', 't');
    await configure(bench, false);
    await deploy(bench, 'c', 't', 'lamp/version/1.0');
    await end(bench, 'c', 't');
    await bench.settle();
    assert.equal(await packagesOf(bench, 't'), undefined);
  });

  test('the role of the configuration is asked when the shadow is written, and a refusal is recorded', async () => {
    await using bench = await opened();
    const refusals = () => bench.kept.refusals.splice(0).map(({ principal, action, resource }) => [principal, action, resource]);
    const attempt = async (jobId: string, thingName: string, roleArn: string) => {
      await deploy(bench, jobId, thingName, 'lamp/version/1.0');
      await end(bench, jobId, thingName);
      await configure(bench, true, roleArn);
      await bench.settle();
      assert.equal(await packagesOf(bench, thingName), undefined);
      const resource = `arn:aws:iot:us-east-1:123456789012:thing/${thingName}/$package`;
      assert.deepEqual(refusals(), [[roleArn, 'iot:UpdateThingShadow', resource]]);
    };
    await attempt('a', 'other', PACKAGE_ROLE);
    await attempt('b', 't', PRESIGN_ROLE);
    await attempt('c', 't', 'arn:aws:iam::123456789012:role/none');
  });

  test('a shadow that can not take it is refused for good, with a record', async () => {
    await using bench = await opened();
    const address = { place: place(bench), thingName: 't', shadowName: '$package' };
    const full = { other: { version: '1', attributes: { a: 'x'.repeat(8130) } } };
    await bench.shadows.update(address, Buffer.from(JSON.stringify({ state: { reported: full } })));
    await deploy(bench, 'a', 't', 'lamp/version/1.0');
    await end(bench, 'a', 't');
    await bench.settle();
    assert.deepEqual(await packagesOf(bench, 't'), [full, 1]);
    assert.match(bench.kept.refusals.at(-1)?.reason ?? '', /were not written into its shadow: The payload exceeds/);
  });
});
