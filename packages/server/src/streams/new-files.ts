/** Files that a stream is given: each has an id of its own and an object that the role may read. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ObjectVersion } from '../objects/contract.ts';
import { streamRejectionOf } from './rejections.ts';
import type { StreamFileRecord } from './store.ts';
import { inspectObject, type ReadingRoles, type SourceRole } from './stream-files.ts';

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

async function inspected(roles: ReadingRoles, place: Place, source: SourceRole, file: NewFile): Promise<StreamFileRecord> {
  const { fileId, bucket, key, version } = file;
  const found = await inspectObject(roles, place, source, file).catch((error: unknown) => {
    const { code, message } = streamRejectionOf(error);
    if (code === 'Unauthorized' || code === 'ResourceNotFound')
      return fail(CODES[code], `The file s3://${bucket}/${key} can not be read: ${message}`);
    return fail('ServiceUnavailableException', `The file s3://${bucket}/${key} can not be read now`, {}, error);
  });
  return { fileId, bucket, key, version, ...found };
}

/** The files with what is known of their objects now; a stream's may have {@link MAX_SIZE} bytes. */
export async function inspectFiles(
  roles: ReadingRoles,
  place: Place,
  source: SourceRole,
  given: readonly StreamFile[],
  maxSize = MAX_SIZE,
): Promise<readonly StreamFileRecord[]> {
  const wanted = given.map(newFile);
  if (new Set(wanted.map(({ fileId }) => fileId)).size < wanted.length)
    fail('InvalidRequestException', 'Two files of the stream have one fileId');
  const found: StreamFileRecord[] = [];
  for (let i = 0; i < wanted.length; i += AT_ONCE)
    found.push(...(await Promise.all(wanted.slice(i, i + AT_ONCE).map((file) => inspected(roles, place, source, file)))));
  for (const { bucket, key, size } of found)
    if (size > maxSize)
      fail('InvalidRequestException', `The file s3://${bucket}/${key} has ${size} bytes: at most ${maxSize} are allowed`);
  return found;
}
