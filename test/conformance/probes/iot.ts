/** Probes of AWS IoT. */
import { JOBS } from './jobs.ts';
import { ACCOUNT, accepts, type Answer, JAPANESE, type Probe, refuses } from './probe.ts';

const INVALID = 'InvalidRequestException';
const functionIn = (region: string): string => `arn:aws:lambda:${region}:${ACCOUNT}:function:nope`;
const authorizer = (more: object) => ({
  authorizerFunctionArn: functionIn('us-east-1'),
  signingDisabled: true,
  ...more,
});

const statement = { Effect: 'Allow', Action: 'iot:Connect', Resource: '*' };
let policies = 0;
const policy = (document: object) => ({ policyName: `policy${policies++}`, policyDocument: JSON.stringify(document) });
const malformed = (document: object, message: string): Answer =>
  refuses('CreatePolicy', policy(document), 'MalformedPolicyException', `Policy document is Malformed: ${message}`);

const republish = { republish: { topic: 'out', roleArn: `arn:aws:iam::${ACCOUNT}:role/r` } };
const lambda = { lambda: { functionArn: functionIn('us-east-1') } };
let rules = 0;
const rule = (payload: object) => ({
  ruleName: `rule${rules++}`,
  topicRulePayload: { sql: "SELECT * FROM 'a/b'", actions: [republish], ...payload },
});
const filter = (text: string) => rule({ sql: `SELECT * FROM '${text}'` });
const version = (awsIotSqlVersion: string) => rule({ awsIotSqlVersion });

const template = (more: object) => ({
  templateName: 't',
  provisioningRoleArn: `arn:aws:iam::${ACCOUNT}:role/probe`,
  templateBody: '{}',
  ...more,
});
const policyResource = { Type: 'AWS::IoT::Policy', Properties: { PolicyName: 'p', PolicyDocument: '{}' } };
const bothPolicies = JSON.stringify({ Parameters: {}, Resources: { policy: policyResource } });

