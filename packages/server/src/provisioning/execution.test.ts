/** RegisterThing: what a template makes of the registry, whole or not at all (fact sheet 4.6 and 24.2). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sharedRequest } from '../testing/authority-fixture.ts';
import { factoryCa, signedBy } from '../testing/factory-ca.ts';
import { allBut, type Asked, caller, ProvisioningFixture } from '../testing/provisioning-fixture.ts';

const arn = (resource: string): string => `arn:aws:iot:us-east-1:000000000000:${resource}`;
const ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}';
const thing = (properties: object = {}, settings?: object) => ({
  Type: 'AWS::IoT::Thing',
  Properties: { ThingName: 'lamp', ...properties },
  OverrideSettings: settings,
});
const byCsr = (properties: object = {}) => ({
  Type: 'AWS::IoT::Certificate',
  Properties: { CertificateSigningRequest: sharedRequest(), ...properties },
});
const byId = (id: string, properties: object = {}, settings?: object) => ({
  Type: 'AWS::IoT::Certificate',
  Properties: { CertificateId: id, ...properties },
  OverrideSettings: settings,
});
const policy = (properties: object = { PolicyDocument: ALLOW }) => ({ Type: 'AWS::IoT::Policy', Properties: properties });

const FAILURE = 'ResourceRegistrationFailureException';

/** What an account has, to see that nothing is left of a registration that failed. */
async function all(bench: ProvisioningFixture): Promise<object> {
  const { things = [] } = await bench.call('ListThings', {});
  const { policies = [] } = await bench.call('ListPolicies', {});
  const { certificates = [] } = await bench.call('ListCertificates', {});
  return { things, policies, certificates };
}

async function failsWhole(
  bench: ProvisioningFixture,
  code: string,
  words: RegExp,
  resources: object,
  as = caller,
): Promise<void> {
  const before = await all(bench);
  await assert.rejects(bench.register(resources, {}, as), { code, message: words });
  assert.deepEqual(await all(bench), before);
}

