/** A new OTA update, read from a request and checked as far as the request alone says. */
import { randomUUID } from 'node:crypto';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { checkDocument, checkPlaceholders } from '../jobs/documents.ts';
import { readSettings } from '../jobs/settings.ts';
import type { JobSettings } from '../jobs/store.ts';
import { MAX_TARGETS } from '../jobs/targets.ts';
import { otaDocument } from './job-document.ts';
import type { FileSignature, OtaFileRecord, OtaProtocol, OtaStream, OtaUpdateRecord } from './store.ts';

type CreateInput = IotOperations['CreateOTAUpdate']['input'];
type GivenFile = NonNullable<CreateInput['files']>[number];
type Signing = NonNullable<NonNullable<GivenFile['codeSigning']>['customCodeSigning']>;

/** Files of an update: those of a stream. */
const MAX_FILES = 50;
/** Characters of a record. */
const MAX_RECORD = 65_536;
/** Seconds of a presigned URL (API reference, AwsJobPresignedUrlConfig). */
const EXPIRES = { least: 60, most: 3_600, unsaid: 1_800 };

const invalid = (message: string): never => fail('InvalidRequestException', message);

function oneOf<T extends string>(name: string, allowed: readonly T[], given: string | undefined): T {
  const upper = given?.toUpperCase();
  return allowed.find((each) => each === upper) ?? invalid(`${name} has to be one of ${allowed.join(', ')}`);
}

function signatureOf({ signature, certificateChain, hashAlgorithm, signatureAlgorithm }: Signing): FileSignature {
  const bytes = signature?.inlineDocument;
  if (bytes === undefined || bytes.length === 0) return invalid('customCodeSigning needs signature with inlineDocument');
  return {
    signature: Buffer.from(bytes).toString('base64'),
    hashAlgorithm: oneOf('hashAlgorithm', ['SHA1', 'SHA256'], hashAlgorithm),
    signatureAlgorithm: oneOf('signatureAlgorithm', ['RSA', 'ECDSA'], signatureAlgorithm),
    certificateName: certificateChain?.certificateName,
    certificate: certificateChain?.inlineDocument,
  };
}

function signingOf({ codeSigning }: GivenFile): FileSignature | undefined {
  if (codeSigning === undefined) return undefined;
  const { awsSignerJobId, startSigningJobParameter, customCodeSigning } = codeSigning;
  if (awsSignerJobId !== undefined || startSigningJobParameter !== undefined)
    invalid('There is no AWS Signer here: sign the file yourself and give the signature by customCodeSigning.');
  return customCodeSigning === undefined ? undefined : signatureOf(customCodeSigning);
}

type Located = Pick<OtaFileRecord, 'fileId' | 'object'> & { readonly streamId?: string | undefined };

function locationOf({ fileLocation: { stream, s3Location } = {} }: GivenFile, index: number): Located {
  if ((stream === undefined) === (s3Location === undefined))
    return invalid('A file needs fileLocation, with either stream or s3Location');
  if (stream !== undefined) {
    const { streamId, fileId } = stream;
    if (streamId === undefined || fileId === undefined) return invalid('The stream of a file needs streamId and fileId');
    return { streamId, fileId };
  }
  const { bucket, key, version } = s3Location ?? {};
  if (bucket === undefined || key === undefined) return invalid('The s3Location of a file needs bucket and key');
  return { fileId: index, object: { bucket, key, version } };
}

interface Files {
  readonly files: readonly OtaFileRecord[];
  readonly stream?: OtaStream | undefined;
}

/** A document names one stream: that of the files, or one that is made for them where devices have MQTT. */
function filesOf(given: readonly GivenFile[], protocols: readonly OtaProtocol[]): Files {
  if (given.length > MAX_FILES) invalid(`An OTA update can have at most ${MAX_FILES} files`);
  const streams = new Set<string | undefined>();
  const files = given.map((file, index): OtaFileRecord => {
    const { streamId, ...location } = locationOf(file, index);
    streams.add(streamId);
    const { fileName, fileType, fileVersion, attributes } = file;
    return { fileName, fileType, fileVersion, ...location, signature: signingOf(file), attributes };
  });
  if (streams.size > 1) invalid('The files of an OTA update have to be in one stream, or all be given by s3Location');
  const [streamId] = streams;
  if (streamId !== undefined) return { files, stream: { streamId, isOwn: false } };
  return protocols.includes('MQTT') ? { files, stream: { streamId: `AFR_OTA-${randomUUID()}`, isOwn: true } } : { files };
}

function settingsOf(input: CreateInput, protocols: readonly OtaProtocol[]): JobSettings {
  const { description, roleArn, awsJobPresignedUrlConfig: presigned, awsJobAbortConfig } = input;
  const { expiresInSec = EXPIRES.unsaid } = presigned ?? {};
  if (expiresInSec < EXPIRES.least || expiresInSec > EXPIRES.most)
    invalid(`expiresInSec has to be ${EXPIRES.least} to ${EXPIRES.most}`);
  const signs = protocols.includes('HTTP') || presigned !== undefined;
  return readSettings({
    description,
    presignedUrlConfig: signs ? { roleArn, expiresInSec } : undefined,
    jobExecutionsRolloutConfig: input.awsJobExecutionsRolloutConfig,
    abortConfig: awsJobAbortConfig === undefined ? undefined : { criteriaList: awsJobAbortConfig.abortCriteriaList },
    timeoutConfig: input.awsJobTimeoutConfig,
  });
}

/** The record of a new update, which waits to be made. */
export function newUpdate(input: CreateInput, { accountId }: Place, now: number): OtaUpdateRecord {
  const { otaUpdateId = '', description, targets = [], targetSelection = 'SNAPSHOT', roleArn = '' } = input;
  if (targets.length > MAX_TARGETS) invalid(`An OTA update can have at most ${MAX_TARGETS} targets`);
  const protocols = [...new Set(input.protocols ?? (['MQTT'] as const))];
  const { files, stream } = filesOf(input.files ?? [], protocols);
  const record: OtaUpdateRecord = {
    ...{ accountId, otaUpdateId, description, targets, targetSelection, protocols, files, stream, roleArn },
    settings: settingsOf(input, protocols),
    additionalParameters: input.additionalParameters,
    status: 'CREATE_PENDING',
    createdAt: now,
    lastModifiedAt: now,
  };
  if (JSON.stringify(record).length > MAX_RECORD) invalid(`An OTA update can have at most ${MAX_RECORD} characters`);
  const unknown = { bucket: 'bucket', key: 'key' };
  const document = otaDocument({ ...record, files: files.map((file) => ({ object: unknown, ...file, size: 0 })) });
  checkDocument(document);
  checkPlaceholders(document);
  return record;
}
