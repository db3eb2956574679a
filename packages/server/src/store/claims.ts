/**
 * Names that devices bring without saying an account, and the one account and region that each leads to. The first to
 * claim a name holds it until it releases it; a name that was released leads nowhere until it is claimed anew.
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
  /** Whether what holds it is ACTIVE. */
  readonly active: boolean;
}

export const claims = collection<ClaimRecord>('claims', (c) => [c.kind, c.name], {}, { scope: 'server', changes: 'claim' });

export const findClaim = (tx: ReadTransaction, kind: ClaimKind, name: string): Promise<ClaimRecord | undefined> =>
  tx.get(claims, [kind, name]);

/**
 * Takes the name where it is free, and, for something ACTIVE, from another region of the same account that has it and does
 * not use it. Says whether the caller holds it now.
 */
export async function claim(tx: WriteTransaction, wanted: ClaimRecord): Promise<boolean> {
  const held = await findClaim(tx, wanted.kind, wanted.name);
  const own = held?.accountId === wanted.accountId;
  const here = own && held.region === wanted.region;
  if (held !== undefined && !here && !(own && wanted.active && !held.active)) return false;
  if (!here || held.active !== wanted.active) await tx.put(claims, here ? { ...held, active: wanted.active } : wanted);
  return true;
}

/** Notes whether what holds the name is ACTIVE; nothing where another one holds it. */
export async function noteStatus(tx: WriteTransaction, wanted: ClaimRecord): Promise<void> {
  const held = await findClaim(tx, wanted.kind, wanted.name);
  if (held?.accountId === wanted.accountId && held.region === wanted.region) await claim(tx, wanted);
}

/** Lets go of the name if this account and region hold it. */
export async function release(
  tx: WriteTransaction,
  { kind, name, accountId, region }: Omit<ClaimRecord, 'since' | 'active'>,
): Promise<void> {
  const held = await findClaim(tx, kind, name);
  if (held?.accountId === accountId && held.region === region) await tx.delete(claims, [kind, name]);
}
