/** Provisioning templates, read and evaluated (fact sheet 4.6 and 24.2; developer guide, page provision-template). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type GivenParameters, missingParameters, planOf } from './plan.ts';
import { readTemplate, type TemplateUse } from './template.ts';

const thing = (properties: object, more: object = {}) => ({ Type: 'AWS::IoT::Thing', Properties: properties, ...more });
const certificate = (properties: object = {}, more: object = {}) => ({
  Type: 'AWS::IoT::Certificate',
  Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, ...properties },
  ...more,
});
const policy = (properties: object, more: object = {}) => ({ Type: 'AWS::IoT::Policy', Properties: properties, ...more });
const ID = 'ab'.repeat(32);
const read = (body: object | string, use: TemplateUse = 'fleet') =>
  readTemplate(typeof body === 'string' ? body : JSON.stringify(body), use);
const parameters = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { Type: 'String' }]));
const plan = (body: object, given: GivenParameters = {}) => planOf(read(body), { 'AWS::IoT::Certificate::Id': ID, ...given });

/** The name that a template's thing gets, with parameters a and b and a mapping. */
function named(expression: unknown, given: GivenParameters = { a: 'x', b: 'y,z' }): string | undefined {
  const Mappings = { Table: { x: { url: 'seattle' } } };
  return plan({ Parameters: parameters('a', 'b'), Mappings, Resources: { t: thing({ ThingName: expression }) } }, given).thing
    ?.thingName;
}

const invalid = (body: object | string, why: RegExp | string, use: TemplateUse = 'fleet') =>
  assert.throws(
    () => read(body, use),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'InvalidRequestException');
      assert.ok(error.message.startsWith('The template body is invalid: '), error.message);
      assert.match(error.message, typeof why === 'string' ? new RegExp(why) : why);
      return true;
    },
  );
const fails = (work: () => unknown, why: RegExp) =>
  assert.throws(work, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'ResourceRegistrationFailureException');
    assert.match(error.message, why);
    return true;
  });

