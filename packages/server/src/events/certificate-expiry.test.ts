/** News of certificates that come to their end, by a clock that is moved. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NOTHING_PENDING } from '../broker/messaging.ts';
import { caCertificates, certificates } from '../registry/store.ts';
import { factoryCa, NOW, shortLived, signedBy } from '../testing/factory-ca.ts';
import { caller, RegistryFixture, stranger } from '../testing/registry-fixture.ts';
import { certificateExpiry } from './certificate-expiry.ts';

const DAY = 86_400_000;
const { signal } = new AbortController();

interface Told {
  readonly accountId: string;
  readonly topic: string;
  readonly payload: Record<string, unknown>;
}

class Bench implements AsyncDisposable {
  readonly registry: RegistryFixture;
  readonly #told: Told[] = [];
  hasReceivers = true;
  /** What storing a message comes to. */
  stored: () => Promise<void> | undefined = () => undefined;

  private constructor(registry: RegistryFixture) {
    this.registry = registry;
  }

  static async open(): Promise<Bench> {
    return new Bench(await RegistryFixture.open());
  }

  /** Registers a certificate that ends on a day from now on; gives its id. */
  async registered(day: number, as = caller): Promise<string> {
    const certificatePem = await shortLived(await factoryCa('factory'), 'device', NOW + (day - 1) * DAY);
    const { certificateId = '' } = await this.registry.call('RegisterCertificateWithoutCA', { certificatePem }, as);
    return certificateId;
  }

  /** A server that has just been started does its task on a day; gives what was told. */
  async onDay(day: number): Promise<Told[]> {
    this.registry.clock.at = NOW + day * DAY;
    const messaging = {
      hasReceivers: () => this.hasReceivers,
      publish: ({ accountId }: { accountId: string }, topic: string, payload: Buffer) => {
        this.#told.push({ accountId, topic, payload: JSON.parse(payload.toString()) as Record<string, unknown> });
        return NOTHING_PENDING;
      },
      stored: () => this.stored(),
    };
    const { clock, store } = this.registry;
    const options = { clock, messaging, regions: async () => [caller.region], inRegion: () => store };
    await certificateExpiry(options).run(signal);
    return this.#told.splice(0);
  }

  async steps(day: number): Promise<unknown[]> {
    return (await this.onDay(day)).map(({ payload }) => payload.daysBefore ?? payload.eventType);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.registry[Symbol.asyncDispose]();
  }
}

