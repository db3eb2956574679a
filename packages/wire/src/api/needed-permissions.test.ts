import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callPermissions, operationPermissions, resourcesOf } from './needed-permissions.ts';
import resources from './resources.json' with { type: 'json' };
import { findOperation, operationsOf, type ServiceName, shapeOf } from './table.ts';

const PLACE = { accountId: '123456789012', region: 'eu-west-1' };
const arn = (service: string, rest: string): string => `arn:aws:${service}:eu-west-1:123456789012:${rest}`;

const permissionsOf = (service: ServiceName, name: string, input: object) => {
  const operation = findOperation(service, name) ?? assert.fail(`no ${name}`);
  return callPermissions(operation, input, PLACE);
};

test('every row is an operation, and every member in it one of its input', () => {
  const services: readonly (readonly [ServiceName, string])[] = [
    ['iot', 'iot'],
    ['lambda', 'lambda'],
    ['iot-jobs-data', 'iotjobsdata'],
  ];
  for (const [service, prefix] of services) {
    const rows = (resources as Record<string, Record<string, readonly string[]>>)[prefix] ?? {};
    for (const [name, entries] of Object.entries(rows)) {
      const { input = '' } = findOperation(service, name) ?? assert.fail(`${service} has no operation ${name}`);
      const members = Object.keys(shapeOf(service, input).members ?? {});
      const named = entries.flatMap((entry) =>
        [...entry.matchAll(/\{(\w+)\}|@(\w+)/g)].map(([, brace, at]) => brace ?? at ?? ''),
      );
      for (const member of named) assert.ok(members.includes(member), `${name} has no member ${member}`);
    }
  }
});

test('every operation of the table needs something', () => {
  for (const service of ['iot', 'iot-data', 'iot-jobs-data', 'lambda'] as const)
    for (const operation of operationsOf(service))
      assert.notEqual(callPermissions(operation, {}, PLACE).length, 0, operation.name);
});

test('resources as the Service Authorization Reference has them', () => {
  const cases: readonly (readonly [ServiceName, string, object, string, readonly string[]])[] = [
    ['iot', 'CreateThing', { thingName: 'a' }, 'iot:CreateThing', [arn('iot', 'thing/a')]],
    [
      'iot',
      'CreateThing',
      { thingName: 'a', billingGroupName: 'b' },
      'iot:CreateThing',
      [arn('iot', 'thing/a'), arn('iot', 'billinggroup/b')],
    ],
    [
      'iot',
      'AddThingToThingGroup',
      { thingArn: arn('iot', 'thing/x'), thingGroupName: 'g' },
      'iot:AddThingToThingGroup',
      [arn('iot', 'thing/x'), arn('iot', 'thinggroup/g')],
    ],
    ['iot', 'ListThings', {}, 'iot:ListThings', ['*']],
    ['iot', 'AttachPolicy', { policyName: 'p', target: arn('iot', 'cert/c') }, 'iot:AttachPolicy', [arn('iot', 'cert/c')]],
    ['iot', 'DescribeCACertificate', { certificateId: 'c' }, 'iot:DescribeCACertificate', [arn('iot', 'cacert/c')]],
    [
      'iot',
      'CreateJob',
      { jobId: 'j', targets: [arn('iot', 'thing/a'), arn('iot', 'thing/b')] },
      'iot:CreateJob',
      [arn('iot', 'job/j'), arn('iot', 'thing/a'), arn('iot', 'thing/b')],
    ],
    [
      'iot',
      'DeletePackageVersion',
      { packageName: 'p', versionName: '1' },
      'iot:DeletePackageVersion',
      [arn('iot', 'package/p'), arn('iot', 'package/p/version/1')],
    ],
    ['iot-data', 'Publish', { topic: 'a/b' }, 'iot:Publish', [arn('iot', 'topic/a/b')]],
    [
      'iot-jobs-data',
      'DescribeJobExecution',
      { jobId: 'j', thingName: 'a' },
      'iotjobsdata:DescribeJobExecution',
      [arn('iot', 'thing/a')],
    ],
    ['lambda', 'Invoke', { FunctionName: 'f' }, 'lambda:InvokeFunction', [arn('lambda', 'function:f')]],
    ['lambda', 'Invoke', { FunctionName: 'f', Qualifier: 'live' }, 'lambda:InvokeFunction', [arn('lambda', 'function:f:live')]],
    ['lambda', 'Invoke', { FunctionName: 'f:live' }, 'lambda:InvokeFunction', [arn('lambda', 'function:f:live')]],
    ['lambda', 'GetFunction', { FunctionName: '123456789012:function:f' }, 'lambda:GetFunction', [arn('lambda', 'function:f')]],
    [
      'lambda',
      'GetFunction',
      { FunctionName: 'arn:aws:lambda:us-east-1:210987654321:function:f:2' },
      'lambda:GetFunction',
      ['arn:aws:lambda:us-east-1:210987654321:function:f:2'],
    ],
  ];
  for (const [service, name, input, action, expected] of cases)
    assert.deepEqual(
      permissionsOf(service, name, input),
      expected.map((resource) => ({ action, resource })),
      name,
    );
});

