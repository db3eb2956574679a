/** The signer of a request (Signature Version 4), and the contract of what proves a signature. */
import type { Proof } from '../../../broker/contract.ts';
import type { ClientPermissions } from '../../authorization/permissions.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import type { HttpHead } from '../http-head.ts';

/** The access key that has signed, and the service and region that it has signed for. */
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
    /** Permissions of a key that may not do everything; undefined once its identity is gone. */
    readonly permissions?: (use: KeyUse) => Promise<ClientPermissions | undefined>;
    /** `identity`: of IAM; changes of the account's users, roles and policies concern the key. */
    readonly holder?: 'identity' | 'device';
    readonly isGone?: () => boolean;
    /** Certificate that the key was got with: changes of its permissions concern the key. */
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

/** The stored proof of a client that signed: its key, and the headers of its upgrade that policies may ask about. */
export interface SignedProof extends Proof {
  readonly method: 'sigv4';
  readonly accessKeyId: string;
  readonly sessionToken?: string | undefined;
  readonly service: string;
  readonly region: string;
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}
