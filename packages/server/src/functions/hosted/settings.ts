/**
 * The settings of a version, from what CreateFunction and UpdateFunctionConfiguration bring; refused where they can't be kept.
 */
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import { parseArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { reservedNames } from '../sandbox/environment.ts';
import { kindOf, type RuntimeKind } from '../sandbox/runtimes.ts';
import type { ShownSettings, VersionSettings } from './store.ts';

/** What both operations have. */
export type SettingsInput = LambdaOperations['UpdateFunctionConfiguration']['input'];

/** Lambda quotas. */
const LARGEST_ENVIRONMENT = 4096;
const MAX_MEMORY = 10_240;
const LONGEST = 900;

const invalid = (message: string): never => fail('InvalidParameterValueException', message);

/** What stands for something that is not here. */
export function refuseUnsupported(input: SettingsInput): void {
  const { Layers = [], FileSystemConfigs = [], VpcConfig, ImageConfig, SnapStart, KMSKeyArn } = input;
  if (Layers.length > 0) invalid('There are no layers here: put what the function needs into its archive.');
  if (FileSystemConfigs.length > 0) invalid('There are no file systems to mount here.');
  if ((VpcConfig?.SubnetIds ?? []).length + (VpcConfig?.SecurityGroupIds ?? []).length > 0)
    invalid('There are no VPCs here: functions use the network of this server.');
  if (ImageConfig !== undefined) invalid('Functions of container images can not be run here.');
  if (SnapStart?.ApplyOn === 'PublishedVersions') invalid('SnapStart is not available here.');
  if (KMSKeyArn !== undefined && KMSKeyArn !== '') invalid('There are no KMS keys here.');
}

export function checkedKind(runtime: string): RuntimeKind {
  return (
    kindOf(runtime) ??
    invalid(`The runtime parameter of ${runtime} is not supported: functions here are of python3.*, nodejs*.x or provided.`)
  );
}

function environmentOf(given: SettingsInput['Environment']): Readonly<Record<string, string>> {
  const variables = { ...given?.Variables };
  const reserved = reservedNames(Object.keys(variables));
  if (reserved.length > 0)
    invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  const size = Object.entries(variables).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (size > LARGEST_ENVIRONMENT)
    invalid(
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. ' +
        `Measured size: ${size} bytes`,
    );
  if (Object.values(variables).some((value) => value.includes('\0'))) invalid('An environment variable holds a null character.');
  return variables;
}

function timeoutOf(timeout: number): number {
  if (timeout > LONGEST)
    fail(
      'ValidationException',
      `1 validation error detected: Value '${timeout}' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to ${LONGEST}`,
    );
  return timeout;
}

function memoryOf(memory: number): number {
  if (memory > MAX_MEMORY)
    invalid(`'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to ${MAX_MEMORY}`);
  return memory;
}

const DEFAULT_SHOWN: ShownSettings = {
  architectures: [process.arch === 'arm64' ? 'arm64' : 'x86_64'],
  tracingMode: 'PassThrough',
  ephemeralStorage: 512,
  logFormat: 'Text',
};

/** In AWS's words, and in the order that it asks (probes pf-lambda-dlq-... of cdk-preflight). */
function checkDeadLetters(targetArn: string, { region }: Place): void {
  const refuse = (what: string): never => invalid(`Invalid dead letter queue ARN: ${what}`);
  const arn = parseArn(targetArn);
  if (arn?.region !== region)
    refuse("The resource specified by the TargetArn must be in the same region as the Lambda function it's associated with.");
  else if (arn.service !== 'sqs' && arn.service !== 'sns')
    refuse('The service specified by the TargetArn is not supported for dead letter configuration.');
  else if (arn.type.endsWith('.fifo'))
    refuse(
      `FIFO ${arn.service.toUpperCase()} ${arn.service === 'sqs' ? 'queue' : 'topic'} is not supported for dead letter configuration`,
    );
}

/** In AWS's words (probes pf-lambda-loggroup-... and pf-lambda-loglevel-requires-json of cdk-preflight). */
function checkLogging({
  LogFormat,
  LogGroup,
  ApplicationLogLevel,
  SystemLogLevel,
}: NonNullable<SettingsInput['LoggingConfig']>): void {
  if (LogFormat === 'JSON') invalid('Logs are kept as text here.');
  if ((ApplicationLogLevel ?? SystemLogLevel) !== undefined)
    invalid(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    );
  if (/^aws\//i.test(LogGroup ?? ''))
    invalid('Log groups starting with AWS/ are reserved for AWS. Update the LogGroup value and try again.');
}

function shownOf(
  input: SettingsInput & { Architectures?: string[] | undefined },
  before: ShownSettings,
  place: Place,
): ShownSettings {
  const { TracingConfig, EphemeralStorage, LoggingConfig, DeadLetterConfig, Architectures } = input;
  if (LoggingConfig !== undefined) checkLogging(LoggingConfig);
  if ((DeadLetterConfig?.TargetArn ?? '') !== '') checkDeadLetters(DeadLetterConfig?.TargetArn ?? '', place);
  const logGroup = LoggingConfig?.LogGroup ?? before.logGroup;
  const deadLetterArn = DeadLetterConfig === undefined ? before.deadLetterArn : DeadLetterConfig.TargetArn;
  return {
    architectures: Architectures ?? before.architectures,
    tracingMode: TracingConfig?.Mode ?? before.tracingMode,
    ephemeralStorage: EphemeralStorage?.Size ?? before.ephemeralStorage,
    logFormat: 'Text',
    logGroup,
    deadLetterArn: deadLetterArn === undefined || deadLetterArn === '' ? undefined : deadLetterArn,
  };
}

/** What a version is but for its code, its time and its revision. */
export type PlainSettings = Omit<VersionSettings, 'codeSha256' | 'codeSize' | 'modifiedAt' | 'revisionId'>;

const DEFAULTS: PlainSettings = {
  runtime: '',
  role: '',
  handler: '',
  description: '',
  timeout: 3,
  memorySize: 128,
  environment: {},
  shown: DEFAULT_SHOWN,
};

/** The settings after the request; those it does not name stay. */
export function settingsOf(
  input: SettingsInput & { Architectures?: string[] | undefined },
  place: Place,
  before: PlainSettings = DEFAULTS,
): PlainSettings {
  refuseUnsupported(input);
  const runtime = input.Runtime ?? before.runtime;
  const handler = input.Handler ?? before.handler;
  if (runtime === '' || handler === '')
    invalid('Runtime and Handler are mandatory parameters for functions created with deployment packages.');
  checkedKind(runtime);
  return {
    runtime,
    handler,
    role: input.Role ?? before.role,
    description: input.Description ?? before.description,
    timeout: timeoutOf(input.Timeout ?? before.timeout),
    memorySize: memoryOf(input.MemorySize ?? before.memorySize),
    environment: input.Environment === undefined ? before.environment : environmentOf(input.Environment),
    shown: shownOf(input, before.shown, place),
  };
}