test('who makes a job or a template may deploy each of its package versions (page preparing-security)', () => {
  const destinationPackageVersions = [arn('iot', 'package/p/version/1'), arn('iot', 'package/q/version/$default')];
  const cases = [
    ['CreateJob', { jobId: 'j' }, 'job/j'],
    ['CreateJobTemplate', { jobTemplateId: 't' }, 'jobtemplate/t'],
  ] as const;
  for (const [name, input, own] of cases)
    assert.deepEqual(
      permissionsOf('iot', name, { ...input, destinationPackageVersions }).map(({ resource }) => resource),
      [arn('iot', own), ...destinationPackageVersions],
    );
});

test('who makes a package or a version may see what is indexed, too (fact sheet 44)', () => {
  for (const name of ['CreatePackage', 'CreatePackageVersion'])
    assert.deepEqual(permissionsOf('iot', name, { packageName: 'p', versionName: '1' }).at(-1), {
      action: 'iot:GetIndexingConfiguration',
      resource: '*',
    });
});

test('however a function is named, the right is asked on that function (Lambda API reference, FunctionName)', () => {
  const names = ['f', 'function:f', '123456789012:f', '123456789012:function:f', 'eu-west-1:123456789012:f'];
  const whole = [arn('lambda', 'f'), arn('lambda', 'function:f'), 'eu-west-1:f'];
  for (const FunctionName of [...names, ...whole]) {
    assert.deepEqual(
      resourcesOf('lambda', 'DeleteFunction', { FunctionName }, PLACE),
      [arn('lambda', 'function:f')],
      FunctionName,
    );
    const live = { FunctionName: `${FunctionName}:live` };
    assert.deepEqual(resourcesOf('lambda', 'Invoke', live, PLACE), [arn('lambda', 'function:f:live')], FunctionName);
  }
  assert.deepEqual(resourcesOf('lambda', 'Invoke', { FunctionName: 'function' }, PLACE), [arn('lambda', 'function:function')]);
});

test('a log group is one, by name or by identifier, and null is no name', () => {
  const group = arn('logs', 'log-group:g:log-stream:');
  const asked = (operation: string, input: object) => resourcesOf('logs', operation, input, PLACE);
  assert.deepEqual(asked('FilterLogEvents', { logGroupName: 'g' }), [group]);
  assert.deepEqual(asked('FilterLogEvents', { logGroupIdentifier: 'g' }), [group]);
  assert.deepEqual(asked('FilterLogEvents', { logGroupIdentifier: null, logGroupName: 'g' }), [group]);
  assert.deepEqual(asked('FilterLogEvents', { logGroupIdentifier: `${arn('logs', 'log-group:g')}:*` }), [group]);
  assert.deepEqual(asked('GetLogEvents', { logGroupIdentifier: 'g', logStreamName: 's' }), [`${group}s`]);
  assert.deepEqual(asked('DescribeLogGroups', {}), [arn('logs', 'log-group::log-stream:')]);
  // Where two are named, both are asked for.
  const two = asked('FilterLogEvents', { logGroupIdentifier: 'g', logGroupName: 'secret' });
  assert.deepEqual(two, [group, arn('logs', 'log-group:secret:log-stream:')]);
});

test('a value with braces of its own is only text', () => {
  assert.deepEqual(
    resourcesOf('iot', 'CreateThing', { thingName: '{billingGroupName}', billingGroupName: 'x' }, PLACE)[0],
    arn('iot', 'thing/{billingGroupName}'),
  );
  assert.deepEqual(resourcesOf('iot', 'CreateThing', { thingName: '$&$`' }, PLACE), [arn('iot', 'thing/$&$`')]);
});

test('services beside the table', () => {
  const certificate = arn('acm', 'certificate/c');
  assert.deepEqual(operationPermissions('acm', 'GetCertificate', { CertificateArn: certificate }, PLACE), [
    { action: 'acm:GetCertificate', resource: certificate },
  ]);
  assert.deepEqual(operationPermissions('thingkeep', 'GetRefusals', {}, PLACE), [
    { action: 'thingkeep:GetRefusals', resource: '*' },
  ]);
  assert.deepEqual(operationPermissions('logs', 'constructor', {}, PLACE), [{ action: 'logs:constructor', resource: '*' }]);
});

