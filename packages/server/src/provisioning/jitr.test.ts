/** Just-in-time registration (facts 4.3 to 4.5, 24.3): who is registered, by which CA, how often, and within which bounds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KeyObject } from 'node:crypto';
import { der, implicit, oid, sequence, TAG } from '@thingkeep/x509/der.ts';
import { keyIdentifier, publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import {
  basicConstraints,
  chainCertificate,
  type ChainCertificate,
  type ChainParts,
  directoryName,
  extensionOf,
  nameConstraints,
} from '@thingkeep/x509/testing/chains.ts';
import { newEcKey, newRsaKey } from '@thingkeep/x509/testing/csrs.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { NOTHING_PENDING } from '../broker/messaging.ts';
import type { Changes } from '../store/changes.ts';
import { NOW } from '../testing/factory-ca.ts';
import { caller, RegistryFixture, stranger } from '../testing/registry-fixture.ts';
import { Arrivals } from './arrivals.ts';
import type { JustInTimeRequest } from './contract.ts';
import { JustInTimeRegistration } from './jitr.ts';
import { PendingCounts, type PendingLimits } from './pending-counts.ts';

const REGION = 'us-east-1';
const HOME = { accountId: caller.accountId, region: REGION };
const OTHER = { accountId: stranger.accountId, region: REGION };

interface Event {
  readonly topic: string;
  readonly event: Readonly<Record<string, unknown>>;
}

class Bench implements AsyncDisposable {
  readonly registry: RegistryFixture;
  readonly events: Event[] = [];
  readonly requests: JustInTimeRequest[] = [];
  readonly limits: { -readonly [K in keyof PendingLimits]: PendingLimits[K] } = {};
  readonly disk = { low: false };
  readonly #registration: JustInTimeRegistration;
  /** What the template does. */
  provision: (request: JustInTimeRequest) => Promise<void> = () => Promise.resolve();

  private constructor(registry: RegistryFixture) {
    this.registry = registry;
    const { store, clock, feed: changes } = registry;
    const places = { regions: () => Promise.resolve([REGION]), inRegion: () => store, home: HOME };
    const pending = new PendingCounts({ ...places, limitsOf: () => this.limits });
    // The store of the fixture is that of one region, and its changes say none.
    const on: Changes['on'] = (of, listener) => changes.on(of, (change) => listener({ ...change, place: HOME }));
    pending.follow({ on, onExternal: changes.onExternal.bind(changes) });
    const publish = (_place: object, topic: string, payload: Buffer) => {
      this.events.push({ topic, event: JSON.parse(payload.toString()) as Event['event'] });
      return NOTHING_PENDING;
    };
    const provision = async (request: JustInTimeRequest) => {
      this.requests.push(request);
      await this.provision(request);
    };
    const arrivals = new Arrivals({
      clock,
      messaging: { publish, stored: () => undefined },
      provisioning: { provision },
    });
    this.#registration = new JustInTimeRegistration({ ...places, clock, disk: this.disk, pending, arrivals });
  }

  static async open(): Promise<Bench> {
    const registry = await RegistryFixture.open();
    registry.clock.at = NOW;
    return new Bench(registry);
  }

  /** Registers a CA without proof of its key, ACTIVE and with auto-registration. */
  async register(ca: ChainCertificate, as = caller, more: object = {}): Promise<string> {
    const input = { caCertificate: toPem('CERTIFICATE', ca.der), certificateMode: 'SNI_ONLY', setAsActive: true } as const;
    const made = await this.registry.call('RegisterCACertificate', { ...input, allowAutoRegistration: true, ...more }, as);
    return made.certificateId ?? '';
  }

  /** The same in DEFAULT mode, with proof. */
  async registerProven(ca: ChainCertificate, as = caller): Promise<string> {
    const { registrationCode = '' } = await this.registry.call('GetRegistrationCode', {}, as);
    const proof = chainCertificate({ subject: registrationCode, by: ca, extensions: [] });
    const verificationCertificate = toPem('CERTIFICATE', proof.der);
    return this.register(ca, as, { certificateMode: 'DEFAULT', verificationCertificate });
  }

  attempt({ der }: ChainCertificate, { sourceIp = '192.0.2.1', named }: { sourceIp?: string; named?: typeof HOME } = {}) {
    return this.#registration.attempt({ certificateId: certificateIdOf(der), certificate: der, sourceIp, named });
  }

  async statusOf({ der }: ChainCertificate, as = caller): Promise<string | undefined> {
    const found = this.registry.call('DescribeCertificate', { certificateId: certificateIdOf(der) }, as);
    return (await found.catch(() => undefined))?.certificateDescription?.status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.registry[Symbol.asyncDispose]();
  }
}

