import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { policyAttachments } from '../policies/store.ts';
import { findClaim } from '../store/claims.ts';
import { factoryCa, NOW, signedBy } from '../testing/factory-ca.ts';
import { caller, MINUTE, stranger, RegistryFixture } from '../testing/registry-fixture.ts';
import { type CertificateStatus, certificates } from './store.ts';

const statusOf = async (bench: RegistryFixture, certificateId: string | undefined) =>
  (await bench.call('DescribeCertificate', { certificateId })).certificateDescription?.status;

describe('creation', () => {
  test('CreateKeysAndCertificate gives a working pair, INACTIVE unless told', async () => {
    await using bench = await RegistryFixture.open();
    const made = await bench.call('CreateKeysAndCertificate', {});
    assert.equal(made.certificateArn, `arn:aws:iot:us-east-1:000000000000:cert/${made.certificateId}`);
    assert.match(made.keyPair?.PublicKey ?? '', /^-----BEGIN PUBLIC KEY/);
    assert.match(made.keyPair?.PrivateKey ?? '', /^-----BEGIN RSA PRIVATE KEY/);
    assert.equal(await statusOf(bench, made.certificateId), 'INACTIVE');
    const active = await bench.call('CreateKeysAndCertificate', { setAsActive: true });
    assert.equal(await statusOf(bench, active.certificateId), 'ACTIVE');
    // The private key is kept nowhere.
    const { items } = await bench.store.read((tx) => tx.scan(certificates, { prefix: [] }));
    assert.ok(!JSON.stringify(items).includes('PRIVATE'));
  });

  test('CreateCertificateFromCsr: the same request again is another certificate; a bad one is a bad request', async () => {
    await using bench = await RegistryFixture.open();
    const [first, second] = [await bench.certificate(), await bench.certificate()];
    assert.notEqual(first.id, second.id);
    await bench.refuses(
      'InvalidRequestException',
      'CreateCertificateFromCsr',
      { certificateSigningRequest: 'file://x' },
      /^CSR violates constraints/,
    );
  });

  test('DescribeCertificate tells all of it, in upper case ids too, to its account alone', async () => {
    await using bench = await RegistryFixture.open();
    const { id, arn, pem } = await bench.certificate();
    const { certificateDescription: told } = await bench.call('DescribeCertificate', { certificateId: id.toUpperCase() });
    assert.equal(told?.certificateArn, arn);
    assert.equal(told?.certificatePem, pem);
    assert.equal(told?.ownedBy, caller.accountId);
    assert.equal(told?.customerVersion, 1);
    assert.equal(told?.certificateMode, 'DEFAULT');
    assert.match(told?.generationId ?? '', /./);
    assert.deepEqual(told?.creationDate, new Date(NOW));
    const read = new X509Certificate(pem);
    assert.deepEqual(told?.validity, { notBefore: read.validFromDate, notAfter: read.validToDate });
    await bench.refuses('ResourceNotFoundException', 'DescribeCertificate', { certificateId: id }, /./, stranger);
    await bench.refuses('ResourceNotFoundException', 'DescribeCertificate', { certificateId: '0'.repeat(64) });
  });
});

