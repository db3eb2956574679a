/** The files of streams: objects that the stream's role may read. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { type AskingRole, type ObjectVersion, type OpenedObject, refuseReading, type RoleObjects } from '../objects/contract.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { type FileParts, PART } from './file-parts.ts';
import { reject } from './rejections.ts';
import { fileStreamArn, type StreamFileRecord, type StreamRecord } from './store.ts';

/** What objects are read by with the rights of roles. */
export interface ReadingRoles {
  readonly findRole: FindRole;
  readonly roleObjects: RoleObjects;
}

/** A role, and the stream or OTA update that it is assumed for. */
export interface SourceRole {
  readonly roleArn: string;
  readonly sourceArn: string;
}

export interface StreamFilesDeps extends ReadingRoles {
  readonly parts: FileParts;
}

/** A file that may be read. */
export interface OpenFile {
  /** The bytes from one place to another, the last one left out. */
  read(from: number, to: number): Promise<Buffer>;
}

/** All bytes, which are PART at most. */
async function allOf({ content }: OpenedObject): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function roleOf({ findRole }: ReadingRoles, place: Place, { roleArn, sourceArn }: SourceRole): Promise<AskingRole> {
  const permissions = await findRole(place.accountId, roleArn, IOT_SERVICE, sourceArn);
  if (permissions === 'unknown-role') return reject('Unauthorized', `The role ${roleArn} does not exist`);
  return { place, roleArn, permissions };
}

/** Size and ETag of an object as it is now. Fails where the role may not read it. */
export async function inspectObject(
  roles: ReadingRoles,
  place: Place,
  source: SourceRole,
  location: ObjectVersion,
): Promise<Pick<StreamFileRecord, 'size' | 'etag'>> {
  const role = await roleOf(roles, place, source);
  using opened = await roles.roleObjects.open(role, location, 0);
  const { size, etag } = opened;
  return { size, etag };
}

export class StreamFiles {
  readonly #deps: StreamFilesDeps;

  constructor(deps: StreamFilesDeps) {
    this.#deps = deps;
  }

  /** A file of a stream, by the role's rights as they are now. */
  async open(place: Place, { roleArn, streamId }: StreamRecord, file: StreamFileRecord): Promise<OpenFile> {
    const role = await roleOf(this.#deps, place, { roleArn, sourceArn: fileStreamArn(place, streamId) });
    refuseReading(role, file);
    return {
      read: async (from, to) => {
        const pieces: Buffer[] = [];
        for (let at = from; at < to; ) {
          const begin = at - (at % PART);
          const part = await this.#part(role, file, begin);
          const end = Math.min(to, begin + PART);
          pieces.push(part.subarray(at - begin, end - begin));
          at = end;
        }
        return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
      },
    };
  }

  #part(role: AskingRole, file: StreamFileRecord, begin: number): Promise<Buffer> {
    const { bucket, key, version = '', etag, size } = file;
    const { place, roleArn } = role;
    // The roles of an account need not have the same rights at another store.
    const name = JSON.stringify([place.region, roleArn, bucket, key, version, etag, begin]);
    return this.#deps.parts.get(place.accountId, name, async () => {
      const end = Math.min(begin + PART, size);
      using opened = await this.#deps.roleObjects.open(role, file, begin, end);
      const bytes = await allOf(opened);
      if (opened.etag !== etag || bytes.length !== end - begin)
        return reject('ETagMismatch', `The object ${key} has changed since the stream was created or updated`);
      return bytes;
    });
  }
}
