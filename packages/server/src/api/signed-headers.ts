/**
 * Headers that a signature has to cover: a proxy on the way can add or change any other one. What they say decides
 * which operation runs, on what and in whose name (IAM user guide, page reference_sigv-create-signed-request).
 */
import { headerMembers } from '@thingkeep/wire/api/header-members.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { SignedHead } from './signed-request.ts';

const PREFIX = 'x-amz-';
const BOUND = headerMembers();

/** Fails with InvalidSignatureException for a header that says something and is not signed. */
export function checkSignedHeaders({ headers }: SignedHead, signedHeaders: readonly string[]): void {
  for (const name of headers.keys())
    if ((name.startsWith(PREFIX) || BOUND.has(name)) && !signedHeaders.includes(name))
      fail(
        'InvalidSignatureException',
        `A header of the request is not signed: '${name.slice(0, 128)}'. It must be a 'SignedHeader' of the signature.`,
      );
}
