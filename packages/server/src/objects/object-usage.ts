/** What accounts have of objects, within their limits: bytes that are stored, and transfers under way. */
import { objectFault } from './contract.ts';

/** Bytes that the record and the file of an object take, beside its own: empty objects fill a disk too. */
const OVERHEAD = 4096;
/** Objects of an account that come and go at a time: each has a file open, for as long as its client likes. */
const MAX_TRANSFERS = 128;

export class ObjectUsage {
  readonly #limitOf: (accountId: string) => number;
  /** Bytes by account. */
  readonly #bytes = new Map<string, number>();
  /** Transfers under way by account. */
  readonly #transfers = new Map<string, number>();

  /** `limitOf`: bytes that an account may have, those for the records of its objects among them. */
  constructor(limitOf: (accountId: string) => number) {
    this.#limitOf = limitOf;
  }

  /** Fails with QuotaExceeded where the account has no room for an object of so many bytes. */
  refuseOver(accountId: string, size: number): void {
    if ((this.#bytes.get(accountId) ?? 0) + size + OVERHEAD > this.#limitOf(accountId))
      objectFault('QuotaExceeded', 'The account has as many bytes of objects as it may have.');
  }

  count(accountId: string, size: number): void {
    this.#bytes.set(accountId, (this.#bytes.get(accountId) ?? 0) + size + OVERHEAD);
  }

  uncount(accountId: string, size: number): void {
    this.#bytes.set(accountId, (this.#bytes.get(accountId) ?? 0) - size - OVERHEAD);
  }

  /** Fails with SlowDown where the account has as many transfers as it may have. */
  refuseTransferOver(accountId: string): void {
    if ((this.#transfers.get(accountId) ?? 0) >= MAX_TRANSFERS) objectFault('SlowDown', 'Please reduce your request rate.');
  }

  /** Counts a transfer until the function that it gives is called. */
  beginTransfer(accountId: string): () => void {
    this.refuseTransferOver(accountId);
    this.#transfers.set(accountId, (this.#transfers.get(accountId) ?? 0) + 1);
    return () => {
      const left = (this.#transfers.get(accountId) ?? 1) - 1;
      if (left === 0) this.#transfers.delete(accountId);
      else this.#transfers.set(accountId, left);
    };
  }
}
