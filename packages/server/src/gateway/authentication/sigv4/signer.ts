/** A proven signature (Signature Version 4): whose access key has signed, and the contract of what proves it. */
import type { Proof } from '../../../broker/contract.ts';
import type { ClientPermissions, KeyUse } from '../../authorization/permissions.ts';
import type { HttpHead } from '../http-head.ts';

/** Whose access key has signed, for which service and region. */
export interface Signer {
  readonly service: string;
  readonly region: string;
  readonly key: {
    readonly accessKeyId: string;
    /** Of temporary credentials. */
    readonly sessionToken?: string;
    readonly accountId: string;
    readonly arn: string;
    readonly userId: string;
    /** Rights of a key that has less than all; undefined is answered when it stands for nobody any more. */
    readonly rights?: (use: KeyUse) => Promise<ClientPermissions | undefined>;
    /** `identity`: of IAM; changes of the account's users, roles and policies are the key's too. */
    readonly holder?: 'identity' | 'device';
    readonly isGone?: () => boolean;
    /** Certificate that the key was got with: changes of its rights are the key's too. */
    readonly certificateId?: string;
  };
}

/** Proves signatures; handed in, as the API proves its own requests the same way. Fails with the API's codes. */
export interface SignatureProver {
  /** Checks all that the head alone can tell; `finish` checks the signature over head and body. */
  begin(head: HttpHead): Promise<PendingSignature>;
  /** The upgrade of a WebSocket, signed for the device gateway. The security token may stand outside the signed query. */
  webSocket(head: HttpHead): Promise<Signer>;
}

export interface PendingSignature {
  finish(body: Uint8Array): Signer;
}

/** Proof of a client that signed (SigV4): which key, and what of the upgrade's head policies may ask. */
export interface SignedProof extends Proof {
  readonly method: 'sigv4';
  readonly accessKeyId: string;
  readonly sessionToken?: string | undefined;
  readonly service: string;
  readonly region: string;
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}