describe('functions of fleet templates', () => {
  const cases: readonly (readonly [expression: unknown, value: string])[] = [
    ['plain', 'plain'],
    [7, '7'],
    [{ Ref: 'a' }, 'x'],
    [{ 'Fn::Join': ['-', ['p', { Ref: 'a' }]] }, 'p-x'],
    [{ 'Fn::Join': ['', ['p', { 'Fn::Join': ['_', [{ Ref: 'a' }, 'q']] }]] }, 'px_q'],
    [{ 'Fn::Join': ['', []] }, ''],
    [{ 'Fn::Select': [1, ['p', 'q']] }, 'q'],
    [{ 'Fn::Select': ['0', ['p', 'q']] }, 'p'],
    [{ 'Fn::Select': ['1', { 'Fn::Split': [',', { Ref: 'b' }] }] }, 'z'],
    [{ 'Fn::Join': ['_', { 'Fn::Split': [',', { Ref: 'b' }] }] }, 'y_z'],
    [{ 'Fn::FindInMap': ['Table', { Ref: 'a' }, 'url'] }, 'seattle'],
    [{ 'Fn::Sub': 'thing-${a}' }, 'thing-x'],
    [{ 'Fn::Sub': ['${one}-${a}', { one: { 'Fn::Join': ['', ['1', { Ref: 'a' }]] } }] }, '1x-x'],
    [{ 'Fn::Sub': 'no-variable' }, 'no-variable'],
  ];
  for (const [expression, value] of cases.filter(([, text]) => text !== ''))
    test(JSON.stringify(expression), () => assert.equal(named(expression), value));

  test('a variable of Fn::Sub with an exclamation mark stays; a text that comes of a parameter is not looked into', () => {
    const body = { Parameters: parameters('a'), Resources: {}, DeviceConfiguration: { kept: { 'Fn::Sub': '${!a} ${a}' } } };
    assert.deepEqual(plan(body, { a: '${a}' }).deviceConfiguration, { kept: '${a} ${a}' });
  });

  test('what can not work whatever the parameters are is refused when it is read', () => {
    const bad: readonly (readonly [expression: unknown, why: string])[] = [
      [{ Ref: 'c' }, 'Ref in Resources.t.Properties.ThingName names no parameter: c'],
      [{ Ref: ['a'] }, 'names no parameter'],
      [{ 'Fn::Join': ['-'] }, 'takes a list of 2'],
      [{ 'Fn::Join': [{ Ref: 'a' }, []] }, 'delimiter'],
      [{ 'Fn::Join': ['-', 'text'] }, 'is not a list'],
      [{ 'Fn::Split': [',', 'a,b'] }, 'is a list, where a string is needed'],
      [{ 'Fn::Select': [0, { 'Fn::Split': ['', 'a'] }] }, 'delimiter of Fn::Split'],
      [{ 'Fn::FindInMap': ['Table', 'x'] }, 'takes a list of 3'],
      [{ 'Fn::Sub': '${c}' }, 'names no parameter: c'],
      [{ 'Fn::Sub': [1, {}] }, 'Fn::Sub'],
      [{ 'Fn::GetAtt': ['a', 'b'] }, 'unknown function, Fn::GetAtt'],
      [{ Ref: 'a', More: 'b' }, 'is not a string'],
      [['a'], 'is not a string'],
      [null, 'is not a string'],
    ];
    for (const [expression, why] of bad)
      invalid({ Parameters: parameters('a'), Resources: { t: thing({ ThingName: expression }) } }, why);
  });

  test('what the parameters make impossible fails the registration', () => {
    fails(() => named({ 'Fn::Select': [2, { 'Fn::Split': [',', { Ref: 'b' }] }] }), /Fn::Select .*has nothing at 2/);
    fails(() => named({ 'Fn::Select': [{ Ref: 'a' }, ['p']] }), /has nothing at x/);
    fails(() => named({ 'Fn::FindInMap': ['Table', 'x', { Ref: 'a' }] }), /finds nothing at Table\.x\.x/);
    fails(() => named({ 'Fn::FindInMap': ['Table', '__proto__', 'url'] }), /finds nothing/);
    fails(() => named({ Ref: 'a' }, { a: 'no name!', b: '' }), /ThingName is not valid: no name!/);
  });

  test('only fleet templates have functions, Mappings and DeviceConfiguration; Join is not for policies', () => {
    const join = { 'Fn::Join': ['', ['a']] };
    for (const use of ['jitp', 'registration'] as const) {
      invalid({ Resources: { t: thing({ ThingName: join }) } }, 'only for fleet provisioning templates', use);
      invalid({ Resources: {}, Mappings: {} }, 'unknown member, Mappings', use);
      invalid({ Resources: {}, DeviceConfiguration: {} }, 'unknown member, DeviceConfiguration', use);
    }
    invalid({ Resources: { p: policy({ PolicyName: join }) } }, 'Fn::Join can not be used in the policy');
    invalid({ Resources: { p: policy({ PolicyDocument: { a: [join] } }) } }, 'Fn::Join can not be used in the policy');
    invalid({ Resources: {}, Mappings: { a: { b: { c: { Ref: 'x' } } } } }, 'Mappings.a.b.c is not a string');
    invalid({ Resources: {}, DeviceConfiguration: { a: { b: 'nested' } } }, 'DeviceConfiguration.a is not a string');
  });

  test('what comes of a template is bounded, however often a parameter is named', () => {
    const many = { 'Fn::Join': ['', Array.from({ length: 300 }, () => ({ Ref: 'a' }))] };
    const nest = (levels: number, text: string, inmost: unknown) =>
      Array.from({ length: levels }).reduce<unknown>((inner) => ({ 'Fn::Sub': [text, { v: inner }] }), inmost);
    const nested = nest(8, '${v}${v}', { Ref: 'a' });
    // Nothing comes of it, a hundred million times.
    const empty = nest(8, '${v}'.repeat(10), '');
    for (const expression of [many, nested, empty])
      fails(() => named(expression, { a: 'x'.repeat(10_000), b: '' }), /characters/);
    fails(
      () => named({ 'Fn::Select': [0, { 'Fn::Split': [',', { Ref: 'b' }] }] }, { a: '', b: ','.repeat(5_000) }),
      /more than 1000/,
    );
    const deep = Array.from({ length: 40 }).reduce<unknown>((inner) => ({ 'Fn::Sub': ['', { v: inner }] }), 'x');
    invalid({ Resources: { t: thing({ ThingName: deep }) } }, /./);
  });
});

