/**
 * Objects as a role of the account may use them: those of the embedded store, by the role's permissions, or of the
 * S3-compatible store that the operator has named, with credentials of the operator's or of the role.
 */
import { objectFault, refuseReading, type RoleObjects } from './contract.ts';
import type { EmbeddedObjects } from './embedded-objects.ts';
import { openRemoteObject, type RemoteStore } from './remote-objects.ts';

export interface RoleObjectsOptions {
  readonly objects: EmbeddedObjects;
  /** The store that the operator has named in the place of the embedded one. */
  readonly remote: RemoteStore | undefined;
}

export const roleObjects = ({ objects, remote }: RoleObjectsOptions): RoleObjects => ({
  async open(role, name, from, to) {
    refuseReading(role, name);
    if (remote !== undefined) return openRemoteObject(remote, role, name, from, to);
    // An object of a bucket that keeps no versions is its version "null" (S3 user guide, page versioning-workflows).
    const { version } = name;
    if (version !== undefined && version !== 'null') objectFault('NoSuchVersion', 'The specified version does not exist.');
    const record = await objects.describe(role.place.accountId, name);
    const { size, md5, lastModified, contentType } = record;
    const content = objects.content(record, Math.min(from, size), Math.min(to ?? size, size));
    // Its file is opened by the loop that reads it, which closes it too.
    return { size, etag: `"${md5}"`, lastModified, contentType, content, [Symbol.dispose]: () => undefined };
  },
});