describe('RegisterThing', () => {
  test('thing, policy and certificate are made and attached; the answer has their ARNs by logical names (24.2)', async () => {
    await using bench = await ProvisioningFixture.open();
    const attributes = { serial: { Ref: 'Serial' } };
    const made = await bench.register({ T: thing({ AttributePayload: attributes }), C: byCsr(), P: policy() }, { Serial: 's1' });
    const { resourceArns = {}, certificatePem } = made;
    assert.deepEqual(Object.keys(resourceArns).sort(), ['C', 'P', 'T']);
    assert.equal(resourceArns.T, arn('thing/lamp'));
    assert.match(certificatePem ?? '', /^-----BEGIN CERTIFICATE/);
    assert.deepEqual((await bench.call('DescribeThing', { thingName: 'lamp' })).attributes, { serial: 's1' });
    const principal = resourceArns.C ?? '';
    assert.deepEqual((await bench.call('ListThingPrincipals', { thingName: 'lamp' })).principals, [principal]);
    const { policies } = await bench.call('ListAttachedPolicies', { target: principal });
    assert.deepEqual(
      policies?.map(({ policyArn }) => policyArn),
      [resourceArns.P],
    );
    const { certificateDescription } = await bench.call('DescribeCertificate', { certificateId: principal.slice(-64) });
    assert.equal(certificateDescription?.status, 'ACTIVE');
    assert.equal(certificateDescription?.certificatePem, certificatePem);
  });

  test('again, the thing and the policy of the same document are taken as they are, and the certificate is another one', async () => {
    await using bench = await ProvisioningFixture.open();
    const resources = { T: thing(), C: byCsr(), P: policy() };
    const first = await bench.register(resources);
    const second = await bench.register(resources);
    assert.equal(second.resourceArns?.P, first.resourceArns?.P);
    assert.notEqual(second.resourceArns?.C, first.resourceArns?.C);
    const { version } = await bench.call('DescribeThing', { thingName: 'lamp' });
    assert.equal(version, 1);
    assert.equal((await bench.call('ListThingPrincipals', { thingName: 'lamp' })).principals?.length, 2);
  });

  test('a certificate is INACTIVE where the template says so, and exclusive where it says so', async () => {
    await using bench = await ProvisioningFixture.open();
    const made = await bench.register({ T: thing(), C: byCsr({ Status: 'INACTIVE', ThingPrincipalType: 'EXCLUSIVE_THING' }) });
    const certificateId = made.resourceArns?.C?.slice(-64) ?? '';
    assert.equal((await bench.call('DescribeCertificate', { certificateId })).certificateDescription?.status, 'INACTIVE');
    const { thingPrincipalObjects } = await bench.call('ListThingPrincipalsV2', { thingName: 'lamp' });
    assert.equal(thingPrincipalObjects?.[0]?.thingPrincipalType, 'EXCLUSIVE_THING');
    await failsWhole(bench, FAILURE, /^Resource T: The principal is attached to another thing exclusively/, {
      T: thing({ ThingName: 'other' }),
      C: byId(certificateId),
    });
  });

  test('a certificate that a registered CA has signed is registered; one that is registered is taken', async () => {
    await using bench = await ProvisioningFixture.open();
    const ca = await factoryCa('factory');
    const { registrationCode = '' } = await bench.call('GetRegistrationCode', {});
    const verificationCertificate = await signedBy(ca, registrationCode);
    await bench.call('RegisterCACertificate', { caCertificate: ca.pem, verificationCertificate, setAsActive: true });
    const pem = await signedBy(ca, 'device');
    const C = { Type: 'AWS::IoT::Certificate', Properties: { CertificatePem: pem, CACertificatePem: ca.pem } };
    const made = await bench.register({ T: thing(), C });
    assert.equal(made.certificatePem, pem);
    const certificateId = made.resourceArns?.C?.slice(-64) ?? '';
    const { certificateDescription } = await bench.call('DescribeCertificate', { certificateId });
    assert.equal(certificateDescription?.status, 'ACTIVE');
    assert.equal(typeof certificateDescription?.caCertificateId, 'string');
    assert.deepEqual((await bench.register({ T: thing(), C })).resourceArns, made.resourceArns);
    const foreign = await signedBy(await factoryCa('nobody'), 'device');
    const D = { Type: 'AWS::IoT::Certificate', Properties: { CertificatePem: foreign } };
    await failsWhole(bench, FAILURE, /^Resource D: The certificate is not signed by a CA/, { T: thing({ ThingName: 'x' }), D });
  });

  test('what is not there, or can not be, fails the whole and names the logical resource (24.2)', async () => {
    await using bench = await ProvisioningFixture.open();
    const made = { T: thing(), P: policy(), C: byCsr() };
    const cases: readonly (readonly [words: RegExp, resources: object])[] = [
      [/^Resource U: Thing type lantern does not exist$/, { ...made, T: undefined, U: thing({ ThingTypeName: 'lantern' }) }],
      [/^Resource U: .*WA/, { P: policy(), C: byCsr(), U: thing({ ThingGroups: ['WA'] }) }],
      [/^Resource U: Billing group b does not exist$/, { P: policy(), C: byCsr(), U: thing({ BillingGroup: 'b' }) }],
      [/^Resource Q: Policy not found: none$/, { ...made, Q: policy({ PolicyName: 'none' }) }],
      [/^Resource Q: .*malformed/i, { ...made, Q: policy({ PolicyDocument: '{"Version":"2012-10-17"}' }) }],
      [/^Resource D: Certificate 0{64} does not exist$/, { T: thing(), P: policy(), D: byId('0'.repeat(64)) }],
      [/^Resource D: CSR violates constraints/, { T: thing(), P: policy(), D: byCsr({ CertificateSigningRequest: 'none' }) }],
      [/^Resource D: /, { T: thing(), D: { Type: 'AWS::IoT::Certificate', Properties: { CertificatePem: 'none' } } }],
      [/^Resource U: .*attributePayload/, { C: byCsr(), U: thing({ AttributePayload: { a: 'no spaces allowed' } }) }],
      [
        /^Resource U: To use more than 3 attributes/,
        { U: thing({ AttributePayload: { a: '1', b: '2', c: '3', d: '4' } }), C: byCsr() },
      ],
    ];
    for (const [words, resources] of cases) await failsWhole(bench, FAILURE, words, resources);
    await assert.rejects(bench.register({ T: thing({ ThingName: { Ref: 'Name' } }) }), {
      code: 'InvalidRequestException',
      message: 'The template body is invalid: Ref in Resources.T.Properties.ThingName names no parameter: Name',
    });
    const declared = { Parameters: { Name: { Type: 'String' } }, Resources: { T: thing({ ThingName: { Ref: 'Name' } }) } };
    await bench.refuses(
      FAILURE,
      'RegisterThing',
      { templateBody: JSON.stringify(declared) },
      /^Parameter Name must have a value\.$/,
    );
  });

  test('a template without a certificate makes a thing and policies, which nothing is attached to', async () => {
    await using bench = await ProvisioningFixture.open();
    const made = await bench.register({ T: thing(), P: policy({ PolicyDocument: ALLOW }) });
    assert.equal(made.certificatePem, undefined);
    assert.deepEqual((await bench.call('ListThingPrincipals', { thingName: 'lamp' })).principals, []);
  });
});

