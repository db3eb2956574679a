/** OTA updates: how they are made, fail, and are deleted; what a crash leaves (fact sheet 43). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallerPermissions, FindRole } from '@thingkeep/wire/api/authorization.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { NOTHING_PENDING } from '../broker/messaging.ts';
import { jobsDomain } from '../jobs/domain.ts';
import { openJobs } from '../jobs/open.ts';
import { objectFault, refuseReading, type RoleObjects } from '../objects/contract.ts';
import { registryDomain } from '../registry/domain.ts';
import { policyTags } from '../registry/policy-principals.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import { DueWork } from '../store/due-work.ts';
import { byRegion } from '../store/regional.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { streamDomain } from '../streams/domain.ts';
import { sharedAuthority } from '../testing/authority-fixture.ts';
import { caller, clockAt, OperationsFixture, type TestClock, type TestStore } from '../testing/operations-fixture.ts';
import { otaUpdateDomain } from './domain.ts';
import { streamUser } from './store.ts';

const ROLE = 'arn:aws:iam::123456789012:role/ota';
const TARGET = 'arn:aws:iot:us-east-1:123456789012:thing/t';
const JOB = { jobId: 'AFR_OTA-u' };
const file = (key: string) => ({ fileName: key, fileLocation: { s3Location: { bucket: 'b', key } } });
const update = { otaUpdateId: 'u', targets: [TARGET], roleArn: ROLE, files: [file('image')] };
const signed = (more: object = {}) => ({
  ...file('image'),
  codeSigning: {
    customCodeSigning: {
      signature: { inlineDocument: new Uint8Array([1]) },
      hashAlgorithm: 'SHA256',
      signatureAlgorithm: 'ECDSA',
      ...more,
    },
  },
});

class OtaFixture extends OperationsFixture {
  readonly clock: TestClock = clockAt(Date.UTC(2026, 10, 20));
  readonly tags = policyTags;
  readonly objects = new Map([['image', 700]]);
  isDown = false;
  isDenied = false;
  /** Called once, when the next object is opened. */
  whileOpening: (() => Promise<unknown>) | undefined;
  protected handlers: Handlers<IotOperations> = {};
  #work: DueWork | undefined;

  static async open(): Promise<OtaFixture> {
    const fixture = new OtaFixture(await openMemoryStore());
    await fixture.begin();
    await fixture.call('CreateThing', { thingName: 't' });
    return fixture;
  }

  /** Puts everything together over the store, as a start of the server does. */
  async begin(): Promise<void> {
    const { clock, tags } = this;
    const feed = new ChangeFeed({ store: this.store as TestStore, log: console });
    const store = byRegion(feed.store)(caller.region);
    const roleObjects: RoleObjects = {
      open: async (role, name) => {
        refuseReading(role, name);
        const waiting = this.whileOpening;
        this.whileOpening = undefined;
        await waiting?.();
        if (this.isDown) objectFault('ServiceUnavailable', 'down');
        const size = this.objects.get(name.key) ?? objectFault('NoSuchKey', 'The specified key does not exist.');
        async function* content() {
          yield Buffer.alloc(0);
        }
        return { size, etag: '"1"', lastModified: 0, content: content(), [Symbol.dispose]: () => undefined };
      },
    };
    const decide: CallerPermissions['decide'] = () => ({ effect: this.isDenied ? 'IMPLICIT_DENY' : 'ALLOWED' });
    const findRole: FindRole = async (_account, roleArn, _service, sourceArn = '') => {
      assert.match(sourceArn, /^arn:aws:iot:[^:]+:\d+:(otaupdate|stream|job)\/./);
      return roleArn === ROLE ? { decide } : 'unknown-role';
    };
    const messaging = { hasReceivers: () => false, stored: () => undefined, publish: () => NOTHING_PENDING };
    const refuse = () => undefined;
    const shared = {
      clock,
      log: console as never,
      tags,
      changes: feed,
      inRegion: () => store,
      regions: async () => [caller.region],
    };
    const roles = { findRole, roleObjects };
    const jobs = openJobs({ ...shared, ...roles, messaging, objectUrls: { signerOf: async () => () => 'https://signed' } });
    const domains = [
      registryDomain.open({ ...shared, issuer: await sharedAuthority(), endpoint: 'iot.example.com' }),
      jobsDomain.open({ ...shared, disk: { low: false }, roleObjects, messaging, refuse, ratesOf: () => ({}), jobs }),
      streamDomain.open({ ...shared, ...roles, refuse, streamUser }),
      otaUpdateDomain.open({ ...shared, ...roles, jobs }),
    ];
    const context = { region: caller.region, store, taggable: {} };
    this.handlers = Object.assign({}, ...domains.map((domain) => domain.operations?.(context).iot));
    this.#work = await DueWork.open(domains, { store: feed.store, clock, log: { error: () => undefined } });
  }

  /** Does what is due by now. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i += 1) await this.#work?.tick();
  }

  async make(more: Partial<IotOperations['CreateOTAUpdate']['input']> = {}) {
    await this.call('CreateOTAUpdate', { ...update, ...more });
    await this.settle();
    return this.info();
  }

  async info(otaUpdateId = 'u') {
    return (await this.call('GetOTAUpdate', { otaUpdateId })).otaUpdateInfo ?? assert.fail('no info');
  }

  async counts() {
    const { jobs = [] } = await this.call('ListJobs', {});
    const { streams = [] } = await this.call('ListStreams', {});
    return { jobs: jobs.length, streams: streams.length };
  }
}

test('an update waits, and is made with its stream and its job at once', async () => {
  await using ota = await OtaFixture.open();
  const answer = await ota.call('CreateOTAUpdate', { ...update, description: 'd', files: [signed()] });
  const otaUpdateArn = 'arn:aws:iot:us-east-1:123456789012:otaupdate/u';
  assert.deepEqual(answer, { otaUpdateId: 'u', otaUpdateArn, otaUpdateStatus: 'CREATE_PENDING' });
  assert.deepEqual([(await ota.info()).awsIotJobId, await ota.counts()], [undefined, { jobs: 0, streams: 0 }]);
  await ota.settle();
  const info = await ota.info();
  const [shown] = info.otaUpdateFiles ?? [];
  const { streamId = '', fileId } = shown?.fileLocation?.stream ?? {};
  assert.deepEqual([info.otaUpdateStatus, info.awsIotJobId, fileId], ['CREATE_COMPLETE', JOB.jobId, 0]);
  assert.deepEqual(shown?.codeSigning, {
    customCodeSigning: {
      signature: { inlineDocument: Buffer.from([1]) },
      certificateChain: undefined,
      hashAlgorithm: 'SHA256',
      signatureAlgorithm: 'ECDSA',
    },
  });
  const { streamInfo } = await ota.call('DescribeStream', { streamId });
  assert.deepEqual([streamInfo?.roleArn, streamInfo?.files?.[0]?.s3Location?.key], [ROLE, 'image']);
  const { document = '' } = await ota.call('GetJobDocument', JOB);
  assert.match(
    document,
    new RegExp(`^{"afr_ota":{"protocols":\\["MQTT"\\],"streamname":"${streamId}","files":\\[.*"filesize":700`),
  );
});

test('the job has the settings of the update; URLs are good for 1800 seconds where nothing else is said', async () => {
  await using ota = await OtaFixture.open();
  await ota.make({
    protocols: ['HTTP'],
    targetSelection: 'CONTINUOUS',
    awsJobExecutionsRolloutConfig: { maximumPerMinute: 7 },
    awsJobTimeoutConfig: { inProgressTimeoutInMinutes: 9 },
    awsJobAbortConfig: {
      abortCriteriaList: [{ failureType: 'ALL', action: 'CANCEL', thresholdPercentage: 5, minNumberOfExecutedThings: 2 }],
    },
  });
  const { job } = await ota.call('DescribeJob', JOB);
  assert.deepEqual(job?.presignedUrlConfig, { roleArn: ROLE, expiresInSec: 1800 });
  assert.equal(job?.targetSelection, 'CONTINUOUS');
  assert.equal(job?.jobExecutionsRolloutConfig?.maximumPerMinute, 7);
  assert.equal(job?.timeoutConfig?.inProgressTimeoutInMinutes, 9);
  assert.equal(job?.abortConfig?.criteriaList?.[0]?.thresholdPercentage, 5);
  assert.deepEqual(await ota.counts(), { jobs: 1, streams: 0 });
});

test('what can not be made fails with a code, and leaves nothing', async () => {
  await using ota = await OtaFixture.open();
  ota.objects.set('large', 24 * 1024 * 1024 + 1);
  const codeOf = async (more: object): Promise<string | undefined> => {
    const { otaUpdateStatus, errorInfo } = await ota.make(more);
    assert.equal(otaUpdateStatus, 'CREATE_FAILED');
    await ota.call('DeleteOTAUpdate', { otaUpdateId: 'u' });
    return errorInfo?.code;
  };
  assert.equal(await codeOf({ files: [file('none')] }), 'ResourceNotFoundException');
  assert.equal(await codeOf({ files: [file('large')] }), 'InvalidRequestException');
  assert.equal(await codeOf({ roleArn: `${ROLE}-none` }), 'UnauthorizedException');
  ota.isDenied = true;
  assert.equal(await codeOf({}), 'UnauthorizedException');
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 0 });
  ota.isDenied = false;
  assert.equal((await ota.make({ files: [file('large')], protocols: ['HTTP'] })).otaUpdateStatus, 'CREATE_COMPLETE');
});

test('while objects can not be reached it is tried six times', async () => {
  await using ota = await OtaFixture.open();
  ota.isDown = true;
  assert.equal((await ota.make()).otaUpdateStatus, 'CREATE_IN_PROGRESS');
  for (let i = 0; i < 4; i += 1) {
    ota.clock.at += 60_000;
    await ota.settle();
  }
  assert.equal((await ota.info()).otaUpdateStatus, 'CREATE_IN_PROGRESS');
  ota.clock.at += 60_000;
  await ota.settle();
  assert.equal((await ota.info()).errorInfo?.code, 'ServiceUnavailableException');
});

test('an update whose server has died is made by the next one, and once', async () => {
  await using ota = await OtaFixture.open();
  await ota.call('CreateOTAUpdate', update);
  const [opening, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ota.whileOpening = () => {
    opening.resolve();
    return late.promise;
  };
  const first = ota.settle();
  await opening.promise;
  assert.deepEqual([(await ota.info()).otaUpdateStatus, await ota.counts()], ['CREATE_IN_PROGRESS', { jobs: 0, streams: 0 }]);
  await ota.begin();
  await ota.settle();
  assert.equal((await ota.info()).otaUpdateStatus, 'CREATE_COMPLETE');
  late.resolve();
  await first;
  assert.deepEqual([(await ota.info()).otaUpdateStatus, await ota.counts()], ['CREATE_COMPLETE', { jobs: 1, streams: 1 }]);
});

test('a target, or the update itself, that goes while its files are looked at leaves neither stream nor job', async () => {
  await using ota = await OtaFixture.open();
  ota.whileOpening = () => ota.call('DeleteOTAUpdate', { otaUpdateId: 'u' });
  await ota.call('CreateOTAUpdate', update);
  await ota.settle();
  await ota.refuses('ResourceNotFoundException', 'GetOTAUpdate', { otaUpdateId: 'u' });
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 0 });
  ota.whileOpening = () => ota.call('DeleteThing', { thingName: 't' });
  assert.equal((await ota.make()).errorInfo?.code, 'ResourceNotFoundException');
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 0 });
});

test('files of a stream that is there: one stream, and files that it has', async () => {
  await using ota = await OtaFixture.open();
  await ota.call('CreateStream', {
    streamId: 's',
    roleArn: ROLE,
    files: [{ fileId: 9, s3Location: { bucket: 'b', key: 'image' } }],
  });
  const inStream = (streamId: string, fileId: number) => ({ fileLocation: { stream: { streamId, fileId } } });
  assert.equal((await ota.make({ files: [inStream('s', 8)] })).errorInfo?.code, 'ResourceNotFoundException');
  await ota.call('DeleteOTAUpdate', { otaUpdateId: 'u' });
  assert.equal((await ota.make({ files: [inStream('s', 9)] })).otaUpdateStatus, 'CREATE_COMPLETE');
  const { document = '' } = await ota.call('GetJobDocument', JOB);
  assert.equal(document, '{"afr_ota":{"protocols":["MQTT"],"streamname":"s","files":[{"filesize":700,"fileid":9}]}}');
  await ota.refuses('DeleteConflictException', 'DeleteStream', { streamId: 's' });
  await ota.call('DeleteOTAUpdate', { otaUpdateId: 'u', deleteStream: true, forceDeleteAWSJob: true });
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 1 });
  await ota.call('DeleteStream', { streamId: 's' });
  await ota.refuses('ResourceNotFoundException', 'CreateOTAUpdate', { ...update, files: [inStream('s', 9)] });
  await ota.refuses('InvalidRequestException', 'CreateOTAUpdate', { ...update, files: [inStream('s', 9), file('image')] });
});

test('an update with an active job is deleted by force alone, and its stream where that is asked for', async () => {
  await using ota = await OtaFixture.open();
  await ota.make();
  await ota.refuses('ResourceAlreadyExistsException', 'CreateOTAUpdate', update);
  await ota.refuses('InvalidRequestException', 'DeleteOTAUpdate', { otaUpdateId: 'u' });
  await ota.call('CancelJob', JOB);
  await ota.call('DeleteOTAUpdate', { otaUpdateId: 'u' });
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 1 });
  await ota.make();
  await ota.call('DeleteOTAUpdate', { otaUpdateId: 'u', forceDeleteAWSJob: true, deleteStream: true });
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 1 });
  await ota.call('CreateJob', { ...JOB, targets: [TARGET], document: '{}' });
  await ota.refuses('ResourceAlreadyExistsException', 'CreateOTAUpdate', update);
});

test('a caller has to be allowed what is made and deleted for it, each on its resources', async () => {
  await using ota = await OtaFixture.open();
  let denied = '';
  const asked: string[] = [];
  const decide: CallerPermissions['decide'] = (action, resource) => {
    asked.push(`${action} ${resource.replace(/.*:/, '').replace(/-[0-9a-f]{8}-[0-9a-f-]{27}$/, '-UUID')}`);
    return { effect: action === denied ? 'IMPLICIT_DENY' : 'ALLOWED' };
  };
  const user = { ...caller, permissions: async () => ({ decide }) };
  const create = { 'iot:CreateJob': ['job/AFR_OTA-u', 'thing/t'], 'iot:CreateStream': ['stream/AFR_OTA-UUID'] };
  for (const action of Object.keys(create)) {
    denied = action;
    await ota.refuses('UnauthorizedException', 'CreateOTAUpdate', update, /is not authorized to perform/, user);
  }
  await ota.refuses('ResourceNotFoundException', 'GetOTAUpdate', { otaUpdateId: 'u' });
  denied = '';
  asked.length = 0;
  await ota.call('CreateOTAUpdate', update, user);
  const expected = Object.entries(create).flatMap(([action, resources]) => resources.map((each) => `${action} ${each}`));
  assert.deepEqual(new Set(asked), new Set(expected));
  await ota.settle();
  const gone = { otaUpdateId: 'u', deleteStream: true, forceDeleteAWSJob: true };
  for (const action of ['iot:DeleteJob', 'iot:DeleteStream']) {
    denied = action;
    await ota.refuses('UnauthorizedException', 'DeleteOTAUpdate', gone, /AFR_OTA-/, user);
  }
  assert.deepEqual(await ota.counts(), { jobs: 1, streams: 1 });
  denied = '';
  await ota.call('DeleteOTAUpdate', gone, user);
  assert.deepEqual(await ota.counts(), { jobs: 0, streams: 0 });
  const noOne = { ...caller, permissions: async () => undefined };
  await ota.refuses('UnauthorizedException', 'CreateOTAUpdate', update, /./, noOne);
});

test('malformed updates, AWS Signer and what is too much are refused at once', async () => {
  await using ota = await OtaFixture.open();
  const refused = (more: object) => ota.refuses('InvalidRequestException', 'CreateOTAUpdate', { ...update, ...more });
  const withSigning = (codeSigning: object) => ({ files: [{ ...file('image'), codeSigning }] });
  await refused(withSigning({ awsSignerJobId: 'j' }));
  await refused(withSigning({ startSigningJobParameter: { signingProfileName: 'p' } }));
  await refused({ files: [signed({ hashAlgorithm: 'MD5' })] });
  await refused({ files: [signed({ signatureAlgorithm: undefined })] });
  await refused({ files: [signed({ signature: undefined })] });
  await refused({ files: [{ fileName: 'f' }] });
  await refused({ files: [{ fileLocation: { s3Location: { bucket: 'b' } } }] });
  await refused({ files: [{ fileLocation: { stream: { streamId: 's' } } }] });
  await refused({ files: Array.from({ length: 51 }, () => file('image')) });
  await refused({ files: [{ ...file('image'), attributes: { a: 'x'.repeat(65_536) } }] });
  await refused({ files: [file('x'.repeat(33_000))] });
  await refused({ files: [file('${aws:iot:')] });
  await refused({ targets: Array.from({ length: 101 }, () => TARGET) });
  await refused({ awsJobPresignedUrlConfig: { expiresInSec: 59 } });
  await ota.refuses('ResourceNotFoundException', 'CreateOTAUpdate', { ...update, targets: [`${TARGET}-none`] });
});

test('updates are listed page by page, all of them or those of a status', async () => {
  await using ota = await OtaFixture.open();
  for (const otaUpdateId of ['a', 'b', 'c'])
    await ota.call('CreateOTAUpdate', { ...update, otaUpdateId, files: [file(otaUpdateId === 'b' ? 'none' : 'image')] });
  await ota.settle();
  const listed = async (input: IotOperations['ListOTAUpdates']['input']) => {
    const { otaUpdates = [], nextToken } = await ota.call('ListOTAUpdates', input);
    return { ids: otaUpdates.map(({ otaUpdateId }) => otaUpdateId), nextToken };
  };
  const first = await listed({ maxResults: 2 });
  assert.deepEqual(first.ids, ['a', 'b']);
  assert.deepEqual((await listed({ nextToken: first.nextToken })).ids, ['c']);
  assert.deepEqual((await listed({ otaUpdateStatus: 'CREATE_COMPLETE' })).ids, ['a', 'c']);
  assert.deepEqual((await listed({ otaUpdateStatus: 'CREATE_FAILED' })).ids, ['b']);
});
