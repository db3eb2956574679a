/** Objects of a store that speaks S3's API, at the operator's endpoint or at AWS. */
import type { S3Client } from '@aws-sdk/client-s3';
import { type AskingRole, type ObjectName, objectFault, type OpenedObject } from './contract.ts';

export interface RemoteCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface RemoteStore {
  /** URL; undefined for S3 itself. */
  readonly endpoint: string | undefined;
  /** What requests for a role are signed with; undefined where there is nothing. */
  readonly credentialsOf: (role: AskingRole) => Promise<RemoteCredentials | undefined>;
}

/** Milliseconds that a store has to begin its answer. */
const MAX_TIME = 30_000;

interface SdkFault {
  readonly name?: string;
  readonly message?: string;
}

const told = ({ name = 'Error', message = '' }: SdkFault): string => `${name} ${message}`.slice(0, 300);

/** The bytes of an answer; the client goes with them. */
async function* contentOf(client: S3Client, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } finally {
    client.destroy();
  }
}

export async function openRemoteObject(
  { endpoint, credentialsOf }: RemoteStore,
  role: AskingRole,
  { bucket, key }: ObjectName,
  from: number,
): Promise<OpenedObject> {
  const credentials = await credentialsOf(role);
  if (credentials === undefined)
    return objectFault('AccessDenied', 'The server has no credentials for s3: see --action-credentials.');
  const { GetObjectCommand, S3Client: Client } = await import('@aws-sdk/client-s3');
  const client = new Client({
    ...{ region: role.place.region, endpoint, forcePathStyle: endpoint !== undefined, maxAttempts: 3 },
    credentials: {
      ...credentials,
      ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
    } as never,
  });
  try {
    const Range = from > 0 ? `bytes=${from}-` : undefined;
    const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range }), {
      abortSignal: AbortSignal.timeout(MAX_TIME),
    });
    const size = from + (found.ContentLength ?? 0);
    const content = contentOf(client, found.Body as AsyncIterable<Uint8Array>);
    return {
      size,
      etag: found.ETag ?? '',
      lastModified: found.LastModified?.getTime() ?? 0,
      contentType: found.ContentType,
      content,
    };
  } catch (error) {
    client.destroy();
    const fault = error as SdkFault;
    if (fault.name === 'NoSuchKey' || fault.name === 'NoSuchBucket') return objectFault(fault.name, told(fault));
    if (fault.name === 'AccessDenied') return objectFault('AccessDenied', told(fault));
    return objectFault('ServiceUnavailable', told(fault));
  }
}