const charset = (operation: string, member: string, pattern: string, input: object): Probe['answers'] => [
  refuses(
    operation,
    { ...input, [member]: JAPANESE },
    INVALID,
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern}`,
  ),
];

const payload = { content: Buffer.from('x'), contentType: 'text/plain' };

const LATER_ENCODE =
  "Errors encountered while validating query. ERROR: Function 'encode' is only supported in sql version 2016-03-23-beta and above. " +
  'You can use the new version by specifying "awsIotSqlVersion": "version" when creating or updating a rule.';
const encode = "SELECT encode(*, 'base64') AS d FROM 'a/b'";
const CALLS_OF_2016 = [
  "decode(a, 'base64')",
  "get_dynamodb('t', 'k', 'v', 'arn:aws:iam::000000000000:role/r')",
  "get_or_default(a, 'x')",
  "get_thing_shadow('t', 'arn:aws:iam::000000000000:role/r')",
  "indexof(a, 'b')",
  'isNull(a)',
  'isUndefined(a)',
  'length(a)',
  'numbytes(a)',
  "parse_time('yyyy', 0)",
  'sourceip()',
  "time_to_epoch(a, 'yyyy')",
  "transform('enrichArray', a, b)",
];

const SEE =
  'Please refer to <https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html> for supported combinations and try again.';
const attributes = (count: number) => ({
  attributePayload: { attributes: Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, 'v'])) },
});

export const IOT: readonly Probe[] = [
  ...JOBS,
  {
    name: 'pf-iot-authorizer-function-region',
    answers: [
      refuses(
        'CreateAuthorizer',
        authorizer({ authorizerName: 'au1', authorizerFunctionArn: functionIn('eu-west-1') }),
        INVALID,
        'Lambda function region must be same as authorizer au1 region',
      ),
      accepts('CreateAuthorizer', authorizer({ authorizerName: 'au1' })),
    ],
  },
  {
    name: 'pf-iot-authorizer-name-charset',
    answers: charset('CreateAuthorizer', 'authorizerName', '[\\w=,@-]+', authorizer({})),
  },
  {
    name: 'pf-iot-authorizer-signing-keys',
    answers: [
      refuses(
        'CreateAuthorizer',
        authorizer({ authorizerName: 'au2', signingDisabled: false }),
        INVALID,
        'Token key name for authorizer au2 cannot be null',
      ),
      accepts('CreateAuthorizer', authorizer({ authorizerName: 'au2' })),
    ],
  },
  {
    name: 'pf-iot-domainconfiguration-auth-combo',
    answers: [
      refuses(
        'CreateDomainConfiguration',
        { domainConfigurationName: 'dc', authenticationType: 'CUSTOM_AUTH' },
        INVALID,
        `The domain must configure a supported ApplicationProtocol when configuring an AuthenticationType. ${SEE}`,
      ),
      refuses(
        'CreateDomainConfiguration',
        { domainConfigurationName: 'dc', authenticationType: 'CUSTOM_AUTH', applicationProtocol: 'SECURE_MQTT' },
        INVALID,
        `The domain configuration must have a valid AuthorizerConfig configured when using CUSTOM_AUTH as the AuthenticationType. ${SEE}`,
      ),
      accepts('CreateDomainConfiguration', {
        domainConfigurationName: 'dc',
        authenticationType: 'CUSTOM_AUTH',
        applicationProtocol: 'SECURE_MQTT',
        authorizerConfig: { defaultAuthorizerName: 'au1' },
      }),
    ],
  },
  {
    name: 'pf-iot-domainconfiguration-name-charset',
    answers: charset('CreateDomainConfiguration', 'domainConfigurationName', '[\\w.-]+', {}),
  },
  {
    name: 'pf-iot-policy-document-effect',
    answers: [malformed({ Version: '2012-10-17', Statement: [{ ...statement, Effect: 'Permit' }] }, 'Invalid effect: Permit')],
  },
  { name: 'pf-iot-policy-document-statement', answers: [malformed({ Version: '2012-10-17' }, 'Policy has no statements')] },
  {
    name: 'pf-iot-policy-document-version',
    answers: [
      malformed(
        { Version: '2008-10-17', Statement: [statement] },
        'Unknown policy document version. It must be version 2012-10-17',
      ),
      accepts('CreatePolicy', policy({ Version: '2012-10-17', Statement: [statement] })),
    ],
  },
  {
    name: 'pf-iot-policy-name-charset',
    answers: charset('CreatePolicy', 'policyName', '[\\w+=,.@-]+', { policyDocument: JSON.stringify({ Statement: statement }) }),
  },
  {
    name: 'pf-iot-policyprincipal-principal-format',
    answers: [refuses('AttachPrincipalPolicy', { policyName: 'p', principal: 'not-an-arn' }, INVALID, 'Invalid principal type')],
  },
  {
    name: 'pf-iot-rolealias-name-charset',
    answers: charset('CreateRoleAlias', 'roleAlias', '[\\w=,@-]+', { roleArn: `arn:aws:iam::${ACCOUNT}:role/r` }),
  },
  {
    name: 'pf-iot-sql-from-topic-filter',
    answers: [
      ...['a/#/b', 'a/x#', 'a/x+/c', '#/a', 'a/b+', '+a'].map((text) =>
        refuses('CreateTopicRule', filter(text), INVALID, 'The MQTT topic you provided is invalid.'),
      ),
      ...['a/#', 'a/+/b', '+', 'a/b/#', 'a/b/c/d/e/f/g/h/i'].map((text) => accepts('CreateTopicRule', filter(text))),
    ],
  },
  {
    name: 'pf-iot-sql-version-functions',
    answers: [
      refuses('CreateTopicRule', rule({ sql: encode }), INVALID, LATER_ENCODE),
      refuses('CreateTopicRule', rule({ sql: encode, awsIotSqlVersion: '2015-10-08' }), INVALID, LATER_ENCODE),
      accepts('CreateTopicRule', rule({ sql: encode, awsIotSqlVersion: '2016-03-23' })),
      ...CALLS_OF_2016.map((call) =>
        accepts('CreateTopicRule', rule({ sql: `SELECT ${call} AS d FROM 'a/b'`, awsIotSqlVersion: '2015-10-08' })),
      ),
    ],
  },
  {
    name: 'pf-iot-sql-version-value',
    answers: [
      ...[
        '2020-01-01',
        '2015-10-08-beta',
        '2016-03-23-beta2',
        '2015-10-09',
        '2017-03-23',
        '2016-3-23',
        'v2',
        'xbeta',
        'betax',
      ].map((text) => refuses('CreateTopicRule', version(text), 'SqlParseException', `Invalid SQL version: ${text}`)),
      ...[' 2016-03-23', '2016-03-23 '].map((text) =>
        refuses('CreateTopicRule', version(text), 'SqlParseException', `Invalid SQL version: ${text}`),
      ),
      ...['2015-10-08', '2016-03-23', '2016-03-23-beta', '2016-03-23-BETA', 'beta', 'BETA', 'Beta', ''].map((text) =>
        accepts('CreateTopicRule', version(text)),
      ),
    ],
  },
  {
    name: 'pf-iot-certificateprovider-lambda-region',
    answers: [
      refuses(
        'CreateCertificateProvider',
        {
          certificateProviderName: 'c',
          lambdaFunctionArn: functionIn('eu-west-1'),
          accountDefaultForOperations: ['CreateCertificateFromCsr'],
        },
        INVALID,
        `${functionIn('eu-west-1')} does not contain expected region, us-east-1`,
      ),
    ],
  },
  {
    name: 'pf-iot-provisioningtemplate-body-json',
    answers: [
      refuses(
        'CreateProvisioningTemplate',
        template({ templateBody: 'not json at all' }),
        INVALID,
        'The template body is invalid',
      ),
    ],
  },
  {
    name: 'pf-iot-provisioningtemplate-hook-region',
    answers: [
      refuses(
        'CreateProvisioningTemplate',
        template({ templateBody: '{"Resources":{}}', preProvisioningHook: { targetArn: functionIn('eu-west-1') } }),
        INVALID,
        'Invalid arguments in the call',
      ),
    ],
  },
  {
    name: 'pf-iot-provisioningtemplate-policy-exclusive',
    answers: [
      refuses(
        'CreateProvisioningTemplate',
        template({ templateBody: bothPolicies }),
        INVALID,
        'The template body is invalid: Policy resources must define one property: PolicyName or PolicyDocument',
      ),
    ],
  },
  {
    name: 'pf-iot-thing-attribute-count',
    answers: [
      refuses(
        'CreateThing',
        { thingName: 'four', ...attributes(4) },
        INVALID,
        'To use more than 3 attributes, a thing must have a type specified.',
      ),
      accepts('CreateThing', { thingName: 'three', ...attributes(3) }),
    ],
  },
  {
    name: 'pf-iot-thinggroup-attribute-count',
    answers: [
      refuses(
        'CreateThingGroup',
        { thingGroupName: 'g51', thingGroupProperties: attributes(51) },
        INVALID,
        'Too many attributes specified. The maximum number of attributes allowed for a thing group is 50',
      ),
      accepts('CreateThingGroup', { thingGroupName: 'g50', thingGroupProperties: attributes(50) }),
    ],
  },
  {
    name: 'pf-iot-topicrule-action-exactly-one',
    answers: [
      refuses(
        'CreateTopicRule',
        rule({ actions: [{ ...republish, ...lambda }] }),
        INVALID,
        'Each object in the actions list can only have one action defined',
      ),
      refuses(
        'CreateTopicRule',
        rule({ actions: [{}] }),
        INVALID,
        'Empty actions are not allowed. Please define one type of action',
      ),
      accepts('CreateTopicRule', rule({ errorAction: { ...republish, ...lambda } })),
    ],
  },
  {
    name: 'pf-iot-topicrule-role-account',
    answers: [
      refuses(
        'CreateTopicRule',
        rule({ actions: [{ republish: { topic: 'out', roleArn: 'arn:aws:iam::210987654321:role/other' } }] }),
        'AccessDeniedException',
        'Cross-account pass role is not allowed.',
      ),
    ],
  },
  {
    name: 'pf-iot-topicruledestination-exactly-one',
    answers: [
      {
        httpUrlConfiguration: { confirmationUrl: 'https://example.invalid/c' },
        vpcConfiguration: { vpcId: 'v', subnetIds: ['s'], roleArn: `arn:aws:iam::${ACCOUNT}:role/r` },
      },
      {},
    ].map((destinationConfiguration) =>
      refuses(
        'CreateTopicRuleDestination',
        { destinationConfiguration },
        INVALID,
        'Must provide exactly one of [HttpUrlConfiguration, VpcConfiguration, InfluxDBConfiguration]',
      ),
    ),
  },
  {
    name: 'pf-iot-command-namespace-combo',
    answers: [
      refuses(
        'CreateCommand',
        { commandId: 'c', namespace: 'AWS-IoT' },
        'ValidationException',
        "The 'payload' field of the command is required when using the 'AWS-IoT' namespace.",
      ),
      refuses(
        'CreateCommand',
        { commandId: 'c', namespace: 'AWS-IoT', payload, mandatoryParameters: [{ name: 'p' }] },
        'ValidationException',
        "AWS-IoT namespace does not support 'mandatoryParameters' with 'payload' option.",
      ),
    ],
  },
];
