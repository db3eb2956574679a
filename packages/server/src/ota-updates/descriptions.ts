/** OTA updates as the API shows them. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { shownSettings } from '../jobs/settings.ts';
import { jobArn } from '../jobs/store.ts';
import { type FileSignature, jobIdOf, type OtaFileRecord, otaUpdateArn, type OtaUpdateRecord } from './store.ts';

type Info = NonNullable<IotOperations['GetOTAUpdate']['output']['otaUpdateInfo']>;
type File = NonNullable<Info['otaUpdateFiles']>[number];

const shownSignature = (given: FileSignature): NonNullable<File['codeSigning']> => ({
  customCodeSigning: {
    signature: { inlineDocument: Buffer.from(given.signature, 'base64') },
    certificateChain:
      given.certificateName === undefined && given.certificate === undefined
        ? undefined
        : { certificateName: given.certificateName, inlineDocument: given.certificate },
    hashAlgorithm: given.hashAlgorithm,
    signatureAlgorithm: given.signatureAlgorithm,
  },
});

const shownFile = ({ stream }: OtaUpdateRecord, file: OtaFileRecord): File => ({
  fileName: file.fileName,
  fileType: file.fileType,
  fileVersion: file.fileVersion,
  fileLocation: {
    stream: stream === undefined ? undefined : { streamId: stream.streamId, fileId: file.fileId },
    s3Location: file.object === undefined ? undefined : { ...file.object },
  },
  codeSigning: file.signature === undefined ? undefined : shownSignature(file.signature),
  attributes: file.attributes === undefined ? undefined : { ...file.attributes },
});

/** The job of an update, once there is one. */
const shownJob = (place: Place, { status, otaUpdateId }: OtaUpdateRecord) =>
  status === 'CREATE_COMPLETE' ? { awsIotJobId: jobIdOf(otaUpdateId), awsIotJobArn: jobArn(place, jobIdOf(otaUpdateId)) } : {};

export function describedUpdate(place: Place, update: OtaUpdateRecord): Info {
  const { rate, presignedUrls } = update.settings;
  return {
    otaUpdateId: update.otaUpdateId,
    otaUpdateArn: otaUpdateArn(place, update.otaUpdateId),
    creationDate: new Date(update.createdAt),
    lastModifiedDate: new Date(update.lastModifiedAt),
    description: update.description,
    targets: [...update.targets],
    protocols: [...update.protocols],
    awsJobExecutionsRolloutConfig: rate === undefined ? undefined : shownSettings(update.settings).jobExecutionsRolloutConfig,
    awsJobPresignedUrlConfig: presignedUrls === undefined ? undefined : { expiresInSec: presignedUrls.expiresInSec },
    targetSelection: update.targetSelection,
    otaUpdateFiles: update.files.map((file) => shownFile(update, file)),
    otaUpdateStatus: update.status,
    ...shownJob(place, update),
    errorInfo: update.errorInfo === undefined ? undefined : { ...update.errorInfo },
    additionalParameters: update.additionalParameters === undefined ? undefined : { ...update.additionalParameters },
  };
}

export const listedUpdate = (place: Place, { otaUpdateId, createdAt }: OtaUpdateRecord) => ({
  otaUpdateId,
  otaUpdateArn: otaUpdateArn(place, otaUpdateId),
  creationDate: new Date(createdAt),
});