test('iam:PassRole for each role that is handed over, with the service that gets it (IAM user guide, id_roles_use_passrole)', () => {
  const role = 'arn:aws:iam::123456789012:role/r';
  const passed = (service: ServiceName, name: string, input: object) =>
    permissionsOf(service, name, input).filter(({ action }) => action === 'iam:PassRole');
  const rule = {
    ruleName: 'r',
    topicRulePayload: {
      sql: '',
      actions: [{ s3: { roleArn: role } }, { sqs: { roleArn: `${role}2` } }],
      errorAction: { s3: { roleArn: role } },
    },
  };
  const to = (service: string, resource = role) => ({
    action: 'iam:PassRole',
    resource,
    keys: [['iam:PassedToService', service]],
  });
  assert.deepEqual(passed('iot', 'CreateTopicRule', rule), [to('iot.amazonaws.com'), to('iot.amazonaws.com', `${role}2`)]);
  assert.deepEqual(passed('iot', 'ReplaceTopicRule', rule).length, 2);
  assert.deepEqual(passed('iot', 'CreateRoleAlias', { roleAlias: 'a', roleArn: role }), [to('credentials.iot.amazonaws.com')]);
  assert.deepEqual(passed('iot', 'CreateProvisioningTemplate', { templateName: 't', provisioningRoleArn: role }), [
    to('iot.amazonaws.com'),
  ]);
  const target = { targetArn: 'arn:aws:sns:us-east-1:123456789012:t', roleArn: role };
  assert.deepEqual(
    passed('iot', 'UpdateAccountAuditConfiguration', { auditNotificationTargetConfigurations: { SNS: target } }),
    [to('iot.amazonaws.com')],
    'structures in a map count',
  );
  assert.deepEqual(passed('lambda', 'CreateFunction', { FunctionName: 'f', Role: role, Code: { ZipFile: new Uint8Array(9) } }), [
    to('lambda.amazonaws.com'),
  ]);
  assert.deepEqual(passed('lambda', 'UpdateFunctionConfiguration', { FunctionName: 'f' }), []);
  const words = { Environment: { Variables: { Role: role, roleArn: role } } };
  assert.deepEqual(passed('lambda', 'UpdateFunctionConfiguration', { FunctionName: 'f', ...words }), []);
  assert.deepEqual(passed('iot', 'CreateThing', { thingName: 'a', attributePayload: { attributes: { roleArn: role } } }), []);
});

test('ids of certificates are asked for in lower case, as they are kept: a Deny on one is not passed by writing it otherwise', () => {
  const certificateId = 'AB'.repeat(32);
  for (const [name, type] of [
    ['DeleteCertificate', 'cert'],
    ['UpdateCACertificate', 'cacert'],
    ['TransferCertificate', 'cert'],
    ['AcceptCertificateTransfer', 'cert'],
    ['RejectCertificateTransfer', 'cert'],
    ['CancelCertificateTransfer', 'cert'],
  ] as const) {
    const [right] = permissionsOf('iot', name, { certificateId });
    assert.equal(right?.resource, `arn:aws:iot:eu-west-1:123456789012:${type}/${certificateId.toLowerCase()}`);
  }
});

test('a role is passed by every member of every operation that is the ARN of one', () => {
  /** An input with the ARN of a role in the one member at the end of this way. */
  const inputOf = (way: readonly string[], role: string): object =>
    way.reduceRight<unknown>(
      (inner, name) => (name === '[]' ? [inner] : name === '{}' ? { key: inner } : { [name]: inner }),
      role,
    ) as object;
  const found: string[] = [];
  const look = (
    service: ServiceName,
    shapeName: string,
    way: readonly string[],
    seen: readonly string[],
    tell: (way: string[]) => void,
  ): void => {
    const shape = shapeOf(service, shapeName);
    if (seen.includes(shapeName)) return;
    const inner = [...seen, shapeName];
    if (shape.type === 'list') look(service, shape.member ?? '', [...way, '[]'], inner, tell);
    if (shape.type === 'map') look(service, shape.value ?? '', [...way, '{}'], inner, tell);
    for (const [name, { shape: of }] of Object.entries(shape.members ?? {}))
      if (/role/i.test(name) && !/alias/i.test(name) && shapeOf(service, of).type === 'string') tell([...way, name]);
      else look(service, of, [...way, name], inner, tell);
  };
  for (const service of ['iot', 'lambda'] as const)
    for (const operation of operationsOf(service))
      if (operation.input !== undefined)
        look(service, operation.input, [], [], (way) => {
          const role = 'arn:aws:iam::123456789012:role/r';
          const needed = callPermissions(operation, inputOf(way, role), PLACE);
          assert.ok(
            needed.some(({ action, resource }) => action === 'iam:PassRole' && resource === role),
            `${operation.name} ${way.join('.')}`,
          );
          found.push(operation.name);
        });
  assert.ok(found.length > 40, String(found.length));
});