describe('the end of a certificate', () => {
  test('is told 30 days, 7 days and 1 day before and when it has come, once each, by whichever server runs', async () => {
    await using bench = await Bench.open();
    const certificateId = await bench.registered(40);
    const seen: unknown[] = [];
    for (const day of [0, 9.9, 10, 10, 20, 33, 33.1, 38.9, 39, 39.5, 40, 40, 41, 400]) seen.push(await bench.steps(day));
    assert.deepEqual(seen, [[], [], [30], [], [], [7], [], [], [1], [], ['expired'], [], [], []]);
    await bench.registered(50, stranger);
    const [told] = await bench.onDay(45);
    assert.equal(told?.accountId, stranger.accountId);
    assert.deepEqual(Object.keys(told?.payload ?? {}), [
      ...['time', 'eventType', 'daysBefore', 'certificateId', 'certificateArn', 'certificateType', 'certificateStatus'],
      ...['notAfter', 'accountId'],
    ]);
    assert.notEqual(told?.payload.certificateId, certificateId);
  });

  test('topic and payload', async () => {
    await using bench = await Bench.open();
    const certificateId = await bench.registered(5);
    const about = {
      certificateId,
      certificateArn: `arn:aws:iot:us-east-1:${caller.accountId}:cert/${certificateId}`,
      certificateType: 'DEVICE',
      certificateStatus: 'INACTIVE',
      notAfter: new Date(NOW + 5 * DAY).toISOString(),
      accountId: caller.accountId,
    };
    const { accountId } = caller;
    assert.deepEqual(await bench.onDay(1), [
      {
        accountId,
        topic: `$thingkeep/events/certificates/${certificateId}/expiring`,
        payload: { time: new Date(NOW + DAY).toISOString(), eventType: 'expiring', daysBefore: 7, ...about },
      },
    ]);
    assert.deepEqual(await bench.onDay(6), [
      {
        accountId,
        topic: `$thingkeep/events/certificates/${certificateId}/expired`,
        payload: { time: new Date(NOW + 6 * DAY).toISOString(), eventType: 'expired', ...about },
      },
    ]);
  });

  test('of one that is registered late, and after a long stop, the last step alone is told', async () => {
    await using bench = await Bench.open();
    await bench.registered(20);
    assert.deepEqual(await bench.steps(0), [30]);
    assert.deepEqual(await bench.steps(19.5), [1]);
    await bench.registered(3);
    assert.deepEqual(await bench.steps(20), ['expired', 'expired']);
  });

  test('is not told of one that is revoked or deleted; of one that was transferred its new owner is told', async () => {
    await using bench = await Bench.open();
    const { registry } = bench;
    const revoked = await bench.registered(20);
    await registry.call('UpdateCertificate', { certificateId: revoked, newStatus: 'REVOKED' });
    await registry.call('DeleteCertificate', { certificateId: await bench.registered(20) });
    assert.deepEqual(await bench.onDay(0), []);
    await registry.call('UpdateCertificate', { certificateId: revoked, newStatus: 'INACTIVE' });
    assert.deepEqual(await bench.steps(1), [30]);
    await registry.call('TransferCertificate', { certificateId: revoked, targetAwsAccount: stranger.accountId });
    await registry.call('AcceptCertificateTransfer', { certificateId: revoked }, stranger);
    assert.deepEqual(
      (await bench.onDay(2)).map(({ accountId }) => accountId),
      [stranger.accountId],
    );
  });

  test('of a CA certificate', async () => {
    await using bench = await Bench.open();
    const { pem: caCertificate } = await factoryCa('factory', { now: NOW - 350 * DAY });
    const { certificateId } = await bench.registry.call('RegisterCACertificate', { caCertificate, certificateMode: 'SNI_ONLY' });
    const [told, ...more] = await bench.onDay(0);
    assert.deepEqual(
      [told?.payload.certificateType, told?.payload.certificateArn, more],
      ['CA', `arn:aws:iot:us-east-1:${caller.accountId}:cacert/${certificateId}`, []],
    );
    assert.deepEqual(await bench.onDay(0), []);
    const record = await bench.registry.store.read((tx) => tx.get(caCertificates, [caller.accountId, certificateId ?? '']));
    assert.equal(record?.announcedDays, 30);
  });

  test('goes on from page to page, passes what is far, and changes nothing that an owner sees', async () => {
    await using bench = await Bench.open();
    const certificateId = await bench.registered(20);
    const before = await bench.registry.call('DescribeCertificate', { certificateId });
    const [record] = (await bench.registry.store.read((tx) => tx.scan(certificates, { prefix: [] }))).items;
    assert(record !== undefined);
    await bench.registry.store.write(async (tx) => {
      for (let i = 0; i < 250; i += 1)
        await tx.put(certificates, { ...record, certificateId: String(i), notAfter: NOW + (i < 220 ? 20 : 300) * DAY });
      // A date before 1970 is no key of an index.
      await tx.put(certificates, { ...record, certificateId: 'old', notAfter: -1 });
    });
    bench.registry.rung();
    const told = await bench.onDay(0);
    assert.equal(told.length, 222);
    assert.equal(new Set(told.map(({ topic }) => topic)).size, 222);
    assert.deepEqual(await bench.onDay(0), []);
    assert.deepEqual(await bench.registry.call('DescribeCertificate', { certificateId }), before);
    assert.deepEqual(bench.registry.rung(), [], 'no connection is authorized anew');
  });

  test('a message that can’t be stored is told again; where nobody listens the step passes silently', async () => {
    await using bench = await Bench.open();
    await bench.registered(20);
    bench.stored = () => Promise.reject(new Error('disk'));
    await assert.rejects(bench.onDay(0), /disk/);
    bench.stored = () => undefined;
    assert.deepEqual(await bench.steps(0), [30, 30], 'the one that failed, and the one that did not');
    bench.hasReceivers = false;
    assert.deepEqual(await bench.onDay(15), []);
    bench.hasReceivers = true;
    assert.deepEqual(await bench.onDay(15), []);
  });

  test('a message that can’t be stored for one account keeps no other account’s from being told', async () => {
    await using bench = await Bench.open();
    await bench.registered(19);
    await bench.registered(20, stranger);
    let failing = 1;
    bench.stored = () => (failing-- > 0 ? Promise.reject(new Error('queue full')) : undefined);
    await assert.rejects(bench.onDay(0), /queue full/);
    const again = await bench.onDay(0);
    assert.deepEqual(
      again.map(({ accountId }) => accountId),
      [caller.accountId, stranger.accountId, caller.accountId],
      'both at first, and the one that failed once more',
    );
  });

  test('one that this server issues ends in 2049: nothing is told of it', async () => {
    await using bench = await Bench.open();
    await bench.registry.certificate();
    await bench.registry.call('RegisterCertificateWithoutCA', { certificatePem: await signedBy(await factoryCa('f'), 'd') });
    assert.deepEqual(await bench.onDay(365), []);
  });
});
