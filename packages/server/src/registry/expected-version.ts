/** The version of a record that the caller of an operation expects (`expectedVersion`). */
import { fail } from '@thingkeep/wire/errors.ts';

/** Fails with VersionConflictException where there is another version than the expected one; `what` names the record. */
export function refuseOtherVersion(what: string, version: number, expected: number | undefined): void {
  if (expected !== undefined && expected !== version)
    fail('VersionConflictException', `The version for ${what} does not match the expected version.`);
}