test('whatever a body and parameters are, a plan comes of them or an error of the caller', () => {
  const expression = fc.letrec((tie) => ({
    text: fc.oneof({ maxDepth: 4 }, fc.string(), fc.constant({ Ref: 'a' }), tie('call')),
    list: fc.oneof(
      { maxDepth: 4 },
      fc.array(tie('text'), { maxLength: 4 }),
      fc.tuple(fc.string(), tie('text')).map((pair) => ({ 'Fn::Split': pair })),
    ),
    call: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(fc.string(), tie('list')).map((pair) => ({ 'Fn::Join': pair })),
      fc.tuple(fc.oneof(fc.nat(3), tie('text')), tie('list')).map((pair) => ({ 'Fn::Select': pair })),
      fc.tuple(fc.constantFrom('${a}', '${v}-${!x}', '${'), tie('text')).map(([sub, v]) => ({ 'Fn::Sub': [sub, { v }] })),
      fc.jsonValue(),
    ),
  }));
  fc.assert(
    fc.property(expression.text, fc.string(), (ThingName, a) => {
      try {
        plan({ Parameters: parameters('a'), Resources: { t: thing({ ThingName }) } }, { a });
      } catch (error) {
        const { code } = error as { code?: string };
        assert.ok(code === 'InvalidRequestException' || code === 'ResourceRegistrationFailureException', String(error));
      }
    }),
  );
});

