/** Code as CreateFunction and UpdateFunctionCode bring it: checked, with the words of Lambda. */
import { fail } from '@thingkeep/wire/errors.ts';
import { ArchiveError, inspect, LARGEST_ARCHIVE } from '../code/archive.ts';
import type { HostedOptions } from './options.ts';
import { checkedKind } from './settings.ts';

interface CodeInput {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly ImageUri?: string | undefined;
}

export function requiredZip({ ZipFile, S3Bucket, S3Key, ImageUri }: CodeInput): Uint8Array {
  // AWS's words (probe pf-lambda-code-zipfile-exclusive of cdk-preflight).
  if (ZipFile !== undefined && [S3Bucket, S3Key, ImageUri].some((other) => other !== undefined))
    fail('InvalidParameterValueException', 'Please do not provide other FunctionCode parameters when providing a ZipFile.');
  if (ImageUri !== undefined) fail('InvalidParameterValueException', 'Functions of container images can not be run here.');
  if (S3Bucket !== undefined || S3Key !== undefined)
    fail(
      'InvalidParameterValueException',
      'There is no S3 here to fetch the code from: send the archive itself (ZipFile, --zip-file).',
    );
  if (ZipFile === undefined || ZipFile.length === 0)
    return fail('InvalidParameterValueException', 'Please provide a source for function code.');
  if (ZipFile.length > LARGEST_ARCHIVE)
    fail('InvalidParameterValueException', `Zipped size must be smaller than ${LARGEST_ARCHIVE} bytes`);
  return ZipFile;
}

/** Archives that are read at a time: each is held in memory. */
const MAX_INSPECTED = 2;
let inspecting = 0;

export async function inspected(zip: Uint8Array): Promise<void> {
  if (inspecting >= MAX_INSPECTED) fail('TooManyRequestsException', 'Rate Exceeded.', { Reason: 'CallerRateLimitExceeded' });
  inspecting += 1;
  try {
    await inspect(zip);
  } catch (error) {
    if (error instanceof ArchiveError) fail('InvalidParameterValueException', error.message);
    throw error;
  } finally {
    inspecting -= 1;
  }
}

/** Fails where functions of this runtime can't be run. */
export async function checkRuntime({ runtimeFault }: Pick<HostedOptions, 'runtimeFault'>, runtime: string): Promise<void> {
  const fault = await runtimeFault(checkedKind(runtime));
  if (fault !== undefined) fail('InvalidParameterValueException', `Functions of ${runtime} can not be run here: ${fault}`);
}