describe('PackageVersions', () => {
  async function withPackages(): Promise<ProvisioningFixture> {
    const bench = await ProvisioningFixture.open();
    for (const packageName of ['boot', 'firmware']) {
      const version = { packageName, versionName: '1.0' };
      await bench.call('CreatePackage', { packageName });
      await bench.call('CreatePackageVersion', version);
      await bench.call('UpdatePackageVersion', { ...version, action: 'PUBLISH' });
      await bench.call('UpdatePackage', { packageName, defaultVersionName: '1.0' });
    }
    return bench;
  }

  const VERSIONS = { boot: { Ref: 'Boot' }, firmware: '$default' };
  const reported = { boot: { version: '1.0', attributes: null }, firmware: { version: '1.0', attributes: null } };

  test('a new thing has them in its shadow once it is there; one that is there keeps what it has (4.6, 44)', async () => {
    await using bench = await withPackages();
    const arns = ['boot/version/1.0', 'firmware/version/$default'].map((name) => arn(`package/${name}`));
    for (const [ThingName, PackageVersions] of [['lamp', VERSIONS] as const, ['desk', arns] as const]) {
      await bench.register({ T: thing({ ThingName, PackageVersions }) }, { Boot: '1.0' });
      assert.deepEqual(bench.reported, []);
      await bench.doDueWork();
      assert.deepEqual(bench.reported.splice(0), [[ThingName, reported]]);
    }
    await bench.register({ T: thing({ PackageVersions: VERSIONS }) }, { Boot: '1.0' });
    await bench.doDueWork();
    assert.deepEqual(bench.reported, []);
  });

  test('without the version, the right, or the rest of the resources nothing is made or reported', async () => {
    await using bench = await withPackages();
    const resources = (PackageVersions: object) => ({ T: thing({ PackageVersions }), C: byCsr() });
    await failsWhole(bench, FAILURE, /^Resource T: The version 2 of the package boot/, resources({ boot: '2' }));
    await failsWhole(bench, FAILURE, /^Resource T: .* is not the ARN of a package version/, resources({ 'a/b': '2' }));
    const permissions = async () => allBut(['iot:UpdateThingShadow']);
    const words = /iot:UpdateThingShadow on resource: arn:aws:iot:us-east-1:000000000000:thing\/lamp\/\$package$/;
    await failsWhole(bench, 'UnauthorizedException', words, resources({ boot: '1.0' }), { ...caller, permissions });
    const others = async () => allBut(['iot:AttachThingPrincipal']);
    const boot = resources({ boot: '1.0' });
    await failsWhole(bench, 'UnauthorizedException', /AttachThingPrincipal/, boot, { ...caller, permissions: others });
    await bench.doDueWork();
    assert.deepEqual(bench.reported, []);
  });
});