describe('UpdateCertificate (API reference UpdateCertificate)', () => {
  test('moves between the statuses, counts versions, tells of each change', async () => {
    await using bench = await RegistryFixture.open();
    const { id } = await bench.certificate(false);
    for (const newStatus of ['ACTIVE', 'INACTIVE', 'ACTIVE', 'REVOKED', 'ACTIVE', 'INACTIVE'] as const) {
      await bench.call('UpdateCertificate', { certificateId: id, newStatus });
      assert.equal(await statusOf(bench, id), newStatus);
      assert.deepEqual([...new Set(bench.rung())], [id]);
    }
    bench.clock.at += MINUTE;
    await bench.call('UpdateCertificate', { certificateId: id, newStatus: 'INACTIVE' });
    assert.deepEqual(bench.rung(), []);
    const { certificateDescription: told } = await bench.call('DescribeCertificate', { certificateId: id });
    assert.equal(told?.customerVersion, 7);
    assert.deepEqual(told?.lastModifiedDate, new Date(NOW));
    await bench.refuses('ResourceNotFoundException', 'UpdateCertificate', { certificateId: '0'.repeat(64), newStatus: 'ACTIVE' });
  });

  test('every status to every status', async () => {
    await using bench = await RegistryFixture.open();
    const all: CertificateStatus[] = ['ACTIVE', 'INACTIVE', 'REVOKED', 'PENDING_TRANSFER', 'PENDING_ACTIVATION'];
    for (const from of all)
      for (const newStatus of all) {
        const { id } = await bench.certificate();
        await bench.store.write(async (tx) => {
          const record = await tx.get(certificates, [caller.accountId, id]);
          if (record !== undefined) await tx.put(certificates, { ...record, status: from });
        });
        const input = { certificateId: id, newStatus };
        if (newStatus.startsWith('PENDING')) await bench.refuses('InvalidRequestException', 'UpdateCertificate', input);
        else if (from === 'PENDING_TRANSFER') await bench.refuses('CertificateStateException', 'UpdateCertificate', input);
        else await bench.call('UpdateCertificate', input);
      }
  });
});

describe('DeleteCertificate (API reference DeleteCertificate)', () => {
  test('refused while active, on a thing, under a policy; then it goes, and its permissions change', async () => {
    await using bench = await RegistryFixture.open();
    const { id, arn } = await bench.certificate();
    await bench.call('CreateThing', { thingName: 'a' });
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: arn });
    await bench.store.write((tx) =>
      tx.put(policyAttachments, { accountId: caller.accountId, policyName: 'p', target: arn, attachedAt: NOW }),
    );
    await bench.refuses(
      'CertificateStateException',
      'DeleteCertificate',
      { certificateId: id, forceDelete: true },
      /must be deactivated/,
    );
    await bench.call('UpdateCertificate', { certificateId: id, newStatus: 'INACTIVE' });
    await bench.refuses(
      'DeleteConflictException',
      'DeleteCertificate',
      { certificateId: id, forceDelete: true },
      /Things must be detached/,
    );
    await bench.call('DetachThingPrincipal', { thingName: 'a', principal: arn });
    await bench.refuses('DeleteConflictException', 'DeleteCertificate', { certificateId: id }, /policies must be detached/);
    bench.rung();
    await bench.call('DeleteCertificate', { certificateId: id, forceDelete: true });
    assert.deepEqual([...new Set(bench.rung())], [id]);
    const left = await bench.store.read((tx) => tx.scan(policyAttachments, { prefix: [caller.accountId] }));
    assert.deepEqual(left.items, []);
    await bench.refuses('ResourceNotFoundException', 'DeleteCertificate', { certificateId: id });
  });
});

describe('lists', () => {
  test('newest first unless told, in pages', async () => {
    await using bench = await RegistryFixture.open();
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      bench.clock.at += MINUTE;
      ids.push((await bench.certificate()).id);
    }
    const all = async (input: { ascendingOrder?: boolean; pageSize?: number }) => {
      const seen: (string | undefined)[] = [];
      let marker: string | undefined;
      do {
        const page = await bench.call('ListCertificates', { ...input, marker });
        seen.push(...(page.certificates ?? []).map((each) => each.certificateId));
        marker = page.nextMarker;
      } while (marker !== undefined);
      return seen;
    };
    assert.deepEqual(await all({ ascendingOrder: true, pageSize: 3 }), ids);
    assert.deepEqual(await all({ pageSize: 2 }), [...ids].reverse());
    assert.deepEqual(await all({}), [...ids].reverse());
    assert.deepEqual((await bench.call('ListCertificates', {}, stranger)).certificates, []);
  });
});

