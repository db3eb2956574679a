/**
 * What a request to S3 says about its body (S3 API reference, page sigv4-streaming): its hash, nothing, or chunks that may
 * be signed one by one. The head is proven before the body is read.
 */
import { createHmac } from 'node:crypto';
import { sha256 } from './canonical-request.ts';
import type { Signature } from './signature.ts';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const UNSIGNED_CHUNKS = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const SIGNED_CHUNKS = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const SIGNED_CHUNKS_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';

/** Signatures of chunks, each over the one before. */
export interface ChunkSigner {
  /** The signature of a chunk by the hash of its bytes. */
  chunk(hash: string): string;
  /** That of the trailer, by the hash of its lines. */
  trailer(hash: string): string;
}

export type Payload =
  | { readonly kind: 'hash'; readonly sha256: string }
  | { readonly kind: 'unsigned' }
  /** In the framing `aws-chunked`; without a signer nothing of it is signed. */
  | { readonly kind: 'chunks'; readonly signer?: ChunkSigner };

/** What signatures of chunks are made of. */
interface Signing {
  readonly key: Uint8Array;
  readonly scope: string;
  readonly signature: Signature;
}

function chunkSigner({ key, scope, signature }: Signing): ChunkSigner {
  let previous = signature.signature;
  const sign = (algorithm: string, ...hashes: readonly string[]): string => {
    const text = [algorithm, signature.date, scope, previous, ...hashes].join('\n');
    previous = createHmac('sha256', key).update(text).digest('hex');
    return previous;
  };
  return {
    chunk: (hash) => sign('AWS4-HMAC-SHA256-PAYLOAD', sha256(''), hash),
    trailer: (hash) => sign('AWS4-HMAC-SHA256-TRAILER', hash),
  };
}

/** What the claimed hash of a payload means; undefined where it is none. */
export function payloadOf(claimed: string, signing: Signing): Payload | undefined {
  if (claimed === UNSIGNED_PAYLOAD) return { kind: 'unsigned' };
  if (claimed === UNSIGNED_CHUNKS) return { kind: 'chunks' };
  if (claimed === SIGNED_CHUNKS || claimed === SIGNED_CHUNKS_TRAILER) return { kind: 'chunks', signer: chunkSigner(signing) };
  return /^[0-9a-f]{64}$/.test(claimed) ? { kind: 'hash', sha256: claimed } : undefined;
}
