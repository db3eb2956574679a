/** Reads the document of a job from the object that its source names, with the rights of the caller. */
import type { CallerPermissions } from '@thingkeep/wire/api/authorization.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { placeOf } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { ObjectFault, type RoleObjects } from '../objects/contract.ts';
import { MAX_DOCUMENT } from './documents.ts';
import { locateObject } from './object-locations.ts';

const invalid = (message: string): never => fail('InvalidRequestException', message);

const EVERYTHING: CallerPermissions = { decide: () => ({ effect: 'ALLOWED' }) };
const NOTHING: CallerPermissions = { decide: () => ({ effect: 'IMPLICIT_DENY' }) };

function decodedUrl(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return invalid(`Invalid document source: ${url}`);
  }
}

/** The text of the object; fails with InvalidRequestException where it can't be read. */
export async function readDocumentSource(objects: RoleObjects, caller: Caller, url: string): Promise<string> {
  const location = locateObject(decodedUrl(url)) ?? invalid(`Invalid document source: ${url}`);
  if (location.versionId !== undefined) invalid('Versions of a document source are not implemented by Thingkeep yet.');
  const permissions = caller.permissions === undefined ? EVERYTHING : ((await caller.permissions()) ?? NOTHING);
  try {
    using opened = await objects.open({ place: placeOf(caller), roleArn: caller.arn, permissions }, location, 0);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of opened.content) {
      length += piece.length;
      if (length > MAX_DOCUMENT) return invalid(`Job document can have at most ${MAX_DOCUMENT} bytes`);
      pieces.push(piece);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    if (error instanceof ObjectFault) return invalid(`The document source can not be read: ${error.message}`);
    if (error instanceof TypeError) return invalid('The document source is no UTF-8');
    throw error;
  }
}
