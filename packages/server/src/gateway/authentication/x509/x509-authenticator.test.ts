/** Who may connect with which certificate (developer guide, pages x509-client-certs and iot-policy-actions). */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { PermissionChanges } from '../../../policies/permission-changes.ts';
import { type CertificateRecord, certificates } from '../../../registry/store.ts';
import { factoryCa, NOW, signedBy } from '../../../testing/factory-ca.ts';
import { MINUTE, RegistryFixture } from '../../../testing/registry-fixture.ts';
import { openLog } from '../../../runtime/log.ts';
import { release } from '../../../store/claims.ts';
import type { Store } from '../../../store/contract.ts';
import { byRegion, regionsOf } from '../../../store/regional.ts';
import { openMemoryStore } from '../../../store/rerunning-store.fixture.ts';
import { claimStored } from '../claim-stored.ts';
import { NO_CLIENT, RegisteredCertificates } from './registered-certificates.ts';
import { registrationHolder, unregisteredRefusal } from './registration.ts';
import { X509Authenticator } from './x509-authenticator.ts';

const YEARS = 366 * 86_400_000;

const admissionOver = (bench: RegistryFixture, changes = new PermissionChanges(), store: Store = bench.store) => {
  const { clock } = bench;
  const regions = async () => ['us-east-1'];
  const certificates = new RegisteredCertificates({ regions, inRegion: () => store, clock, changes });
  const authenticator = new X509Authenticator({ certificates, clock, log: openLog('silent') });
  return async (certificateId?: string): Promise<string> => {
    const peer = { sourceIp: '192.0.2.1', sourcePort: 1, certificateId };
    const answer = await authenticator.authenticateRequest({ peer, protocol: 'https' });
    return 'refused' in answer ? answer.refused.check : answer.permissions.decide('iot:Publish', 'arn:aws:iot:x').effect;
  };
};

test('a certificate is shown, registered, ACTIVE, and still denied everything without a policy', async () => {
  await using bench = await RegistryFixture.open();
  const authenticate = admissionOver(bench);
  assert.equal(await authenticate(), 'certificate-missing');
  assert.equal(await authenticate('ab'.repeat(32)), 'certificate-unknown');
  assert.equal(await authenticate((await bench.certificate(false)).id), 'certificate-not-active');
  assert.equal(await authenticate((await bench.certificate()).id), 'IMPLICIT_DENY');
});

test('an unknown certificate is looked for in few regions, however many there are', async () => {
  await using whole = await openMemoryStore();
  const inRegion = byRegion(whole);
  const names = Array.from({ length: 100 }, (_, n) => `us-east-${n + 100}`);
  const stored = (region: string, accountId: string, certificateId: string) =>
    inRegion(region).write((tx) =>
      tx.put(certificates, {
        accountId,
        certificateId,
        certificatePem: '',
        status: 'INACTIVE',
        mode: 'SNI_ONLY',
        createdAt: 1,
        lastModifiedAt: 1,
        version: 1,
        generationId: '',
        notBefore: 0,
        notAfter: 1,
      }),
    );
  const [nobodys, twice, once] = ['ab', 'cd', 'ef'].map((byte) => byte.repeat(32));
  for (const name of names) await stored(name, '111111111111', name);
  for (const account of ['111111111111', '222222222222', '333333333333']) await stored(names[0] ?? '', account, twice ?? '');
  await stored(names[0] ?? '', '111111111111', once ?? '');
  let reads = 0;
  const counted = (region: string): Store => {
    reads += 1;
    return inRegion(region);
  };
  const refusal = async (regions: readonly string[], certificateId = '') => {
    reads = 0;
    const { refused } = await unregisteredRefusal({ regions: async () => regions, inRegion: counted }, certificateId, undefined);
    return [refused.check, refused.accountId, reads];
  };
  const all = await regionsOf(whole);
  assert.equal(all.length, 100);
  assert.deepEqual(await refusal(all, nobodys), ['certificate-unknown', undefined, 32]);
  assert.deepEqual(await refusal(all, twice), ['certificate-not-active', undefined, 1]);
  assert.deepEqual(await refusal(all, once), ['certificate-not-active', undefined, 32], 'others may have it elsewhere');
  assert.deepEqual(await refusal(all.slice(0, 32), once), ['certificate-not-active', '111111111111', 32]);
});

