/** Pre-provisioning hooks and certificate providers: the functions that are asked (fact sheet 25 and 26). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { csrDer, csrPem, newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { FunctionError, type InvokeOptions } from '../functions/contract.ts';
import { factoryCa, signedBy } from '../testing/factory-ca.ts';
import { ProvisioningFixture, ROLE } from '../testing/provisioning-fixture.ts';

const CSR = '$aws/certificates/create-from-csr/json';
const PROVISION = '$aws/provisioning-templates/lamps/provision/json';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:hook';
const BODY = {
  Parameters: { Serial: { Type: 'String' }, Site: { Type: 'String' } },
  Resources: {
    thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: 'Serial' }, AttributePayload: { site: { Ref: 'Site' } } } },
    certificate: { Type: 'AWS::IoT::Certificate', Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' } } },
  },
};
const key = newEcKey();
const request = csrPem(csrDer({ key, subject: commonNameOnly('lamp') }));
const utf8 = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** Has a function answer, and remembers how it was asked. */
function answering(bench: ProvisioningFixture, answer: unknown) {
  const calls: { readonly name: string; readonly event: unknown; readonly options: InvokeOptions }[] = [];
  bench.answer = async (name, payload, options) => {
    calls.push({ name, event: JSON.parse(Buffer.from(payload).toString()), options });
    if (answer instanceof Error) throw answer;
    return utf8(answer);
  };
  return calls;
}

async function withHook(): Promise<ProvisioningFixture> {
  const bench = await ProvisioningFixture.open();
  const preProvisioningHook = { targetArn: FUNCTION };
  const templateBody = JSON.stringify(BODY);
  await bench.call('CreateProvisioningTemplate', {
    templateName: 'lamps',
    templateBody,
    provisioningRoleArn: ROLE,
    enabled: true,
    preProvisioningHook,
  });
  return bench;
}

async function offered(bench: ProvisioningFixture) {
  const { body } = await bench.ask(CSR, { certificateSigningRequest: request });
  return body;
}

describe('the pre-provisioning hook', () => {
  test('the event has exactly the members of the page; overrides are merged over the parameters (25)', async () => {
    await using bench = await withHook();
    const calls = answering(bench, { allowProvisioning: true, parameterOverrides: { Site: 'north', Serial: 's9' } });
    const { certificateOwnershipToken, certificateId, certificatePem } = await offered(bench);
    const parameters = { Serial: 's1', Other: 'o' };
    const done = await bench.ask(PROVISION, { certificateOwnershipToken, parameters });
    assert.deepEqual(done.body, { deviceConfiguration: {}, thingName: 's9' });
    assert.deepEqual((await bench.call('DescribeThing', { thingName: 's9' })).attributes, { site: 'north' });
    const templateArn = 'arn:aws:iot:us-east-1:000000000000:provisioningtemplate/lamps';
    assert.deepEqual(calls, [
      {
        name: FUNCTION,
        event: { claimCertificateId: 'claim', certificateId, certificatePem, templateArn, clientId: 'device', parameters },
        options: {
          timeoutMs: 5_000,
          as: { service: 'iot.amazonaws.com', sourceArn: templateArn, sourceAccount: '000000000000', byRoot: true },
        },
      },
    ]);
  });

  test('a hook that does not allow it, fails or answers something else: access denied, and the owner finds why', async () => {
    await using bench = await withHook();
    const { certificateOwnershipToken, certificateId } = await offered(bench);
    const cases: readonly (readonly [answer: unknown, why: RegExp])[] = [
      [{ allowProvisioning: false }, /did not allow/],
      [{}, /did not allow/],
      [{ allowProvisioning: 'true' }, /did not allow/],
      [{ allowProvisioning: 1 }, /did not allow/],
      ['true', /no object/],
      ['', /no JSON/],
      [
        { allowProvisioning: true, parameterOverrides: { Site: 1 } },
        /parameterOverrides that are not usable: the parameter Site/,
      ],
      [{ allowProvisioning: true, parameterOverrides: [] }, /not usable/],
      [new FunctionError('timeout', 'it took too long'), /gave no answer: it took too long/],
      [new FunctionError('refused', 'it has no permission for iot.amazonaws.com'), /no permission/],
    ];
    for (const [answer, why] of cases) {
      answering(bench, answer);
      const { outcome, body } = await bench.ask(PROVISION, { certificateOwnershipToken, parameters: { Serial: 's', Site: 'x' } });
      assert.deepEqual(
        [outcome, body],
        ['rejected', { statusCode: 403, errorCode: 'AccessDenied', errorMessage: 'Access denied.' }],
      );
      assert.match(bench.refusals.at(-1)?.reason ?? '', why);
    }
    answering(bench, new FunctionError('overload', 'busy'));
    assert.equal((await bench.ask(PROVISION, { certificateOwnershipToken, parameters: {} })).body.errorCode, 'Throttled');
    assert.deepEqual((await bench.call('ListThings', {})).things, []);
    answering(bench, {
      allowProvisioning: true,
      parameterOverrides: { 'AWS::IoT::Certificate::Id': 'ab'.repeat(32), Site: 'y' },
    });
    assert.equal((await bench.ask(PROVISION, { certificateOwnershipToken, parameters: { Serial: 's' } })).outcome, 'accepted');
    const { certificateDescription } = await bench.call('DescribeCertificate', { certificateId: String(certificateId) });
    assert.equal(certificateDescription?.status, 'ACTIVE', 'a hook can not say which certificate it is about');
  });

  test('a hook is asked once while a token is under way, and not at all for one that counts for nothing', async () => {
    await using bench = await withHook();
    const { certificateOwnershipToken } = await offered(bench);
    const calls = answering(bench, { allowProvisioning: true, parameterOverrides: { Site: 'x' } });
    await bench.ask(PROVISION, { certificateOwnershipToken: 'guess', parameters: { Serial: 's' } });
    assert.equal(calls.length, 0);
    const ask = () => bench.ask(PROVISION, { certificateOwnershipToken, parameters: { Serial: 's' } });
    const outcomes = (await Promise.all([ask(), ask(), ask()])).map(({ outcome }) => outcome);
    assert.deepEqual([outcomes.sort(), calls.length], [['accepted', 'rejected', 'rejected'], 1]);
  });
});