const deviceOf = (by: ChainCertificate, more: ChainParts = {}): ChainCertificate =>
  chainCertificate({ subject: 'Example Device', by, extensions: [], ...more });

describe('an unknown certificate of an auto-registering CA', () => {
  test('is registered once as PENDING_ACTIVATION, and told of at each attempt until it is activated', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    const caId = await bench.register(ca);
    const device = deviceOf(ca);
    const answers = await Promise.all([bench.attempt(device), bench.attempt(device), bench.attempt(device)]);
    assert.deepEqual(
      answers.map((answer) => [answer?.check, answer?.accountId, answer?.region]),
      answers.map(() => ['certificate-not-active', HOME.accountId, REGION]),
    );
    assert.equal(answers.filter((answer) => /has registered it as PENDING_ACTIVATION/.test(answer?.reason ?? '')).length, 1);
    const { certificates = [] } = await bench.registry.call('ListCertificatesByCA', { caCertificateId: caId });
    assert.equal(certificates.length, 1);
    const certificateId = certificateIdOf(device.der);
    const { certificateDescription: told } = await bench.registry.call('DescribeCertificate', { certificateId });
    assert.deepEqual([told?.status, told?.certificateMode], ['PENDING_ACTIVATION', 'SNI_ONLY']);
    assert.equal(told?.certificatePem, toPem('CERTIFICATE', device.der));
    assert.deepEqual(bench.events[2], {
      topic: `$aws/events/certificates/registered/${caId}`,
      event: {
        certificateId,
        caCertificateId: caId,
        timestamp: NOW,
        certificateStatus: 'PENDING_ACTIVATION',
        awsAccountId: HOME.accountId,
        certificateRegistrationTimestamp: null,
        sourceIp: '192.0.2.1',
      },
    });
    for (const status of ['ACTIVE', 'INACTIVE'] as const) {
      await bench.registry.call('UpdateCertificate', { certificateId, newStatus: status });
      assert.equal(await bench.attempt(device), undefined);
    }
    assert.equal(bench.events.length, 3);
    // A certificate that was deleted comes anew.
    await bench.registry.call('DeleteCertificate', { certificateId });
    assert.match((await bench.attempt(device))?.reason ?? '', /has registered it as/);
  });

  test('is not registered while the CA is INACTIVE, its auto-registration is off, or it is not registered', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    const device = deviceOf(ca);
    assert.equal(await bench.attempt(device), undefined);
    const certificateId = await bench.register(ca);
    const changes = [{ newStatus: 'INACTIVE' }, { newStatus: 'ACTIVE', newAutoRegistrationStatus: 'DISABLE' }] as const;
    for (const change of changes) {
      await bench.registry.call('UpdateCACertificate', { certificateId, ...change });
      assert.equal(await bench.attempt(device), undefined);
    }
    assert.equal(await bench.statusOf(device), undefined);
    await bench.registry.call('UpdateCACertificate', { certificateId, newAutoRegistrationStatus: 'ENABLE' });
    assert.equal((await bench.attempt(device))?.check, 'certificate-not-active');
    // What is pending is told of by an ACTIVE CA alone.
    await bench.registry.call('UpdateCACertificate', { certificateId, newStatus: 'INACTIVE' });
    assert.equal(await bench.attempt(device), undefined);
    assert.equal(bench.events.length, 1);
  });

  test('one that is registered by other ways is left alone', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca);
    const device = deviceOf(ca);
    await bench.registry.call('RegisterCertificate', { certificatePem: toPem('CERTIFICATE', device.der) });
    assert.equal(await bench.attempt(device), undefined);
    assert.equal(await bench.statusOf(device), 'INACTIVE');
    assert.deepEqual(bench.events, []);
  });
});