test('the issuer of an unknown certificate is looked for twenty times a minute for a peer, an IPv6 one by its /64', async () => {
  await using bench = await RegistryFixture.open();
  bench.clock.at = NOW;
  const caCertificate = await factoryCa('factory');
  await bench.call('RegisterCACertificate', { caCertificate: caCertificate.pem, certificateMode: 'SNI_ONLY' });
  const der = new X509Certificate(await signedBy(caCertificate, 'device')).raw;
  const options = { regions: async () => ['us-east-1'], inRegion: () => bench.store, changes: new PermissionChanges() };
  const certificates = new RegisteredCertificates({ ...options, clock: bench.clock });
  let reads = 0;
  const certificateDer = (): Buffer => {
    reads += 1;
    return der;
  };
  const reasonFor = async (sourceIp: string): Promise<string> => {
    const peer = { sourceIp, sourcePort: 1, certificateId: 'ab'.repeat(32), certificateDer };
    const answer = await certificates.usableCertificate(peer, NO_CLIENT);
    return 'refused' in answer ? answer.refused.reason : '';
  };
  for (let n = 0; n < 20; n += 1) assert.match(await reasonFor(`2001:db8::${n}`), /its CA is registered/);
  reads = 0;
  assert.match(await reasonFor('2001:db8::ffff'), /^the certificate is not registered: register it/);
  assert.equal(reads, 0, 'the certificate is not even read');
  assert.match(await reasonFor('2001:db8:0:1::1'), /its CA is registered/);
  bench.clock.at += MINUTE;
  assert.match(await reasonFor('2001:db8::ffff'), /its CA is registered/);
});

test('validity is checked by the clock of each request, though the certificate is remembered', async () => {
  await using bench = await RegistryFixture.open();
  const authenticate = admissionOver(bench);
  const { id } = await bench.certificate();
  assert.equal(await authenticate(id), 'IMPLICIT_DENY');
  bench.clock.at += 100 * YEARS;
  assert.equal(await authenticate(id), 'certificate-expired');
  bench.clock.at -= 200 * YEARS;
  assert.equal(await authenticate(id), 'certificate-not-yet-valid');
});

test('a revoked certificate is refused once its change is published', async () => {
  await using bench = await RegistryFixture.open();
  const changes = new PermissionChanges();
  const authenticate = admissionOver(bench, changes);
  const { id } = await bench.certificate();
  assert.equal(await authenticate(id), 'IMPLICIT_DENY');
  await bench.call('UpdateCertificate', { certificateId: id, newStatus: 'REVOKED' });
  for (const { certificateIds } of bench.permissionChanges.splice(0)) changes.publish(certificateIds ?? []);
  assert.equal(await authenticate(id), 'certificate-not-active');
});

test('a data file from before there were claims: the oldest ACTIVE registration of each certificate, of all regions', async () => {
  await using whole = await openMemoryStore();
  const inRegion = byRegion(whole);
  const regions = () => regionsOf(whole);
  const certificateId = 'ab'.repeat(32);
  const stored = (region: string, accountId: string, createdAt: number, status: CertificateRecord['status']) =>
    inRegion(region).write((tx) =>
      tx.put(certificates, {
        accountId,
        certificateId,
        certificatePem: '',
        status,
        mode: 'SNI_ONLY',
        createdAt,
        lastModifiedAt: createdAt,
        version: 1,
        generationId: '',
        notBefore: 0,
        notAfter: 1,
      }),
    );
  await stored('ap-south-1', '000000000000', 3, 'ACTIVE');
  await stored('us-east-1', '111111111111', 2, 'ACTIVE');
  await stored('us-west-2', '222222222222', 1, 'INACTIVE');
  const home = { region: 'us-east-1' };
  await claimStored({ regions, inRegion, home });
  assert.deepEqual(await registrationHolder({ inRegion }, certificateId), { accountId: '111111111111', region: 'us-east-1' });
  // Once: what is released later stays so.
  const name = certificateId;
  await whole.write((tx) => release(tx, { kind: 'certificate', name, accountId: '111111111111', region: 'us-east-1' }));
  await claimStored({ regions, inRegion, home });
  assert.equal(await registrationHolder({ inRegion }, certificateId), undefined);
});
