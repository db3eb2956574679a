/** Fleet provisioning by claim over MQTT (fact sheet 4.7 and 25; developer guide, pages provision-wo-cert and fleet-provision-api). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DescribeCertificateCommand, DescribeThingCommand, ListThingPrincipalsCommand } from '@aws-sdk/client-iot';
import { arn, type Device } from './devices.ts';
import { CREATE, connectDevice, makeClaim, makeTemplate, provisionTopic } from './provisioning.ts';
import { startServer, type TestServer } from './test-core.ts';

describe('fleet provisioning by claim', () => {
  let server: TestServer;
  let claim: Device;
  const PROVISION = provisionTopic('lamps');

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn'] });
    await makeTemplate(server, 'lamps');
    claim = await makeClaim(server, 'lamps');
  });
  after(() => server[Symbol.asyncDispose]());

  test('a device gets keys and certificate, is made a thing by the template, and connects with what it got (4.7)', async () => {
    await using asking = await connectDevice(server, 'new-device', claim);
    const { outcome, body: made } = await asking.ask(CREATE);
    assert.equal(outcome, 'accepted', JSON.stringify(made));
    assert.deepEqual(Object.keys(made).sort(), ['certificateId', 'certificateOwnershipToken', 'certificatePem', 'privateKey']);
    const certificateId = String(made.certificateId);
    const status = async () =>
      (await server.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;
    assert.equal(await status(), 'PENDING_ACTIVATION');
    const { certificateOwnershipToken } = made;
    assert.deepEqual(await asking.ask(PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: '7' } }), {
      outcome: 'accepted',
      body: { deviceConfiguration: { url: 'https://example.com/7' }, thingName: 'lamp-7' },
    });
    assert.equal(await status(), 'ACTIVE');
    assert.deepEqual((await server.iot.send(new DescribeThingCommand({ thingName: 'lamp-7' }))).attributes, { serial: '7' });
    const { principals } = await server.iot.send(new ListThingPrincipalsCommand({ thingName: 'lamp-7' }));
    assert.deepEqual(principals, [arn(`cert/${certificateId}`)]);
    const own = { certPem: String(made.certificatePem), keyPem: String(made.privateKey) };
    await using device = await connectDevice(server, 'lamp-7', own);
    await device.client.publishAsync('lamps/7', 'on', { qos: 1 });
  });
});