describe('whose CA it is', () => {
  test('without a host name of an account: DEFAULT in any account, SNI_ONLY in the home account alone', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca, stranger);
    assert.equal(await bench.attempt(deviceOf(ca)), undefined, 'anybody can register the CA of another one as SNI_ONLY');
    await bench.registerProven(ca);
    const first = deviceOf(ca);
    assert.equal((await bench.attempt(first))?.accountId, HOME.accountId);
    assert.equal(await bench.statusOf(first, stranger), undefined);
    const theirs = chainCertificate({ subject: 'theirs' });
    await bench.registerProven(theirs, stranger);
    assert.equal((await bench.attempt(deviceOf(theirs)))?.accountId, OTHER.accountId);
  });

  test('the host name of a domain configuration says the account, for either mode', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca, stranger);
    await bench.registerProven(ca);
    const device = deviceOf(ca);
    assert.equal((await bench.attempt(device, { named: OTHER }))?.accountId, OTHER.accountId);
    assert.equal(await bench.statusOf(device), undefined);
    assert.equal((await bench.attempt(device, { named: HOME }))?.accountId, HOME.accountId);
    assert.equal(await bench.statusOf(device, stranger), 'PENDING_ACTIVATION');
  });

  test('the key identifier is a hint alone: it finds one of twenty CAs of two accounts, and a false one misleads nothing', async () => {
    await using bench = await Bench.open();
    const keyed = (key: KeyObject): Buffer =>
      extensionOf('2.5.29.14', der(TAG.octetString, keyIdentifier(publicKeyOf(key))), false);
    const issuedBy = (key: KeyObject): Buffer =>
      extensionOf('2.5.29.35', sequence(der(implicit(0), keyIdentifier(publicKeyOf(key)))), false);
    const cas: ChainCertificate[] = [];
    for (const as of [caller, stranger])
      for (let n = 0; n < 10; n += 1) {
        const key = newEcKey();
        const ca = chainCertificate({ subject: 'factory', key, extensions: [basicConstraints(true), keyed(key)] });
        await bench.registerProven(ca, as);
        cas.push(ca);
      }
    for (const ca of cas) {
      const answer = await bench.attempt(deviceOf(ca, { extensions: [issuedBy(ca.key)] }));
      assert.equal(answer?.check, 'certificate-not-active');
    }
    const [first, second] = cas;
    assert(first !== undefined && second !== undefined);
    // Of CAs that the identifier does not name as many are checked as there is room for: here all of them.
    await using few = await Bench.open();
    for (const ca of [first, second]) await few.registerProven(ca, caller);
    const misled = await few.attempt(deviceOf(first, { extensions: [issuedBy(second.key)] }));
    assert.match(misled?.reason ?? '', new RegExp(`by its CA ${certificateIdOf(first.der)}`));
  });

  test('CAs of other accounts with the same name and key identifier keep nobody out', async () => {
    await using bench = await Bench.open();
    const key = newEcKey();
    const identifier = extensionOf('2.5.29.14', der(TAG.octetString, keyIdentifier(publicKeyOf(key))), false);
    const extensions = [basicConstraints(true), identifier];
    // What is read is in the order of the accounts.
    for (const accountId of ['000000000001', '000000000002'])
      for (let n = 0; n < 10; n += 1)
        await bench.registerProven(chainCertificate({ subject: 'factory', extensions }), { ...caller, accountId });
    const ca = chainCertificate({ subject: 'factory', key, extensions });
    await bench.registerProven(ca, stranger);
    assert.equal((await bench.attempt(deviceOf(ca)))?.accountId, stranger.accountId);
  });

  test('ten accounts with ten CAs of the same name each hide no CA of another account', async () => {
    await using bench = await Bench.open();
    // What is read is in the order of the accounts.
    for (let account = 1; account <= 10; account += 1)
      for (let n = 0; n < 10; n += 1) {
        const by = { ...caller, accountId: String(account).padStart(12, '0') };
        await bench.register(chainCertificate({ subject: 'factory' }), by);
      }
    const ca = chainCertificate({ subject: 'factory' });
    await bench.registerProven(ca, stranger);
    assert.equal((await bench.attempt(deviceOf(ca)))?.accountId, stranger.accountId);
  });

  test('more accounts than are checked, with the same name and key identifier, keep no device out that comes again', async () => {
    await using bench = await Bench.open();
    const key = newEcKey();
    const identifier = extensionOf('2.5.29.14', der(TAG.octetString, keyIdentifier(publicKeyOf(key))), false);
    const extensions = [basicConstraints(true), identifier];
    for (let account = 1; account <= 40; account += 1) {
      const by = { ...caller, accountId: String(account).padStart(12, '0') };
      await bench.registerProven(chainCertificate({ subject: 'factory', extensions }), by);
    }
    const ca = chainCertificate({ subject: 'factory', key, extensions });
    await bench.registerProven(ca, stranger);
    const device = deviceOf(ca);
    let answer: Awaited<ReturnType<Bench['attempt']>>;
    for (let attempt = 0; attempt < 50 && answer?.accountId === undefined; attempt += 1) {
      bench.registry.clock.at += 11_000;
      answer = await bench.attempt(device, { sourceIp: `192.0.2.${attempt}` });
    }
    assert.equal(answer?.accountId, stranger.accountId);
  });

  test('a CA that is registered without proof of its key takes no device from the account that has proven to have it', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca);
    const before = deviceOf(ca);
    assert.equal((await bench.attempt(before))?.accountId, caller.accountId);
    bench.registry.clock.at += 1_000;
    await bench.registerProven(ca, stranger);
    for (const device of [before, deviceOf(ca)]) assert.equal((await bench.attempt(device))?.accountId, stranger.accountId);
    assert.equal((await bench.attempt(deviceOf(ca), { named: HOME }))?.accountId, caller.accountId);
  });

  test('ten CAs of one name: the one whose key has signed', async () => {
    await using bench = await Bench.open();
    const cas = Array.from({ length: 10 }, () => chainCertificate({ subject: 'factory' }));
    const ids: string[] = [];
    for (const ca of cas) ids.push(await bench.register(ca));
    for (const [i, ca] of cas.entries()) {
      await bench.attempt(deviceOf(ca));
      assert.equal(bench.events.at(-1)?.event.caCertificateId, ids[i]);
    }
  });

  test('a renewed CA with its old name and key: the one that ends last; what is pending keeps its own', async () => {
    await using bench = await Bench.open();
    const key = newEcKey();
    const [old, renewed] = [chainCertificate({ key }), chainCertificate({ key, notAfter: NOW + 30 * 86_400_000 })];
    const oldId = await bench.register(old);
    const before = deviceOf(old);
    await bench.attempt(before);
    const renewedId = await bench.register(renewed);
    await bench.attempt(before);
    await bench.attempt(deviceOf(old));
    assert.deepEqual(
      bench.events.map(({ event }) => event.caCertificateId),
      [oldId, oldId, renewedId],
    );
  });
});