describe('resources', () => {
  test('the whole example of the guide is read: both spellings of settings, Active, a document as object, an undeclared id', () => {
    const made = plan(
      {
        Parameters: { ...parameters('SerialNumber'), Location: { Type: 'String', Default: 'Seattle' } },
        Mappings: { LocationTable: { Seattle: { LocationUrl: 'https://example.aws' } } },
        Resources: {
          thing: thing(
            {
              ThingName: { Ref: 'SerialNumber' },
              AttributePayload: { version: 'v1', serialNumber: { Ref: 'SerialNumber' } },
              ThingTypeName: { 'Fn::Join': ['', ['ThingPrefix_', { Ref: 'SerialNumber' }]] },
              ThingGroups: ['v1-lightbulbs', 'WA'],
              BillingGroup: 'LightBulbBillingGroup',
            },
            { OverrideSettings: { AttributePayload: 'MERGE', THING_TYPE_NAME: 'REPLACE', ThingGroups: 'DO_NOTHING' } },
          ),
          certificate: certificate({ Status: 'Active' }),
          policy: policy({
            PolicyDocument: { Version: '2012-10-17', Statement: [{ Resource: { 'Fn::Sub': 'topic/${SerialNumber}' } }] },
          }),
        },
        DeviceConfiguration: { LocationUrl: { 'Fn::FindInMap': ['LocationTable', { Ref: 'Location' }, 'LocationUrl'] } },
      },
      { SerialNumber: 's1', unknown: 'ignored' },
    );
    assert.deepEqual(made.thing, {
      logicalName: 'thing',
      overrides: { attributes: 'MERGE', thingTypeName: 'REPLACE', thingGroups: 'DO_NOTHING' },
      thingName: 's1',
      attributes: { version: 'v1', serialNumber: 's1' },
      thingTypeName: 'ThingPrefix_s1',
      thingGroups: ['v1-lightbulbs', 'WA'],
      billingGroup: 'LightBulbBillingGroup',
    });
    assert.deepEqual(made.certificate, {
      ...{ logicalName: 'certificate', override: 'DO_NOTHING', source: 'CertificateId', value: ID },
      ...{ status: 'ACTIVE', exclusive: false },
    });
    const [made1] = made.policies;
    assert.equal(made1?.document, '{"Version":"2012-10-17","Statement":[{"Resource":"topic/s1"}]}');
    assert.match(made1?.policyName ?? '', /^[0-9a-f]{64}$/, 'defaults to a hash of the document');
    assert.deepEqual(made.deviceConfiguration, { LocationUrl: 'https://example.aws' });
  });

  test('a parameter in a policy is one text of it, whatever it says, and no expression', () => {
    for (const SerialNumber of [
      '"},{"Effect":"Allow","Action":"*"}',
      '*"],"Action":["iot:*',
      '{"Ref":"b"}',
      '${b}',
      '\\", "\u2028',
    ])
      for (const Resource of [{ Ref: 'a' }, { 'Fn::Sub': '${a}' }]) {
        const body = { Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource }] };
        const Resources = { policy: policy({ PolicyDocument: body }) };
        const [made] = plan({ Parameters: parameters('a', 'b'), Resources }, { a: SerialNumber, b: 'other' }).policies;
        const wanted = { Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: SerialNumber }] };
        assert.deepEqual(JSON.parse(made?.document ?? ''), wanted);
      }
  });

  test('bodies that can not work', () => {
    const bad: readonly (readonly [body: object | string, why: string])[] = [
      ['', 'Unexpected'],
      ['[]', 'not a JSON object'],
      ['{"Resources":{},"Resources":{}}', '.'],
      [{}, 'Resources is missing'],
      [{ Resources: [] }, 'Resources is not an object'],
      [{ Resources: {}, Outputs: {} }, 'unknown member, Outputs'],
      [{ Resources: { t: { Type: 'AWS::IoT::TopicRule', Properties: {} } } }, 'the type of Resources.t is none'],
      [{ Resources: { t: { Type: 'AWS::IoT::Thing' } } }, 'Resources.t.Properties is missing'],
      [{ Resources: { t: thing({ Name: 'x' }) } }, 'unknown member, Name'],
      [{ Resources: { t: thing({}, { DependsOn: 'x' }) } }, 'unknown member, DependsOn'],
      [{ Resources: { t: thing({}), u: thing({}) } }, 'more than one thing'],
      [{ Resources: { t: thing({ PackageVersions: 'lamp' }) } }, 'Resources.t.Properties.PackageVersions is not a map'],
      [{ Resources: { c: certificate(), d: certificate() } }, 'more than one certificate'],
      [{ Resources: { c: certificate({ CertificatePem: 'x' }) } }, 'must define one property'],
      [{ Resources: { c: { Type: 'AWS::IoT::Certificate', Properties: { CertificatePem: 'x' } } } }, 'must define CertificateId'],
      [{ Resources: { p: policy({}) } }, 'PolicyName or PolicyDocument'],
      [{ Resources: { p: policy({ PolicyName: 'p', PolicyDocument: '{}' }) } }, 'PolicyName or PolicyDocument'],
      [{ Resources: { p: policy({ PolicyName: 'p' }, { OverrideSettings: {} }) } }, 'can not have OverrideSettings'],
      [{ Resources: { t: thing({}, { OverrideSettings: { BillingGroup: 'FAIL' } }) } }, 'can not have BillingGroup'],
      [{ Resources: { t: thing({}, { OverrideSettings: { ThingTypeName: 'MERGE' } }) } }, 'unknown value'],
      [{ Resources: { c: certificate({}, { OverrideSettings: { Status: 'MERGE' } }) } }, 'unknown value'],
      [{ Parameters: { a: { Type: 'Number' } }, Resources: {} }, 'the type of parameter a is not String'],
      [{ Parameters: { a: { Type: 'String', Default: 1 } }, Resources: {} }, 'the default of parameter a'],
      [
        { Parameters: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`p${i}`, { Type: 'String' }])), Resources: {} },
        'more than 100',
      ],
    ];
    for (const [body, why] of bad) invalid(body, why);
    invalid(
      { Resources: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`p${i}`, policy({ PolicyName: 'p' })])) },
      'more than 10',
    );
  });

  test('the id of the certificate has to be declared where no service fills it in', () => {
    invalid({ Resources: { c: certificate() } }, 'names no parameter: AWS::IoT::Certificate::Id', 'registration');
    read({ Parameters: parameters('AWS::IoT::Certificate::Id'), Resources: { c: certificate() } }, 'registration');
    read({ Resources: { c: certificate() } }, 'jitp');
  });

  test('a parameter without a value or a default is missing; a member of Object.prototype is no value', () => {
    const template = read({ Parameters: { ...parameters('a', 'toString'), d: { Type: 'String', Default: '' } }, Resources: {} });
    assert.deepEqual(missingParameters(template, {}), ['a', 'toString']);
    fails(() => planOf(template, { a: '1' }), /^Parameter toString must have a value\.$/);
  });

  test('values that no resource can have', () => {
    fails(() => plan({ Resources: { t: thing({ AttributePayload: {} }) } }), /Resource t: ThingName is missing/);
    fails(() => plan({ Resources: { c: certificate({ Status: 'REVOKED' }) } }), /Resource c: Status is neither/);
    fails(() => plan({ Resources: { c: certificate({ ThingPrincipalType: 'ANY' }) } }), /ThingPrincipalType/);
    fails(() => plan({ Resources: { c: certificate({ CertificateId: 'xyz' }) } }), /CertificateId is not valid/);
    fails(() => plan({ Resources: { p: policy({ PolicyName: 'a/b' }) } }), /PolicyName is not valid/);
  });
});
