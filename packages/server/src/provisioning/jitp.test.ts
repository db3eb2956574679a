/** Just-in-time provisioning (facts 4.5, 24.2, 24.3): the template of a CA, executed with the rights of its role. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newCertificate } from '../registry/certificates.ts';
import { certificates } from '../registry/store.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { ACCOUNT, allBut, type Asked, ProvisioningFixture, ROLE, UNTRUSTING } from '../testing/provisioning-fixture.ts';
import { sharedRequest } from '../testing/authority-fixture.ts';
import type { JustInTimeRequest } from './contract.ts';
import { TemplateProvisioning } from './jitp.ts';

const PLACE = { accountId: ACCOUNT, region: 'us-east-1' };
const ID = 'AWS::IoT::Certificate::Id';
const NAME = 'AWS::IoT::Certificate::CommonName';
const POLICY = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] };

const body = (more: { parameters?: object; certificate?: object } = {}): string =>
  JSON.stringify({
    Parameters: { [NAME]: { Type: 'String' }, [ID]: { Type: 'String' }, ...more.parameters },
    Resources: {
      thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: NAME }, AttributePayload: { version: 'v1' } } },
      certificate: more.certificate ?? {
        Type: 'AWS::IoT::Certificate',
        Properties: { CertificateId: { Ref: ID }, Status: 'ACTIVE' },
      },
      policy: { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: JSON.stringify(POLICY) } },
    },
  });

interface Bench extends AsyncDisposable {
  readonly fixture: ProvisioningFixture;
  readonly certificateId: string;
  readonly denied: string[];
  readonly asked: Asked;
  readonly sources: (string | undefined)[];
  provision(config: JustInTimeRequest['config'], parameters?: Record<string, string>): Promise<void>;
  status(): Promise<string | undefined>;
}

/** With a certificate that is PENDING_ACTIVATION. */
async function opened(): Promise<Bench> {
  const fixture = await ProvisioningFixture.open();
  const { store, clock } = fixture;
  const made = await fixture.call('CreateCertificateFromCsr', { certificateSigningRequest: sharedRequest() });
  const { certificateId = '', certificatePem = '' } = made;
  const caCertificateId = 'ca'.repeat(32);
  const validity = { notBefore: 0, notAfter: clock.now() + 1_000_000 };
  const given = { accountId: ACCOUNT, certificateId, certificatePem, caCertificateId, mode: 'DEFAULT', ...validity } as const;
  await store.write((tx) => tx.put(certificates, newCertificate({ ...given, status: 'PENDING_ACTIVATION' }, clock.now())));
  const [denied, asked, sources]: [string[], Asked, (string | undefined)[]] = [[], [], []];
  const provisioning = new TemplateProvisioning({
    clock,
    inRegion: () => store,
    findRole: async (_account, roleArn, _service, sourceArn) => {
      sources.push(sourceArn);
      if (roleArn === UNTRUSTING) throw new ThingkeepError('AccessDeniedException', 'it does not trust the service');
      return roleArn === ROLE ? allBut(denied, asked) : 'unknown-role';
    },
  });
  const own = { [NAME]: 'lamp', [ID]: certificateId };
  return {
    ...{ fixture, certificateId, denied, asked, sources },
    provision: (config, parameters = own) =>
      provisioning.provision({ place: PLACE, certificateId, caCertificateId, config, parameters }),
    status: async () => (await fixture.call('DescribeCertificate', { certificateId })).certificateDescription?.status,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

describe('a template in the registration configuration', () => {
  test('makes thing and policy, attaches them, and activates the certificate, by the rights of the role', async () => {
    await using bench = await opened();
    await bench.provision({ templateBody: body(), roleArn: ROLE });
    assert.equal(await bench.status(), 'ACTIVE');
    const { attributes } = await bench.fixture.call('DescribeThing', { thingName: 'lamp' });
    assert.deepEqual(attributes, { version: 'v1' });
    const { principals = [] } = await bench.fixture.call('ListThingPrincipals', { thingName: 'lamp' });
    assert.deepEqual(principals, [`arn:aws:iot:us-east-1:${ACCOUNT}:cert/${bench.certificateId}`]);
    const actions = bench.asked.map((each) => each.split(' ')[0]);
    for (const action of ['iot:CreateThing', 'iot:CreatePolicy', 'iot:AttachPolicy', 'iot:UpdateCertificate'])
      assert.ok(actions.includes(action), action);
    assert.deepEqual(bench.sources, [`arn:aws:iot:us-east-1:${ACCOUNT}:cacert/${'ca'.repeat(32)}`]);
  });

  test('a failure leaves nothing: a step that the role may not do, a parameter that the subject lacks, a role', async () => {
    await using bench = await opened();
    const fails = async (config: JustInTimeRequest['config'], reason: RegExp) => {
      await assert.rejects(bench.provision(config), (error: Error) => {
        assert.ok(error instanceof ThingkeepError);
        assert.match(error.message, reason);
        return true;
      });
      assert.equal(await bench.status(), 'PENDING_ACTIVATION');
      const { things = [], policies = [] } = {
        ...(await bench.fixture.call('ListThings', {})),
        ...(await bench.fixture.call('ListPolicies', {})),
      };
      assert.deepEqual([things, policies], [[], []]);
    };
    bench.denied.push('iot:UpdateCertificate');
    await fails({ templateBody: body(), roleArn: ROLE }, /not authorized to perform: iot:UpdateCertificate/);
    bench.denied.length = 0;
    const country = { 'AWS::IoT::Certificate::Country': { Type: 'String' } };
    const without =
      /Parameter AWS::IoT::Certificate::Country must have a value, and the .* gives these: .*::CommonName, .*::Id\.$/;
    await fails({ templateBody: body({ parameters: country }), roleArn: ROLE }, without);
    await fails({ templateBody: body(), roleArn: UNTRUSTING }, /provisioning role cannot be assumed/);
    await fails({ templateBody: body() }, /no roleArn/);
    await fails({ templateBody: '{', roleArn: ROLE }, /./);
    const foreign = { Type: 'AWS::IoT::Certificate', Properties: { CertificateId: 'ab'.repeat(32) } };
    await fails({ templateBody: body({ certificate: foreign }), roleArn: ROLE }, /AWS::IoT::Certificate::Id/);
  });
});

test('a declared parameter that the certificate does not give has its default; the id needs no declaration', async () => {
  await using bench = await opened();
  const parsed = JSON.parse(body({ parameters: { Site: { Type: 'String', Default: 'berlin' } } })) as {
    Parameters: Record<string, unknown>;
    Resources: { thing: { Properties: Record<string, unknown> } };
  };
  delete parsed.Parameters[ID];
  parsed.Resources.thing.Properties.AttributePayload = { site: { Ref: 'Site' } };
  await bench.provision({ templateBody: JSON.stringify(parsed), roleArn: ROLE });
  assert.equal(await bench.status(), 'ACTIVE');
  assert.deepEqual((await bench.fixture.call('DescribeThing', { thingName: 'lamp' })).attributes, { site: 'berlin' });
});

describe('a template by its name', () => {
  test('must be there, enabled, and of the type JITP', async () => {
    await using bench = await opened();
    const make = (templateName: string, more: object) =>
      bench.fixture.call('CreateProvisioningTemplate', {
        ...{ templateName, templateBody: body(), provisioningRoleArn: ROLE, enabled: true, type: 'JITP' },
        ...more,
      });
    await assert.rejects(bench.provision({ templateName: 'none' }), /template none does not exist/);
    await make('off', { enabled: false });
    await assert.rejects(bench.provision({ templateName: 'off' }), /is not enabled/);
    await make('fleet', { type: 'FLEET_PROVISIONING' });
    await assert.rejects(bench.provision({ templateName: 'fleet' }), /not of the type JITP/);
    assert.equal(await bench.status(), 'PENDING_ACTIVATION');
    await make('lamps', {});
    await bench.provision({ templateName: 'lamps' });
    assert.equal(await bench.status(), 'ACTIVE');
    assert.deepEqual(bench.sources.at(-1), `arn:aws:iot:us-east-1:${ACCOUNT}:provisioningtemplate/lamps`);
  });
});