describe('what is not registered (RFC 5280 section 6)', () => {
  test('the reason says what is wrong with the certificate, or its CA, to the owner', async () => {
    await using bench = await Bench.open();
    const constraints = nameConstraints([directoryName(commonNameOnly('Other'))]);
    const sha1 = { algorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' };
    const cases: [ChainParts, ChainParts, RegExp][] = [
      [{}, { notAfter: NOW - 1_000 }, /with the certificate: it has expired/],
      [{}, { notBefore: NOW + 3_600_000 }, /with the certificate: it is not valid yet/],
      [{}, { key: newRsaKey(1024) }, /public key is not supported/],
      [{}, { extensions: [extensionOf('1.3.6.1.4.1.99999.1', Buffer.of(5, 0))] }, /critical extension/],
      [{ extensions: [basicConstraints(true), constraints] }, {}, /name constraints/],
    ];
    for (const [i, [parts, own, reason]] of cases.entries()) {
      const ca = chainCertificate({ subject: `factory ${i}`, ...parts });
      await bench.register(ca);
      const device = deviceOf(ca, own);
      const answer = await bench.attempt(device);
      assert.match(answer?.reason ?? '', reason);
      assert.equal(answer?.accountId, HOME.accountId);
      assert.equal(await bench.statusOf(device), undefined);
    }
    const ca = chainCertificate({ subject: 'old' });
    await bench.register(ca);
    assert.equal(await bench.attempt(deviceOf(ca, sha1)), undefined, 'a signature by SHA-1 proves nothing');
    bench.registry.clock.at = NOW + 10 * 86_400_000;
    const late = deviceOf(ca, { notAfter: NOW + 20 * 86_400_000 });
    assert.match((await bench.attempt(late))?.reason ?? '', /with its CA [0-9a-f]{64}: it has expired/);
    assert.equal(bench.events.length, 0);
  });

  test('a name is no proof, nor is rubbish a certificate', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca);
    assert.equal(await bench.attempt(deviceOf(chainCertificate())), undefined);
    assert.equal(await bench.attempt({ ...ca, der: Buffer.from('rubbish') }), undefined);
    // The CA itself is a certificate below itself, and none of a device.
    assert.match((await bench.attempt(ca))?.reason ?? '', /it comes twice/);
  });
});