describe('groups', () => {
  const groupsOf = async (bench: ProvisioningFixture) =>
    ((await bench.call('ListThingGroupsForThing', { thingName: 'lamp' })).thingGroups ?? [])
      .map(({ groupName }) => groupName)
      .sort();

  test('a new thing is in the groups of the template, and in its billing group', async () => {
    await using bench = await ProvisioningFixture.open();
    for (const thingGroupName of ['north', 'lamps']) await bench.call('CreateThingGroup', { thingGroupName });
    await bench.call('CreateBillingGroup', { billingGroupName: 'b' });
    await bench.register({ T: thing({ ThingGroups: ['north', 'lamps', 'north'], BillingGroup: 'b' }) });
    assert.deepEqual(await groupsOf(bench), ['lamps', 'north']);
    assert.equal((await bench.call('DescribeThing', { thingName: 'lamp' })).billingGroupName, 'b');
  });

  test('a thing that is there: left without a setting, merged, replaced', async () => {
    await using bench = await ProvisioningFixture.open();
    for (const thingGroupName of ['old', 'new']) await bench.call('CreateThingGroup', { thingGroupName });
    await bench.call('CreateThing', { thingName: 'lamp' });
    await bench.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'old' });
    const register = (ThingGroups: string[], setting?: string) =>
      bench.register({ T: thing({ ThingGroups }, setting === undefined ? undefined : { ThingGroups: setting }) });
    await register(['new']);
    assert.deepEqual(await groupsOf(bench), ['old']);
    await register(['new'], 'MERGE');
    assert.deepEqual(await groupsOf(bench), ['new', 'old']);
    await register(['new'], 'REPLACE');
    assert.deepEqual(await groupsOf(bench), ['new']);
    await register([], 'REPLACE');
    assert.deepEqual(await groupsOf(bench), []);
  });
});

describe('OverrideSettings', () => {
  const attributesAfter = async (setting: string | undefined, given: Record<string, string>, spelled = 'AttributePayload') => {
    await using bench = await ProvisioningFixture.open();
    await bench.call('CreateThing', { thingName: 'lamp', attributePayload: { attributes: { a: '1', b: '2' } } });
    const settings = setting === undefined ? undefined : { [spelled]: setting };
    await bench.register({ T: thing({ AttributePayload: given }, settings) });
    const { attributes, version } = await bench.call('DescribeThing', { thingName: 'lamp' });
    return { attributes, version };
  };

  test('attributes of a thing that is there: left without a setting, replaced, merged', async () => {
    const left = { attributes: { a: '1', b: '2' }, version: 1 };
    assert.deepEqual(await attributesAfter(undefined, { b: '3' }), left);
    assert.deepEqual(await attributesAfter('DO_NOTHING', { b: '3' }), left);
    assert.deepEqual(await attributesAfter('REPLACE', { b: '3' }), { attributes: { b: '3' }, version: 2 });
    assert.deepEqual(await attributesAfter('MERGE', { b: '3' }), { attributes: { a: '1', b: '3' }, version: 2 });
    assert.deepEqual(await attributesAfter('MERGE', { b: '3' }, 'ATTRIBUTE_PAYLOAD'), {
      attributes: { a: '1', b: '3' },
      version: 2,
    });
    assert.deepEqual(await attributesAfter('MERGE', { b: '2' }), left, 'nothing changes, and no version is counted');
  });

  test('the type of a thing that is there', async () => {
    await using bench = await ProvisioningFixture.open();
    for (const thingTypeName of ['old', 'new']) await bench.call('CreateThingType', { thingTypeName });
    await bench.call('CreateThing', { thingName: 'lamp', thingTypeName: 'old' });
    const type = async () => (await bench.call('DescribeThing', { thingName: 'lamp' })).thingTypeName;
    await bench.register({ T: thing({ ThingTypeName: 'new' }) });
    assert.equal(await type(), 'old');
    await bench.register({ T: thing({ ThingTypeName: 'new' }, { THING_TYPE_NAME: 'REPLACE' }) });
    assert.equal(await type(), 'new');
  });

  test('FAIL refuses what is there already, with 409, and nothing is made', async () => {
    await using bench = await ProvisioningFixture.open();
    await bench.call('CreateThing', { thingName: 'lamp' });
    const { certificateId = '' } = await bench.call('CreateCertificateFromCsr', { certificateSigningRequest: sharedRequest() });
    const conflict = 'ConflictingResourceUpdateException';
    for (const name of ['AttributePayload', 'ThingTypeName', 'ThingGroups'])
      await failsWhole(bench, conflict, /^Resource T: thing lamp already exists\.$/, {
        P: policy(),
        T: thing({ AttributePayload: {}, ThingTypeName: 't', ThingGroups: [] }, { [name]: 'FAIL' }),
      });
    await failsWhole(bench, conflict, /^Resource C: certificate [0-9a-f]{64} already exists\.$/, {
      T: thing({ ThingName: 'other' }),
      C: byId(certificateId, {}, { Status: 'FAIL' }),
    });
    await bench.register({ T: thing({ ThingName: 'fresh', AttributePayload: {} }, { AttributePayload: 'FAIL' }) });
  });

  test('the status of a certificate that is there changes with REPLACE alone; one that waits for activation gets it always', async () => {
    await using bench = await ProvisioningFixture.open();
    const { certificateId = '' } = await bench.call('CreateCertificateFromCsr', { certificateSigningRequest: sharedRequest() });
    const status = async () => (await bench.call('DescribeCertificate', { certificateId })).certificateDescription?.status;
    await bench.register({ C: byId(certificateId) });
    assert.equal(await status(), 'INACTIVE');
    await bench.register({ C: byId(certificateId, { Status: 'ACTIVE' }, { Status: 'REPLACE' }) });
    assert.equal(await status(), 'ACTIVE');
  });
});