describe('certificate providers', () => {
  const create = (bench: ProvisioningFixture, more: object = {}) =>
    bench.call('CreateCertificateProvider', {
      ...{
        certificateProviderName: 'signer',
        lambdaFunctionArn: FUNCTION,
        accountDefaultForOperations: ['CreateCertificateFromCsr'],
      },
      ...more,
    });

  test('the function signs requests over MQTT, and those alone; its certificate is given as it is, and waits for its owner (26)', async () => {
    await using bench = await ProvisioningFixture.open();
    const { certificateProviderArn } = await create(bench);
    assert.equal(certificateProviderArn, 'arn:aws:iot:us-east-1:000000000000:certificateprovider/signer');
    const certificatePem = await signedBy(await factoryCa('factory'), 'lamp', { key });
    const calls = answering(bench, { certificatePem });
    const { outcome, body } = await bench.ask(CSR, { certificateSigningRequest: request });
    assert.deepEqual([outcome, body.certificatePem], ['accepted', certificatePem]);
    assert.deepEqual(calls, [
      {
        name: FUNCTION,
        event: { certificateSigningRequest: request, principalId: 'claim', clientId: 'device' },
        options: {
          timeoutMs: 5_000,
          as: { service: 'iot.amazonaws.com', sourceArn: certificateProviderArn, sourceAccount: '000000000000', byRoot: true },
        },
      },
    ]);
    const certificateId = String(body.certificateId);
    const { certificateDescription } = await bench.call('DescribeCertificate', { certificateId });
    assert.deepEqual(
      [certificateDescription?.status, certificateDescription?.certificatePem],
      ['PENDING_ACTIVATION', certificatePem],
    );
    await bench.call('CreateCertificateFromCsr', { certificateSigningRequest: request });
    assert.equal(calls.length, 1, 'the API does not ask it');
    const again = await bench.ask(CSR, { certificateSigningRequest: request });
    assert.match(String(again.body.errorMessage), /already provisioned or registered/);
    assert.equal((await bench.ask(CSR, { certificateSigningRequest: 'none' })).body.errorCode, 'InvalidRequest');
    assert.equal(calls.length, 2, 'a request that is none goes to no function');
  });

  test('a certificate of another subject or key, no certificate, or no answer: rejected, and nothing is kept', async () => {
    await using bench = await ProvisioningFixture.open();
    await create(bench);
    const ca = await factoryCa('factory');
    const cases: readonly (readonly [answer: unknown, why: RegExp])[] = [
      [{ certificatePem: await signedBy(ca, 'other', { key }) }, /of another subject/],
      [{ certificatePem: await signedBy(ca, 'lamp') }, /of another public key/],
      [{ certificatePem: request }, /no usable certificate/],
      [{ certificatePem: 7 }, /no certificatePem/],
      [{}, /no certificatePem/],
      ['<xml/>', /no JSON/],
      [new FunctionError('timeout', 'it took too long'), /gave no answer: it took too long/],
    ];
    for (const [answer, why] of cases) {
      answering(bench, answer);
      const { outcome, body } = await bench.ask(CSR, { certificateSigningRequest: request });
      assert.deepEqual([outcome, body.errorMessage], ['rejected', 'The certificate provider gave no certificate.']);
      assert.match(bench.refusals.at(-1)?.reason ?? '', why);
    }
    answering(bench, new FunctionError('overload', 'busy'));
    const { body: busy } = await bench.ask(CSR, { certificateSigningRequest: request });
    assert.deepEqual([busy.statusCode, busy.errorCode], [429, 'Throttled'], 'as of a hook: the device may come again');
    assert.deepEqual((await bench.call('ListCertificates', {})).certificates, []);
    await bench.call('DeleteCertificateProvider', { certificateProviderName: 'signer' });
    assert.equal((await bench.ask(CSR, { certificateSigningRequest: request })).outcome, 'accepted', 'the server signs again');
  });

  test('one of an account; the same token again is the same request', async () => {
    await using bench = await ProvisioningFixture.open();
    await create(bench, { clientToken: 't' });
    await create(bench, { clientToken: 't' });
    await assert.rejects(create(bench, { clientToken: 'u' }), { code: 'ResourceAlreadyExistsException' });
    await assert.rejects(create(bench, { certificateProviderName: 'other' }), { code: 'LimitExceededException' });
    await assert.rejects(create(bench, { accountDefaultForOperations: [] }), { code: 'InvalidRequestException' });
    const { certificateProviders } = await bench.call('ListCertificateProviders', {});
    assert.equal(certificateProviders?.length, 1);
  });
});