describe('bounds', () => {
  test('certificates that wait, of one CA and of an account; activated or deleted ones make room', async () => {
    await using bench = await Bench.open();
    const [first, second] = [chainCertificate({ subject: 'first' }), chainCertificate({ subject: 'second' })];
    await bench.register(first);
    await bench.register(second);
    Object.assign(bench.limits, { pendingCertificatesOfCa: 2, pendingCertificates: 3 });
    const devices = [first, first, second].map((ca) => deviceOf(ca));
    await Promise.all(devices.map((device) => bench.attempt(device)));
    const ofCa = await bench.attempt(deviceOf(first));
    assert.deepEqual([ofCa?.check, ofCa?.accountId], ['limit', HOME.accountId]);
    assert.match(ofCa?.reason ?? '', /: 2 certificates of the CA [0-9a-f]{64} are PENDING_ACTIVATION.*pendingCertificatesOfCa/);
    assert.match((await bench.attempt(deviceOf(second)))?.reason ?? '', /3 certificates of the account/);
    // One that waits already is told of.
    const [waiting] = devices;
    assert(waiting !== undefined);
    assert.equal((await bench.attempt(waiting))?.check, 'certificate-not-active');
    await bench.registry.call('UpdateCertificate', { certificateId: certificateIdOf(waiting.der), newStatus: 'ACTIVE' });
    assert.equal((await bench.attempt(deviceOf(first)))?.check, 'certificate-not-active');
    assert.equal((await bench.attempt(deviceOf(first)))?.check, 'limit');
  });

  test('what waits is counted at a start', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    const caId = await bench.register(ca);
    await bench.attempt(deviceOf(ca));
    const { store } = bench.registry;
    const places = { regions: async () => [REGION], inRegion: () => store };
    const counts = new PendingCounts({ ...places, limitsOf: () => ({ pendingCertificatesOfCa: 1 }) });
    assert.notEqual(typeof counts.reserve(HOME, caId), 'string');
    const loaded = new PendingCounts({ ...places, limitsOf: () => ({ pendingCertificatesOfCa: 1 }) });
    await loaded.load();
    assert.equal(typeof loaded.reserve(HOME, caId), 'string');
    assert.notEqual(typeof loaded.reserve(OTHER, caId), 'string');
  });

  test('certificates that only name a CA: 20 of a network, then nothing is checked for it for a while', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca);
    const forged = deviceOf(chainCertificate());
    for (let n = 0; n < 20; n += 1) assert.equal(await bench.attempt(forged), undefined);
    const refused = await bench.attempt(deviceOf(ca));
    assert.deepEqual([refused?.check, refused?.accountId], ['rate', undefined]);
    assert.equal((await bench.attempt(deviceOf(ca), { sourceIp: '198.51.100.1' }))?.check, 'certificate-not-active');
    bench.registry.clock.at += 4_000;
    assert.equal((await bench.attempt(deviceOf(ca)))?.check, 'certificate-not-active');
    // Those that no registered CA could have signed cost none of it.
    for (let n = 0; n < 50; n += 1) assert.equal(await bench.attempt(deviceOf(chainCertificate({ subject: 'x' }))), undefined);
    assert.equal((await bench.attempt(deviceOf(ca)))?.check, 'certificate-not-active');
  });

  test('a certificate that comes again and again: ten attempts at once, then one in ten seconds', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca);
    const device = deviceOf(ca);
    for (let n = 0; n < 10; n += 1) assert.equal((await bench.attempt(device))?.check, 'certificate-not-active');
    assert.equal((await bench.attempt(device))?.check, 'rate');
    assert.equal(bench.events.length, 10);
    bench.registry.clock.at += 10_000;
    assert.equal((await bench.attempt(device))?.check, 'certificate-not-active');
  });

  test('a disk that is nearly full keeps nothing new', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca);
    bench.disk.low = true;
    const device = deviceOf(ca);
    assert.equal((await bench.attempt(device))?.check, 'limit');
    assert.equal(await bench.statusOf(device), undefined);
  });
});

