/**
 * Names that devices bring without saying an account, and the one account and region that each leads to. The first to
 * claim a name holds it until it releases it; a name that was released leads nowhere until somebody claims it anew.
 */
import { collection, type ReadTransaction, type WriteTransaction } from './contract.ts';

export type ClaimKind = 'certificate' | 'authorizer';

export interface ClaimRecord {
  readonly kind: ClaimKind;
  /** Id of the certificate, name of the authorizer. */
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export const claims = collection<ClaimRecord>('claims', (c) => [c.kind, c.name], {}, 'server');

export const findClaim = (tx: ReadTransaction, kind: ClaimKind, name: string): Promise<ClaimRecord | undefined> =>
  tx.get(claims, [kind, name]);

/** Takes the name where nobody holds it; says whether the caller holds it now. */
export async function claim(tx: WriteTransaction, wanted: ClaimRecord): Promise<boolean> {
  const held = await findClaim(tx, wanted.kind, wanted.name);
  if (held !== undefined) return held.accountId === wanted.accountId && held.region === wanted.region;
  await tx.put(claims, wanted);
  return true;
}

/** Lets go of the name if this account and region hold it. */
export async function release(
  tx: WriteTransaction,
  { kind, name, accountId, region }: Omit<ClaimRecord, 'since'>,
): Promise<void> {
  const held = await findClaim(tx, kind, name);
  if (held?.accountId === accountId && held.region === region) await tx.delete(claims, [kind, name]);
}
