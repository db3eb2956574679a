/** Files that a stream is given: each has an id of its own and an object that the role may read. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ObjectVersion } from '../objects/contract.ts';
import { streamRejectionOf } from './rejections.ts';
import type { StreamFileRecord } from './store.ts';
import type { StreamFiles } from './stream-files.ts';

type StreamFile = NonNullable<IotOperations['CreateStream']['input']['files']>[number];

/** Bytes of a file (General Reference, quotas of MQTT-based file delivery: 24 MB). */
const MAX_SIZE = 24 * 1024 * 1024;
/** Files that are looked at together. */
const AT_ONCE = 10;

interface NewFile extends ObjectVersion {
  readonly fileId: number;
}

function newFile({ fileId, s3Location: { bucket, key, version } = {} }: StreamFile): NewFile {
  if (fileId === undefined || bucket === undefined || key === undefined)
    return fail('InvalidRequestException', 'A file of a stream needs fileId, and s3Location with bucket and key');
  return { fileId, bucket, key, version };
}

const CODES = {
  Unauthorized: 'UnauthorizedException',
  ResourceNotFound: 'ResourceNotFoundException',
} as const;

async function inspected(files: StreamFiles, place: Place, roleArn: string, file: NewFile): Promise<StreamFileRecord> {
  const { fileId, bucket, key, version } = file;
  const found = await files.inspect(place, roleArn, file).catch((error: unknown) => {
    const { code, message } = streamRejectionOf(error);
    if (code === 'Unauthorized' || code === 'ResourceNotFound')
      return fail(CODES[code], `The file s3://${bucket}/${key} can not be read: ${message}`);
    return fail('ServiceUnavailableException', `The file s3://${bucket}/${key} can not be read now`, {}, error);
  });
  if (found.size > MAX_SIZE)
    fail('InvalidRequestException', `The file s3://${bucket}/${key} has ${found.size} bytes: at most ${MAX_SIZE} are allowed`);
  return { fileId, bucket, key, version, ...found };
}

/** The files with what is known of their objects now. */
export async function inspectFiles(
  files: StreamFiles,
  place: Place,
  roleArn: string,
  given: readonly StreamFile[],
): Promise<readonly StreamFileRecord[]> {
  const wanted = given.map(newFile);
  if (new Set(wanted.map(({ fileId }) => fileId)).size < wanted.length)
    fail('InvalidRequestException', 'Two files of the stream have one fileId');
  const found: StreamFileRecord[] = [];
  for (let i = 0; i < wanted.length; i += AT_ONCE)
    found.push(...(await Promise.all(wanted.slice(i, i + AT_ONCE).map((file) => inspected(files, place, roleArn, file)))));
  return found;
}
