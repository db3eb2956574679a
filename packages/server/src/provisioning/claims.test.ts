/** CreateProvisioningClaim (fact sheet 4.7 and 24.1): five minutes, not listed, and its rights are the provisioning alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicies } from '../policies/compile.ts';
import { bindPermissions } from '../policies/evaluate.ts';
import { ProvisioningFixture, ROLE } from '../testing/provisioning-fixture.ts';
import { CLAIM_IS_KEPT, CLAIM_LASTS, temporaryClaims } from './claims.ts';

/** As long as a name can be: a policy has to have room for it. */
const NAME = 'lamps'.padEnd(36, '-');

const template = (bench: ProvisioningFixture, more: object = {}) =>
  bench.call('CreateProvisioningTemplate', {
    ...{ templateName: NAME, templateBody: '{"Resources":{}}', provisioningRoleArn: ROLE, enabled: true },
    ...more,
  });

test('a claim is a certificate with its key for five minutes, and in no list', async () => {
  await using bench = await ProvisioningFixture.open();
  await template(bench);
  const {
    certificateId = '',
    certificatePem,
    keyPair,
    expiration,
  } = await bench.call('CreateProvisioningClaim', { templateName: NAME });
  assert.match(certificatePem ?? '', /^-----BEGIN CERTIFICATE/);
  assert.match(keyPair?.PrivateKey ?? '', /PRIVATE KEY/);
  assert.equal(expiration?.getTime(), bench.clock.at + CLAIM_LASTS);
  assert.deepEqual((await bench.call('ListCertificates', {})).certificates, []);
  await bench.refuses('ResourceNotFoundException', 'DescribeCertificate', { certificateId });
  const claims = temporaryClaims(() => bench.store);
  assert.equal((await claims.find(certificateId))?.notAfter, bench.clock.at + CLAIM_LASTS);
  assert.equal(await claims.find('ab'.repeat(32)), undefined);
  bench.clock.at += CLAIM_LASTS + CLAIM_IS_KEPT - 1;
  await bench.doDueWork();
  assert.notEqual(await claims.find(certificateId), undefined, 'a refusal can still say what it was');
  bench.clock.at += 1;
  await bench.doDueWork();
  assert.equal(await claims.find(certificateId), undefined);
});

test('its policy allows the requests, their answers, and nothing else', async () => {
  await using bench = await ProvisioningFixture.open();
  await template(bench);
  const { certificateId = '' } = await bench.call('CreateProvisioningClaim', { templateName: NAME });
  const found = await temporaryClaims(() => bench.store).find(certificateId);
  assert.ok(found);
  const permissions = bindPermissions(compilePolicies(found.policies), { keys: new Map(), connectKeys: new Map() });
  const may = (action: string, resource: string) =>
    permissions.decide(action, `arn:aws:iot:us-east-1:000000000000:${resource}`).effect;
  const provision = `$aws/provisioning-templates/${NAME}/provision`;
  const allowed = [
    ['iot:Connect', 'client/any'],
    ['iot:Publish', 'topic/$aws/certificates/create/json'],
    ['iot:Publish', 'topic/$aws/certificates/create-from-csr/cbor'],
    ['iot:Publish', `topic/${provision}/json`],
    ['iot:Receive', `topic/${provision}/json/accepted`],
    ['iot:Subscribe', `topicfilter/${provision}/cbor/rejected`],
  ];
  const denied = [
    ['iot:Publish', 'topic/a'],
    ['iot:Publish', `topic/${provision}/json/accepted`],
    ['iot:Publish', 'topic/$aws/provisioning-templates/other/provision/json'],
    ['iot:Publish', 'topic/$aws/things/x/shadow/update'],
    ['iot:RetainPublish', `topic/${provision}/json`],
    ['iot:Receive', `topic/${provision}/json`],
    ['iot:Subscribe', 'topicfilter/#'],
    ['iot:Subscribe', 'topicfilter/$aws/certificates/create/#'],
    ['iot:Subscribe', `topicfilter/${provision}/#`],
    ['iot:AssumeRoleWithCertificate', 'rolealias/x'],
    ['iot:GetThingShadow', 'thing/x'],
  ];
  for (const [action = '', resource = ''] of allowed) assert.equal(may(action, resource), 'ALLOWED', `${action} ${resource}`);
  for (const [action = '', resource = ''] of denied)
    assert.equal(may(action, resource), 'IMPLICIT_DENY', `${action} ${resource}`);
});

test('a template that is not there, disabled or for something else gives none', async () => {
  await using bench = await ProvisioningFixture.open();
  await bench.refuses('ResourceNotFoundException', 'CreateProvisioningClaim', { templateName: NAME });
  await template(bench, { enabled: false });
  await bench.refuses('InvalidRequestException', 'CreateProvisioningClaim', { templateName: NAME }, /not enabled/);
  await template(bench, { templateName: 'jitp', type: 'JITP' });
  await bench.refuses('InvalidRequestException', 'CreateProvisioningClaim', { templateName: 'jitp' }, /FLEET_PROVISIONING/);
});
