/** Records of OTA updates. Times are milliseconds since the epoch. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { JobSettings } from '../jobs/store.ts';
import type { ObjectVersion } from '../objects/contract.ts';
import { collection, type ReadTransaction } from '../store/contract.ts';

/** The signature of a file, made by its owner. */
export interface FileSignature {
  /** In base64. */
  readonly signature: string;
  readonly hashAlgorithm: 'SHA1' | 'SHA256';
  readonly signatureAlgorithm: 'RSA' | 'ECDSA';
  readonly certificateName?: string | undefined;
  readonly certificate?: string | undefined;
}

export interface OtaFileRecord {
  readonly fileName?: string | undefined;
  readonly fileType?: number | undefined;
  readonly fileVersion?: string | undefined;
  /** Its number in the stream, or among the files where there is none. */
  readonly fileId: number;
  /** Absent for a file of a stream that was there. */
  readonly object?: ObjectVersion | undefined;
  readonly signature?: FileSignature | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

export interface OtaStream {
  readonly streamId: string;
  /** Whether it is made for the update. */
  readonly isOwn: boolean;
}

export type OtaProtocol = 'MQTT' | 'HTTP';
export type OtaUpdateStatus = 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'CREATE_FAILED';

export interface OtaUpdateRecord {
  readonly accountId: string;
  readonly otaUpdateId: string;
  readonly description?: string | undefined;
  /** ARNs of things and groups. */
  readonly targets: readonly string[];
  readonly targetSelection: 'SNAPSHOT' | 'CONTINUOUS';
  readonly protocols: readonly OtaProtocol[];
  readonly files: readonly OtaFileRecord[];
  readonly stream?: OtaStream | undefined;
  readonly roleArn: string;
  readonly settings: JobSettings;
  readonly additionalParameters?: Readonly<Record<string, string>> | undefined;
  readonly status: OtaUpdateStatus;
  readonly errorInfo?: { readonly code: string; readonly message: string } | undefined;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
}

export const otaUpdates = collection<OtaUpdateRecord>('ota-updates', (u) => [u.accountId, u.otaUpdateId], {
  byStatus: (u) => [[u.accountId, u.status, u.otaUpdateId]],
  /** Updates that use a stream, or are about to. */
  byStream: (u) =>
    u.stream === undefined || u.status === 'CREATE_FAILED' ? [] : [[u.accountId, u.stream.streamId, u.otaUpdateId]],
});

export const otaUpdateArn = (place: Place, otaUpdateId: string): string => iotArn(place, 'otaupdate', otaUpdateId);

/** AWS's name for the job of an update. */
export const jobIdOf = (otaUpdateId: string): string => `AFR_OTA-${otaUpdateId}`;

/** The first update that uses a stream, beside one. */
export async function userOfStream(
  tx: ReadTransaction,
  accountId: string,
  streamId: string,
  beside?: string,
): Promise<OtaUpdateRecord | undefined> {
  const { items } = await tx.scan(otaUpdates, { index: 'byStream', prefix: [accountId, streamId], limit: 2, skipDamaged: true });
  return items.find(({ otaUpdateId }) => otaUpdateId !== beside);
}

/** What uses a stream, in words. */
export async function streamUser(tx: ReadTransaction, accountId: string, streamId: string): Promise<string | undefined> {
  const found = await userOfStream(tx, accountId, streamId);
  return found === undefined ? undefined : `the OTA update ${found.otaUpdateId}`;
}
