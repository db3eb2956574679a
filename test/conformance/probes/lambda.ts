/** Probes of Lambda, as far as its operations are served. */
import { zipOfFiles } from '../../../packages/server/src/functions/code/zip.fixture.ts';
import { ACCOUNT, accepts, type Answer, type Probe, refuses } from './probe.ts';

const INVALID = 'InvalidParameterValueException';
const VALIDATION = 'ValidationException';
const ZipFile = zipOfFiles({ 'index.py': 'def handler(event, context): return event' });

/** A function of the probes, made anew for each call. */
export const functionInput = (more: object = {}): object => ({
  FunctionName: 'made',
  Runtime: 'python3.12',
  Handler: 'index.handler',
  Role: `arn:aws:iam::${ACCOUNT}:role/f`,
  Code: { ZipFile },
  ...more,
});
const createRefused = (more: object, message: string, code = INVALID): Answer =>
  refuses('CreateFunction', functionInput(more), code, message);

const alias = (more: object) => ({ FunctionName: 'probe', Name: 'blue', FunctionVersion: '1', ...more });
const weights = (AdditionalVersionWeights: object) => ({ RoutingConfig: { AdditionalVersionWeights } });
const aliasRefused = (more: object, message: string, code = INVALID): Answer =>
  refuses('CreateAlias', alias(more), code, message);

const permission = (more: object) => ({
  FunctionName: 'probe',
  StatementId: 's',
  Action: 'lambda:InvokeFunction',
  Principal: 'iot.amazonaws.com',
  ...more,
});
const permissionRefused = (more: object, code: string, message: string): Answer =>
  refuses('AddPermission', permission(more), code, message);

const sqs = (name: string, region = 'us-east-1'): string => `arn:aws:sqs:${region}:${ACCOUNT}:${name}`;
const deadLetters = (TargetArn: string, message: string): Answer =>
  createRefused({ DeadLetterConfig: { TargetArn } }, `Invalid dead letter queue ARN: ${message}`);
const destination = (onSuccess: string, onFailure: string): Answer =>
  refuses(
    'PutFunctionEventInvokeConfig',
    {
      FunctionName: 'probe',
      DestinationConfig: {
        ...(onSuccess === '' ? {} : { OnSuccess: { Destination: onSuccess } }),
        ...(onFailure === '' ? {} : { OnFailure: { Destination: onFailure } }),
      },
    },
    INVALID,
    `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${onSuccess}), onFailure=OnFailure(destination=${onFailure})) is invalid.`,
  );
const constraint = (member: string, value: string, rest: string): string =>
  `1 validation error detected: Value${value} at '${member}' failed to satisfy constraint: ${rest}`;