describe('the rights of the caller', () => {
  const as = (denied: readonly string[], asked: Asked = []) => ({
    ...caller,
    arn: 'arn:aws:iam::000000000000:user/u',
    permissions: async () => allBut(denied, asked),
  });

  test('each step is authorized as the operation of its name, with its resource', async () => {
    await using bench = await ProvisioningFixture.open();
    const asked: Asked = [];
    const made = await bench.register({ T: thing(), C: byCsr(), P: policy({ PolicyDocument: ALLOW }) }, {}, as([], asked));
    const principal = made.resourceArns?.C ?? '';
    assert.deepEqual(asked, [
      `iot:CreateThing ${arn('thing/lamp')}`,
      `iot:CreatePolicy ${made.resourceArns?.P}`,
      'iot:CreateCertificateFromCsr *',
      `iot:AttachPolicy ${principal}`,
      `iot:AttachThingPrincipal ${principal}`,
    ]);
    const { certificateId = '' } = await bench.call('CreateCertificateFromCsr', { certificateSigningRequest: sharedRequest() });
    asked.splice(0);
    const settings = [{ AttributePayload: 'REPLACE' }, { Status: 'REPLACE' }];
    await bench.register(
      { T: thing({ AttributePayload: { a: '1' } }, settings[0]), C: byId(certificateId, {}, settings[1]) },
      {},
      as([], asked),
    );
    assert.deepEqual(asked, [
      `iot:UpdateThing ${arn('thing/lamp')}`,
      `iot:AttachThingPrincipal ${arn(`cert/${certificateId}`)}`,
      `iot:UpdateCertificate ${arn(`cert/${certificateId}`)}`,
    ]);
  });

  test('without one of them nothing is made', async () => {
    await using bench = await ProvisioningFixture.open();
    const resources = { T: thing(), C: byCsr(), P: policy() };
    for (const action of ['CreateThing', 'CreatePolicy', 'CreateCertificateFromCsr', 'AttachPolicy', 'AttachThingPrincipal'])
      await failsWhole(
        bench,
        'UnauthorizedException',
        new RegExp(`^User: arn:aws:iam::000000000000:user/u is not authorized to perform: iot:${action} on resource: `),
        resources,
        as([`iot:${action}`]),
      );
    const nobody = { ...caller, permissions: async () => undefined };
    await failsWhole(bench, 'UnauthorizedException', /iot:CreateThing/, resources, nobody);
  });
});
