/** Objects of a store that speaks S3's API, at the operator's endpoint or at AWS. */
import { Readable } from 'node:stream';
import { deadlineSignal, startDeadline } from '../runtime/deadline.ts';
import { type AskingRole, objectFault, type ObjectVersion, type OpenedObject, refuseOddName } from './contract.ts';

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
  /** Milliseconds that a store has to begin its answer, and for each piece of it that is waited for; 30 seconds by default. */
  readonly patience?: number;
}

const PATIENCE = 30_000;

interface SdkFault {
  readonly name?: string;
  readonly message?: string;
}

const told = ({ name = 'Error', message = '' }: SdkFault): string => `${name} ${message}`.slice(0, 300);

/** The bytes of an answer. Its reader may take its time; the store has a deadline for each piece that it is waited for. */
async function* contentOf(body: Readable, patience: number): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const cancel = startDeadline(patience, () => body.destroy(new Error('The store has stopped to send.')));
      const { done, value } = await pieces.next().finally(cancel);
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    objectFault('ServiceUnavailable', told(error as SdkFault));
  } finally {
    body.destroy();
  }
}

function rangeHeader(from: number, to: number | undefined): string | undefined {
  if (to !== undefined) return `bytes=${from}-${to - 1}`;
  return from > 0 ? `bytes=${from}-` : undefined;
}

/** The size of a whole object of which a part is answered. */
function sizeOf(from: number, contentRange: string | undefined, contentLength = 0): number {
  const [, size] = /\/(\d+)$/.exec(contentRange ?? '') ?? [];
  return size === undefined ? from + contentLength : Number(size);
}

export async function openRemoteObject(
  { endpoint, credentialsOf, patience = PATIENCE }: RemoteStore,
  role: AskingRole,
  { bucket, key, version }: ObjectVersion,
  from: number,
  to?: number,
): Promise<OpenedObject> {
  refuseOddName({ bucket, key });
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
  const beginning = deadlineSignal(patience);
  try {
    const asked = { Bucket: bucket, Key: key, VersionId: version, Range: rangeHeader(from, to) };
    const command = new GetObjectCommand(asked);
    const found = await client.send(command, { abortSignal: beginning.signal });
    const body = found.Body instanceof Readable ? found.Body : Readable.from([]);
    // One that is closed before it is read to its end fails; its reader has gone.
    body.on('error', () => undefined);
    return {
      size: sizeOf(from, found.ContentRange, found.ContentLength),
      etag: found.ETag ?? '',
      lastModified: found.LastModified?.getTime() ?? 0,
      contentType: found.ContentType,
      content: contentOf(body, patience),
      [Symbol.dispose]() {
        body.destroy();
        client.destroy();
      },
    };
  } catch (error) {
    client.destroy();
    const fault = error as SdkFault;
    if (fault.name === 'NoSuchKey' || fault.name === 'NoSuchBucket' || fault.name === 'NoSuchVersion')
      return objectFault(fault.name, told(fault));
    if (fault.name === 'AccessDenied') return objectFault('AccessDenied', told(fault));
    return objectFault('ServiceUnavailable', told(fault));
  } finally {
    // What has begun may take its time.
    beginning.end();
  }
}