export const LAMBDA: readonly Probe[] = [
  {
    name: 'pf-lambda-alias-additional-version-distinct',
    answers: [
      aliasRefused(
        weights({ 1: 0.2 }),
        'Invalid function version 1. Function version 1 is already included in routing configuration.',
      ),
    ],
  },
  {
    name: 'pf-lambda-alias-additional-version-not-latest',
    answers: [
      aliasRefused(
        weights({ $LATEST: 0.2 }),
        constraint(
          'routingConfig.additionalVersionWeights',
          " '{$LATEST=0.2}'",
          'Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]',
        ),
        VALIDATION,
      ),
    ],
  },
  {
    name: 'pf-lambda-alias-additional-versions-max-one',
    answers: [aliasRefused(weights({ 2: 0.2, 3: 0.2 }), 'Number of items in AdditionalVersionWeights cannot be greater than 1')],
  },
  {
    name: 'pf-lambda-alias-routing-not-latest',
    answers: [
      aliasRefused(
        { FunctionVersion: '$LATEST', ...weights({ 1: 0.2 }) },
        '$LATEST is not supported for an alias pointing to more than 1 version',
      ),
    ],
  },
  {
    name: 'pf-lambda-alias-version-not-alias',
    answers: [
      aliasRefused(
        { FunctionVersion: 'blue' },
        constraint(
          'functionVersion',
          " 'blue'",
          'Member must satisfy regular expression pattern: (\\$LATEST(\\.PUBLISHED)?|[0-9]+)',
        ),
        VALIDATION,
      ),
    ],
  },
  {
    name: 'pf-lambda-alias-version-weight-range',
    answers: [
      aliasRefused(
        weights({ 2: 1.5 }),
        constraint('routingConfig.additionalVersionWeights', " '{2=1.5}'", 'Map value must satisfy constraint: ['),
        VALIDATION,
      ),
    ],
  },
  {
    name: 'pf-lambda-code-zipfile-exclusive',
    answers: [
      createRefused(
        { Code: { ZipFile, S3Bucket: 'bucket', S3Key: 'key' } },
        'Please do not provide other FunctionCode parameters when providing a ZipFile.',
      ),
    ],
  },
  {
    name: 'pf-lambda-dlq-no-fifo',
    answers: [deadLetters(sqs('q.fifo'), 'FIFO SQS queue is not supported for dead letter configuration')],
  },
  {
    name: 'pf-lambda-dlq-region',
    answers: [sqs('q', 'us-west-2'), 'arn:aws:s3:::bucket'].map((arn) =>
      deadLetters(
        arn,
        "The resource specified by the TargetArn must be in the same region as the Lambda function it's associated with.",
      ),
    ),
  },
  {
    name: 'pf-lambda-dlq-service',
    answers: [
      deadLetters(
        `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`,
        'The service specified by the TargetArn is not supported for dead letter configuration.',
      ),
    ],
  },
  { name: 'pf-lambda-eic-destination-region', answers: [destination('', sqs('q', 'eu-west-1'))] },
  {
    name: 'pf-lambda-eic-destination-service',
    answers: [destination('', `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/s`)],
  },
  { name: 'pf-lambda-eic-onsuccess-no-s3', answers: [destination('arn:aws:s3:::my-bucket', '')] },
  {
    name: 'pf-lambda-env-key-start-letter',
    answers: [
      createRefused(
        { Environment: { Variables: { '1A': 'x' } } },
        constraint(
          'environment.variables',
          '',
          'Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]',
        ),
        VALIDATION,
      ),
    ],
  },
  {
    name: 'pf-lambda-env-size',
    answers: [
      createRefused(
        { Environment: { Variables: { LARGE: 'x'.repeat(5011) } } },
        'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. Measured size: 5016 bytes',
      ),
    ],
  },
  {
    name: 'pf-lambda-loggroup-no-aws-prefix',
    answers: [
      createRefused(
        { LoggingConfig: { LogGroup: 'aws/custom' } },
        'Log groups starting with AWS/ are reserved for AWS. Update the LogGroup value and try again.',
      ),
    ],
  },
  {
    name: 'pf-lambda-loggroup-pattern',
    answers: [
      createRefused(
        { LoggingConfig: { LogGroup: 'my group!' } },
        constraint(
          'loggingConfig.logGroup',
          " 'my group!'",
          'Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+',
        ),
        VALIDATION,
      ),
    ],
  },
  {
    name: 'pf-lambda-loglevel-requires-json',
    answers: [
      createRefused(
        { LoggingConfig: { LogFormat: 'Text', ApplicationLogLevel: 'INFO' } },
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
      ),
    ],
  },
  {
    name: 'pf-lambda-memory-max',
    answers: [
      createRefused(
        { MemorySize: 20_000 },
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
      ),
    ],
  },
  {
    name: 'pf-lambda-perm-cross-region-function',
    answers: [
      permissionRefused(
        { FunctionName: `arn:aws:lambda:us-west-2:${ACCOUNT}:function:probe` },
        'ResourceNotFoundException',
        "Functions from 'us-west-2' are not reachable in this region ('us-east-1')",
      ),
    ],
  },
  {
    name: 'pf-lambda-perm-function-name-latest',
    answers: [
      permissionRefused({ FunctionName: 'probe:$LATEST' }, INVALID, 'We currently do not support adding policies for $LATEST.'),
    ],
  },
  {
    name: 'pf-lambda-perm-policy-size',
    answers: [
      ...Array.from({ length: 13 }, (_, i) =>
        accepts('AddPermission', permission({ StatementId: `s${i}`, SourceArn: `arn:aws:iot:::${'x'.repeat(1200)}${i}` })),
      ),
      refuses(
        'AddPermission',
        permission({ StatementId: 'last', SourceArn: `arn:aws:iot:::${'x'.repeat(1900)}` }),
        'PolicyLengthExceededException',
        'The final policy size (',
      ),
    ],
  },
  {
    name: 'pf-lambda-perm-principal-service-domain',
    answers: [
      permissionRefused(
        { Principal: 's3' },
        INVALID,
        'The provided principal was invalid. Please check the principal and try again.',
      ),
    ],
  },
  {
    name: 'pf-lambda-perm-principal-whitespace',
    answers: [
      permissionRefused(
        { Principal: 's3 .amazonaws.com' },
        VALIDATION,
        constraint('principal', " 's3 .amazonaws.com'", 'Member must satisfy regular expression pattern: [^\\s]+'),
      ),
    ],
  },
  {
    name: 'pf-lambda-perm-url-auth-action',
    answers: [
      permissionRefused(
        { FunctionUrlAuthType: 'AWS_IAM' },
        INVALID,
        'FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action',
      ),
    ],
  },
  {
    name: 'pf-lambda-timeout-max',
    answers: [
      createRefused(
        { Timeout: 901 },
        constraint('timeout', " '901'", 'Member must have value less than or equal to 900'),
        VALIDATION,
      ),
    ],
  },
];
