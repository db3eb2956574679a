/** A version of a function as the API shows it. Source: Lambda API reference, FunctionConfiguration. */
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { functionArn, type ShownSettings, type VersionSettings } from './store.ts';

export type FunctionConfiguration = LambdaOperations['GetFunctionConfiguration']['output'];

/** `2026-11-21T12:00:00.000+0000`: Lambda's form of a time. */
export const lambdaTime = (at: number): string => new Date(at).toISOString().replace('Z', '+0000');

export const logGroupOf = (name: string, { logGroup }: ShownSettings): string => logGroup ?? `/aws/lambda/${name}`;

/** `qualifier` is what stands in the ARN; none for $LATEST unless it was asked for so. */
export function describe(
  place: Place,
  name: string,
  version: string,
  settings: VersionSettings,
  qualifier: string | undefined,
): Partial<FunctionConfiguration> {
  const { shown, environment } = settings;
  return {
    FunctionName: name,
    FunctionArn: functionArn(place, name, qualifier),
    Runtime: settings.runtime as FunctionConfiguration['Runtime'],
    Role: settings.role,
    Handler: settings.handler,
    CodeSize: settings.codeSize,
    Description: settings.description,
    Timeout: settings.timeout,
    MemorySize: settings.memorySize,
    LastModified: lambdaTime(settings.modifiedAt),
    CodeSha256: settings.codeSha256,
    Version: version,
    Environment: Object.keys(environment).length === 0 ? undefined : { Variables: { ...environment } },
    KMSKeyArn: shown.kmsKeyArn,
    DeadLetterConfig: shown.deadLetterArn === undefined ? undefined : { TargetArn: shown.deadLetterArn },
    TracingConfig: { Mode: shown.tracingMode as 'PassThrough' },
    RevisionId: settings.revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: [...shown.architectures] as FunctionConfiguration['Architectures'],
    EphemeralStorage: { Size: shown.ephemeralStorage },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: shown.logFormat as 'Text', LogGroup: logGroupOf(name, shown) },
  };
}
