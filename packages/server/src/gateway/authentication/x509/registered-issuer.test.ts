/** The reason that an unregistered certificate is refused with: it depends on whether its issuer is a registered CA. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { factoryCa, NOW, signedBy } from '../../../testing/factory-ca.ts';
import { caller, RegistryFixture, stranger } from '../../../testing/registry-fixture.ts';
import { unregisteredRefusal } from './registration.ts';

test('a certificate whose CA is registered: the CA is named, with its auto-registration and status, to its owner', async () => {
  await using bench = await RegistryFixture.open();
  bench.clock.at = NOW;
  const places = { regions: async () => ['us-east-1'], inRegion: () => bench.store };
  const ca = await factoryCa('factory');
  const twin = await factoryCa('factory');
  const device = new X509Certificate(await signedBy(ca, 'device'));
  const refusal = async () => (await unregisteredRefusal(places, 'ab'.repeat(32), undefined, device)).refused;
  assert.match(
    (await refusal()).reason,
    /^the certificate is not registered, and no registered CA .* issuer is "CN=factory": register/,
  );
  const registered = { certificateMode: 'SNI_ONLY' } as const;
  await bench.call('RegisterCACertificate', { caCertificate: twin.pem, setAsActive: true, ...registered });
  assert.match((await refusal()).reason, /no registered CA/, 'a name is no proof');
  const { certificateId } = await bench.call('RegisterCACertificate', { caCertificate: ca.pem, ...registered });
  const { reason, accountId, region, check } = await refusal();
  assert.deepEqual([check, accountId, region], ['certificate-unknown', caller.accountId, 'us-east-1']);
  assert.ok(reason.includes(`its CA is registered (${certificateId}), and its auto-registration is off: register`));
  assert.match(reason, /register-certificate --set-as-active.* The CA is INACTIVE: set it ACTIVE first\.$/);
  const on = { certificateId, newStatus: 'ACTIVE', newAutoRegistrationStatus: 'ENABLE' } as const;
  await bench.call('UpdateCACertificate', on);
  assert.match(
    (await refusal()).reason,
    /auto-registration is on for MQTT clients that ask for a host name of the account, as .* SNI_ONLY: .*certificates\.$/,
  );
  await bench.call('RegisterCACertificate', { caCertificate: ca.pem, ...registered }, stranger);
  const { reason: ofTwo, accountId: nobody } = await refusal();
  assert.equal(nobody, undefined, 'two owners');
  assert.match(ofTwo, /^the certificate is not registered; a registered CA has signed it: register .*, with both certificates$/);
});

test('a certificate that is signed by itself, and one that can not be read, are told so', async () => {
  await using bench = await RegistryFixture.open();
  const places = { regions: async () => ['us-east-1'], inRegion: () => bench.store };
  const own = new X509Certificate((await factoryCa('own')).pem);
  const reason = async (certificate?: X509Certificate) =>
    (await unregisteredRefusal(places, 'ab'.repeat(32), undefined, certificate)).refused.reason;
  assert.match(await reason(own), /it is signed by itself: register it by aws iot register-certificate-without-ca/);
  assert.match(await reason(), /^the certificate is not registered: register it/);
});
