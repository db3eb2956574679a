/** Fleet provisioning by claim: certificates, ownership tokens, templates (fact sheet 4.7 and 25; page fleet-provision-api). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, encode } from 'cbor2';
import { sharedRequest } from '../testing/authority-fixture.ts';
import { type Asker, ProvisioningFixture, ROLE, UNTRUSTING } from '../testing/provisioning-fixture.ts';
import { MAX_WAITING, OWNERSHIP_LASTS } from './ownership.ts';
import { ownershipCounts, ownerships, provisioningTemplates } from './store.ts';
import { dueRecords } from '../store/due-records.ts';

const CSR = '$aws/certificates/create-from-csr/json';
const KEYS = '$aws/certificates/create/json';
const PROVISION = '$aws/provisioning-templates/lamps/provision/json';
const ALLOW = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }] };
const CERTIFICATE = {
  Type: 'AWS::IoT::Certificate',
  Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, Status: 'Active' },
};
const BODY = {
  Parameters: { Serial: { Type: 'String' } },
  Resources: {
    thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: 'Serial' } } },
    certificate: CERTIFICATE,
    policy: { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: ALLOW } },
  },
  DeviceConfiguration: { url: 'https://example.com' },
};

async function opened(
  more: { body?: object; enabled?: boolean; type?: 'JITP'; hook?: string } = {},
): Promise<ProvisioningFixture> {
  const { body = BODY, enabled = true, type, hook } = more;
  const bench = await ProvisioningFixture.open();
  await bench.call('CreateProvisioningTemplate', {
    ...{ templateName: 'lamps', templateBody: JSON.stringify(body), provisioningRoleArn: ROLE, enabled, type },
    preProvisioningHook: hook === undefined ? undefined : { targetArn: hook },
  });
  return bench;
}

interface Offered {
  readonly certificateId: string;
  readonly certificateOwnershipToken: string;
}

async function offered(bench: ProvisioningFixture, by: Asker = {}): Promise<Offered> {
  const { outcome, body } = await bench.ask(CSR, { certificateSigningRequest: sharedRequest() }, by);
  assert.equal(outcome, 'accepted', JSON.stringify(body));
  return { certificateId: String(body.certificateId), certificateOwnershipToken: String(body.certificateOwnershipToken) };
}

const provide = (
  bench: ProvisioningFixture,
  certificateOwnershipToken: unknown,
  by: Asker = {},
  parameters: unknown = { Serial: 's1' },
) => bench.ask(PROVISION, { certificateOwnershipToken, parameters }, by);

const statusOf = async (bench: ProvisioningFixture, certificateId: string): Promise<string | undefined> => {
  const { certificates = [] } = await bench.call('ListCertificates', {});
  return certificates.find((each) => each.certificateId === certificateId)?.status;
};

const counts = (bench: ProvisioningFixture) =>
  bench.store.read(async (tx) => (await tx.scan(ownershipCounts, { prefix: [] })).items);
const waiting = (bench: ProvisioningFixture) => bench.store.read(async (tx) => (await tx.scan(ownerships, { prefix: [] })).items);
const due = (bench: ProvisioningFixture) =>
  bench.store.read(async (tx) => (await tx.scan(dueRecords, { prefix: ['untaken-certificate'] })).items);

const rejection = (statusCode: number, errorCode: string, errorMessage: string) => ({ statusCode, errorCode, errorMessage });
const INVALID_TOKEN = rejection(
  400,
  'InvalidCertificateOwnershipToken',
  'Certificate ownership token is invalid or has expired.',
);

describe('certificates for a claim', () => {
  test('keys and certificate; the token is unguessable and only its hash is stored', async () => {
    await using bench = await opened();
    const { outcome, body, to } = await bench.ask(KEYS);
    assert.deepEqual([outcome, to], ['accepted', 'requester']);
    assert.deepEqual(Object.keys(body).sort(), ['certificateId', 'certificateOwnershipToken', 'certificatePem', 'privateKey']);
    assert.match(String(body.privateKey), /^-----BEGIN RSA PRIVATE KEY/);
    const token = String(body.certificateOwnershipToken);
    assert.equal(Buffer.from(token, 'base64url').length, 48);
    assert.ok(!JSON.stringify([await waiting(bench), await due(bench)]).includes(token));
    assert.equal(await statusOf(bench, String(body.certificateId)), 'PENDING_ACTIVATION');
  });

  test('a signing request is signed; one that is none is rejected, and nothing is kept', async () => {
    await using bench = await opened();
    const { body } = await bench.ask(CSR, { certificateSigningRequest: sharedRequest(), more: 1 });
    assert.deepEqual(Object.keys(body).sort(), ['certificateId', 'certificateOwnershipToken', 'certificatePem']);
    for (const request of ['', 7, undefined, 'none', sharedRequest().repeat(5)]) {
      const answer = await bench.ask(CSR, { certificateSigningRequest: request });
      assert.deepEqual([answer.outcome, answer.body.statusCode, answer.body.errorCode], ['rejected', 400, 'InvalidRequest']);
    }
    assert.equal((await waiting(bench)).length, 1);
  });

  test('CBOR: the same requests with the same members, answered in CBOR', async () => {
    await using bench = await opened();
    const cbor = (topic: string) => topic.replace(/json$/, 'cbor');
    const made = await bench.ask(cbor(CSR), Buffer.from(encode({ certificateSigningRequest: sharedRequest() })));
    const { certificateOwnershipToken } = decode<Offered>(made.payload);
    const answer = await bench.ask(
      cbor(PROVISION),
      Buffer.from(encode({ certificateOwnershipToken, parameters: { Serial: 's' } })),
    );
    assert.deepEqual(decode(answer.payload), { deviceConfiguration: { url: 'https://example.com' }, thingName: 's' });
    const again = await bench.ask(
      cbor(PROVISION),
      Buffer.from(encode({ certificateOwnershipToken, parameters: { Serial: 's' } })),
    );
    assert.deepEqual([again.outcome, decode(again.payload)], ['rejected', INVALID_TOKEN]);
  });

  test('a request that nobody could be answered is not served: over HTTPS, by the API, from a rule', async () => {
    await using bench = await opened();
    const chain = { depth: 1, budget: { left: 1 } };
    for (const by of [{ clientId: null }, { chain }, { principal: '' }])
      assert.equal((await bench.ask(KEYS, '', by)).outcome, 'none');
    assert.deepEqual(await waiting(bench), []);
  });

  test('a payload that is none is rejected, and the owner of the account finds the reason', async () => {
    await using bench = await opened();
    for (const payload of ['x', '[]', Buffer.alloc(128 * 1024, 0x20)])
      assert.equal((await bench.ask(KEYS, payload)).outcome, 'rejected');
    assert.deepEqual(
      bench.refusals.map(({ check, clientId, principal }) => [check, clientId, principal]),
      Array(3).fill(['provisioning', 'device', 'claim']),
    );
    assert.equal((await bench.ask(KEYS, '{}')).outcome, 'accepted');
  });
});

describe('ownership tokens', () => {
  test('a token makes a thing of its certificate, once: a replay is rejected and changes nothing', async () => {
    await using bench = await opened();
    const { certificateId, certificateOwnershipToken: token } = await offered(bench);
    const done = await provide(bench, token);
    assert.deepEqual(
      [done.outcome, done.to, done.body],
      ['accepted', 'requester', { deviceConfiguration: { url: 'https://example.com' }, thingName: 's1' }],
    );
    assert.equal(await statusOf(bench, certificateId), 'ACTIVE');
    assert.deepEqual([await waiting(bench), await counts(bench), await due(bench)], [[], [], []]);
    const again = await provide(bench, token, {}, { Serial: 's2' });
    assert.deepEqual([again.outcome, again.body], ['rejected', INVALID_TOKEN]);
    assert.equal((await bench.call('ListThings', {})).things?.length, 1);
  });

  test('of requests with one token at a time one is accepted', async () => {
    await using bench = await opened();
    const { certificateOwnershipToken: token } = await offered(bench);
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, i) => provide(bench, token, {}, { Serial: `s${i}` })));
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'accepted').length, 1);
    assert.equal((await bench.call('ListThings', {})).things?.length, 1);
  });

  test('a stolen token is worth nothing to another principal, account or region', async () => {
    await using bench = await opened();
    const { certificateOwnershipToken: token } = await offered(bench);
    for (const by of [{ principal: 'thief' }, { principal: 'CLAIM' }])
      assert.deepEqual((await provide(bench, token, by)).body, INVALID_TOKEN);
    // There the template is not even known.
    assert.equal((await provide(bench, token, { accountId: '111111111111' })).body.errorCode, 'ResourceNotFound');
    assert.equal((await provide(bench, token)).outcome, 'accepted');
  });

  test('a token that is empty, missing, unknown or no token (aws-iot-device-sdk-js-v2 issue 69)', async () => {
    await using bench = await opened();
    const empty = rejection(400, 'InvalidCertificateOwnershipToken', 'Certificate ownership token cannot be empty.');
    for (const token of ['', undefined, null]) assert.deepEqual((await provide(bench, token)).body, empty);
    for (const token of ['guess', 7, {}, 'x'.repeat(100_000)])
      assert.deepEqual((await provide(bench, token)).body, INVALID_TOKEN);
  });

  test('after an hour a token is over and its certificate deleted, for good', async () => {
    await using bench = await opened();
    const { certificateId, certificateOwnershipToken: token } = await offered(bench);
    bench.clock.at += OWNERSHIP_LASTS - 1;
    await bench.doDueWork();
    assert.equal(await statusOf(bench, certificateId), 'PENDING_ACTIVATION');
    bench.clock.at += 1;
    assert.deepEqual((await provide(bench, token)).body, INVALID_TOKEN);
    await bench.doDueWork();
    assert.equal(await statusOf(bench, certificateId), undefined);
    assert.deepEqual([await waiting(bench), await counts(bench), await due(bench)], [[], [], []]);
  });

  test('a certificate that somebody has activated, or given a policy, stays', async () => {
    await using bench = await opened();
    const [activated, given] = [await offered(bench), await offered(bench)];
    await bench.call('UpdateCertificate', { certificateId: activated.certificateId, newStatus: 'ACTIVE' });
    await bench.call('CreatePolicy', { policyName: 'p', policyDocument: JSON.stringify(ALLOW) });
    const target = `arn:aws:iot:us-east-1:000000000000:cert/${given.certificateId}`;
    await bench.call('AttachPolicy', { policyName: 'p', target });
    bench.clock.at += OWNERSHIP_LASTS;
    await bench.doDueWork();
    assert.deepEqual(
      [await statusOf(bench, activated.certificateId), await statusOf(bench, given.certificateId)],
      ['ACTIVE', 'PENDING_ACTIVATION'],
    );
    assert.deepEqual(await waiting(bench), []);
  });

  test('as many as a claim may have wait; then it is told so, and another claim is served', async () => {
    await using bench = await opened();
    await bench.store.write((tx) =>
      tx.put(ownershipCounts, { accountId: '000000000000', claim: 'claim', count: MAX_WAITING.claim }),
    );
    const answer = await bench.ask(CSR, { certificateSigningRequest: sharedRequest() });
    assert.deepEqual([answer.outcome, answer.body.statusCode, answer.body.errorCode], ['rejected', 429, 'Throttled']);
    assert.deepEqual((await bench.call('ListCertificates', {})).certificates, []);
    await offered(bench, { principal: 'other' });
    await bench.store.write((tx) =>
      tx.put(ownershipCounts, { accountId: '000000000000', claim: '', count: MAX_WAITING.account }),
    );
    assert.equal(
      (await bench.ask(CSR, { certificateSigningRequest: sharedRequest() }, { principal: 'third' })).outcome,
      'rejected',
    );
  });

  test('while free disk is below its floor nothing is made for a device', async () => {
    await using bench = await opened();
    const { certificateOwnershipToken: token } = await offered(bench);
    bench.disk.low = true;
    const answers = [
      await bench.ask(KEYS),
      await bench.ask(CSR, { certificateSigningRequest: sharedRequest() }),
      await provide(bench, token),
    ];
    assert.deepEqual(
      answers.map(({ body }) => body.errorCode),
      Array(3).fill('InternalFailure'),
    );
    assert.match(bench.refusals.at(-1)?.reason ?? '', /disk is nearly full/);
    bench.disk.low = false;
    assert.equal((await provide(bench, token)).outcome, 'accepted');
  });

  test('payloads of an account are bounded by their bytes before they are read', async () => {
    await using bench = await opened();
    const large = Buffer.alloc(128 * 1024, 0x20);
    const codes: unknown[] = [];
    for (let i = 0; i < 5; i += 1) codes.push((await bench.ask(KEYS, large)).body.errorCode);
    assert.deepEqual(codes, [...Array(4).fill('InvalidRequest'), 'Throttled']);
    bench.clock.at += 1_000;
    assert.equal((await bench.ask(KEYS, large)).body.errorCode, 'InvalidRequest');
  });

  test('an account that asks too fast is told so, and another one is served', async () => {
    await using bench = await opened();
    const ask = (accountId: string) => bench.ask(CSR, {}, { accountId });
    const answers = await Promise.all(Array.from({ length: 1_001 }, () => ask('000000000000')));
    assert.deepEqual(answers.at(-1)?.body, rejection(429, 'Throttled', 'Rate exceeded'));
    assert.equal((await ask('111111111111')).body.errorCode, 'InvalidRequest');
    bench.clock.at += 1_000;
    assert.equal((await ask('000000000000')).body.errorCode, 'InvalidRequest');
  });
});

describe('templates for a claim', () => {
  test('a template that is not there, not enabled or for something else is not found', async () => {
    for (const more of [{ enabled: false }, { type: 'JITP' as const, body: { Resources: {} } }]) {
      await using bench = await opened(more);
      const { certificateOwnershipToken: token } = await offered(bench);
      const { outcome, body } = await provide(bench, token);
      assert.deepEqual([outcome, body.statusCode, body.errorCode], ['rejected', 404, 'ResourceNotFound']);
      const none = await bench.ask(PROVISION.replace('lamps', 'none'), { certificateOwnershipToken: token });
      assert.equal(none.body.errorCode, 'ResourceNotFound');
    }
  });

  test('parameters that are missing or no texts', async () => {
    await using bench = await opened();
    const { certificateOwnershipToken: token } = await offered(bench);
    const missing = rejection(400, 'InvalidParameters', 'Parameters must have a value: Serial');
    for (const given of [undefined, null, {}, { serial: 's' }])
      assert.deepEqual((await bench.ask(PROVISION, { certificateOwnershipToken: token, parameters: given })).body, missing);
    for (const given of [[], 'x', { Serial: 1 }, { Serial: null }, { Serial: 'x'.repeat(40_000) }])
      assert.equal((await provide(bench, token, {}, given)).body.errorCode, 'InvalidRequest');
    assert.equal((await provide(bench, token, {}, { Serial: 's', Other: 'ignored' })).outcome, 'accepted');
  });

  test('a device can not say which certificate it is about', async () => {
    await using bench = await opened();
    const other = await offered(bench);
    const { certificateId, certificateOwnershipToken: token } = await offered(bench);
    const parameters = { Serial: 's', 'AWS::IoT::Certificate::Id': other.certificateId };
    assert.equal((await provide(bench, token, {}, parameters)).outcome, 'accepted');
    assert.deepEqual(
      [await statusOf(bench, certificateId), await statusOf(bench, other.certificateId)],
      ['ACTIVE', 'PENDING_ACTIVATION'],
    );
  });

  test('a template whose certificate is no reference to that of the token provisions nothing', async () => {
    const { certificate: _, ...others } = BODY.Resources;
    const fixed = { ...CERTIFICATE, Properties: { CertificateId: 'ab'.repeat(32) } };
    for (const Resources of [others, { ...others, fixed }]) {
      await using bench = await opened({ body: { ...BODY, Resources } });
      const { certificateOwnershipToken: token } = await offered(bench);
      assert.equal((await provide(bench, token)).body.errorCode, 'InvalidRequest');
      assert.deepEqual((await bench.call('ListThings', {})).things, []);
    }
  });

  test('the role is asked for every step; without a right nothing is made, the device is told no names, and the token counts still', async () => {
    await using bench = await opened();
    const { certificateId, certificateOwnershipToken: token } = await offered(bench);
    for (const action of [
      'iot:CreateThing',
      'iot:CreatePolicy',
      'iot:AttachPolicy',
      'iot:AttachThingPrincipal',
      'iot:UpdateCertificate',
    ]) {
      bench.denied.splice(0, 1, action);
      const { body } = await provide(bench, token);
      assert.deepEqual(body, rejection(403, 'AccessDenied', 'The provisioning role is not authorized.'));
      assert.match(
        bench.refusals.at(-1)?.reason ?? '',
        new RegExp(`The provisioning role ${ROLE} is not authorized to perform: ${action} on`),
      );
      assert.deepEqual((await bench.call('ListThings', {})).things, []);
      assert.equal(await statusOf(bench, certificateId), 'PENDING_ACTIVATION');
    }
    bench.denied.splice(0);
    assert.equal((await provide(bench, token)).outcome, 'accepted');
  });

  test('a role that AWS IoT can not assume any more: rejected', async () => {
    await using bench = await opened();
    await bench.refuses(
      'InvalidRequestException',
      'UpdateProvisioningTemplate',
      { templateName: 'lamps', provisioningRoleArn: UNTRUSTING },
      /^The provisioning role cannot be assumed by AWS IoT$/,
    );
    const { certificateOwnershipToken: token } = await offered(bench);
    const { items } = await bench.store.read(async (tx) => tx.scan(provisioningTemplates, { prefix: [] }));
    const [record] = items;
    assert.ok(record);
    await bench.store.write(async (tx) => tx.put(provisioningTemplates, { ...record, provisioningRoleArn: UNTRUSTING }));
    assert.equal((await provide(bench, token)).body.errorCode, 'AccessDenied');
    assert.match(bench.refusals.at(-1)?.reason ?? '', /The provisioning role cannot be assumed by AWS IoT/);
  });

  test('the default version counts at the moment of the request', async () => {
    await using bench = await opened();
    const { certificateOwnershipToken: token } = await offered(bench);
    const templateBody = JSON.stringify({ ...BODY, DeviceConfiguration: { version: 'two' } });
    await bench.call('CreateProvisioningTemplateVersion', { templateName: 'lamps', templateBody, setAsDefault: true });
    assert.deepEqual((await provide(bench, token)).body.deviceConfiguration, { version: 'two' });
  });
});