describe('RegisterCertificateWithoutCA (API reference RegisterCertificateWithoutCA)', () => {
  test('keeps the text as sent, in SNI_ONLY mode, in several accounts; not twice in one', async () => {
    await using bench = await RegistryFixture.open();
    const ca = await factoryCa('factory');
    const certificatePem = `a note\n${await signedBy(ca, 'device')}`;
    const made = await bench.call('RegisterCertificateWithoutCA', { certificatePem });
    assert.equal(made.certificateId, new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase());
    const { certificateDescription: told } = await bench.call('DescribeCertificate', { certificateId: made.certificateId });
    assert.equal(told?.certificatePem, certificatePem);
    assert.equal(told?.certificateMode, 'SNI_ONLY');
    assert.equal(told?.status, 'INACTIVE');
    await assert.rejects(bench.call('RegisterCertificateWithoutCA', { certificatePem }), {
      code: 'ResourceAlreadyExistsException',
      message: 'The certificate is already provisioned or registered',
      members: { resourceId: made.certificateId, resourceArn: made.certificateArn },
    });
    const there = await bench.call('RegisterCertificateWithoutCA', { certificatePem, status: 'ACTIVE' }, stranger);
    assert.equal(there.certificateId, made.certificateId);
  });

  test('the first that is ACTIVE holds it, ACTIVE or not later; once it is deleted, whoever says ACTIVE next', async () => {
    await using bench = await RegistryFixture.open();
    const ca = await factoryCa('factory');
    const certificatePem = await signedBy(ca, 'device');
    const register = (status: 'ACTIVE' | 'INACTIVE', as = caller) =>
      bench.call('RegisterCertificateWithoutCA', { certificatePem, status }, as);
    const { certificateId = '' } = await register('INACTIVE', stranger);
    const holder = async (): Promise<string | undefined> =>
      (await bench.store.read((tx) => findClaim(tx, 'certificate', certificateId)))?.accountId;
    const update = (newStatus: 'ACTIVE' | 'INACTIVE' | 'REVOKED', as = caller) =>
      bench.call('UpdateCertificate', { certificateId, newStatus }, as);
    assert.equal(await holder(), undefined);
    await register('ACTIVE');
    await update('ACTIVE', stranger);
    assert.equal(await holder(), caller.accountId);
    for (const status of ['INACTIVE', 'REVOKED', 'INACTIVE'] as const) {
      await update(status);
      assert.equal(await holder(), caller.accountId, status);
    }
    await bench.call('DeleteCertificate', { certificateId });
    assert.equal(await holder(), undefined);
    bench.rung();
    await update('ACTIVE', stranger);
    assert.equal(await holder(), stranger.accountId);
    assert.deepEqual(bench.rung(), [certificateId], 'what is remembered of the device is void, though the status was so before');
  });

  test('statuses; one registered as REVOKED stays so (developer guide, page manual-cert-registration)', async () => {
    await using bench = await RegistryFixture.open();
    const ca = await factoryCa('factory');
    const certificatePem = await signedBy(ca, 'device');
    for (const status of ['PENDING_TRANSFER', 'PENDING_ACTIVATION'] as const)
      await bench.refuses('InvalidRequestException', 'RegisterCertificateWithoutCA', { certificatePem, status });
    const { certificateId } = await bench.call('RegisterCertificateWithoutCA', { certificatePem, status: 'REVOKED' });
    await bench.refuses('CertificateStateException', 'UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
    await bench.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
    await bench.refuses('CertificateStateException', 'UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
  });

  test('what is no certificate, or two', async () => {
    await using bench = await RegistryFixture.open();
    const ca = await factoryCa('factory');
    const pem = await signedBy(ca, 'device');
    for (const certificatePem of [
      'rubbish',
      pem + ca.pem,
      pem.replace('MII', 'MIJ'),
      pem.replaceAll('CERTIFICATE', 'PUBLIC KEY'),
    ])
      await bench.refuses('CertificateValidationException', 'RegisterCertificateWithoutCA', { certificatePem });
  });
});