describe('just-in-time provisioning (fact 4.5)', () => {
  const config = { registrationConfig: { templateBody: '{}', roleArn: `arn:aws:iam::${HOME.accountId}:role/jitp` } };

  test('a template instead of the event, with the reserved parameters; one run of two attempts at once', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    const caCertificateId = await bench.register(ca, caller, config);
    const device = deviceOf(ca);
    const id = certificateIdOf(device.der);
    bench.provision = async () => {
      await bench.registry.call('UpdateCertificate', { certificateId: id, newStatus: 'ACTIVE' });
    };
    const answers = await Promise.all([bench.attempt(device), bench.attempt(device)]);
    for (const answer of answers) assert.match(answer?.reason ?? '', /has provisioned it: the next connection is let in/);
    assert.deepEqual(bench.requests, [
      {
        place: HOME,
        certificateId: id,
        caCertificateId,
        config: config.registrationConfig,
        parameters: { 'AWS::IoT::Certificate::CommonName': 'Example Device', 'AWS::IoT::Certificate::Id': id },
      },
    ]);
    assert.deepEqual(bench.events, []);
    assert.equal(await bench.attempt(device), undefined);
  });

  test('a failure is told to the owner, leaves PENDING_ACTIVATION, and the next attempt tries again', async () => {
    await using bench = await Bench.open();
    const ca = chainCertificate();
    await bench.register(ca, caller, config);
    const device = deviceOf(ca);
    bench.provision = () => Promise.reject(new ThingkeepError('InvalidRequestException', 'no parameter Country'));
    for (let n = 1; n < 3; n += 1) {
      const answer = await bench.attempt(device);
      assert.match(answer?.reason ?? '', /has failed, and the next connection tries again: no parameter Country$/);
      assert.deepEqual([answer?.check, answer?.accountId], ['certificate-not-active', HOME.accountId]);
      assert.equal(await bench.statusOf(device), 'PENDING_ACTIVATION');
      assert.equal(bench.requests.length, n);
    }
    assert.deepEqual(bench.events, []);
  });
});
