/** Certificates and CA certificates by their end: lists of those that end soon, and how many there are. */
import { iotArn } from '@thingkeep/wire/arn.ts';
import type { Collection, Scan, Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { caCertificates, certificates } from './store.ts';

export const DAY = 86_400_000;

export type CertificateType = 'device' | 'ca';

type EndingCertificate = {
  readonly accountId: string;
  readonly certificateId: string;
  readonly status: string;
  readonly notAfter: number;
};

const TYPES: readonly CertificateType[] = ['device', 'ca'];

/** Where a walk is: the last certificate that it has given. */
interface Position {
  readonly accountId: string;
  readonly notAfter: number;
  readonly certificateId: string;
}

interface EndingWalk {
  /** Of all accounts when absent. */
  readonly accountId?: string | undefined;
  /** Certificates whose end is behind `now` and not behind `until` (milliseconds since the epoch). */
  readonly now: number;
  readonly until: number;
  readonly after?: Position | undefined;
}

/** The account behind this one that has certificates; the first of all when absent. */
async function nextAccount<T extends EndingCertificate>(
  store: Store,
  of: Collection<T>,
  behind: string | undefined,
): Promise<string | undefined> {
  const scan: Scan = {
    index: 'byEnd',
    prefix: [],
    limit: 20,
    skipDamaged: true,
    ...(behind === undefined ? {} : { beyond: [behind] }),
  };
  return (await store.read((tx) => tx.scan(of, scan))).items[0]?.accountId;
}

async function* ofAccount<T extends EndingCertificate>(
  store: Store,
  of: Collection<T>,
  accountId: string,
  { now, until, after }: EndingWalk,
) {
  const beyond = after?.accountId === accountId ? [after.notAfter, after.certificateId] : [now];
  for await (const { items } of pages(store, of, { index: 'byEnd', prefix: [accountId], beyond, skipDamaged: true }))
    for (const record of items) {
      if (record.notAfter > until) return;
      yield record;
    }
}

/** The certificates of a region that end within a time, by account and end. */
async function* ending<T extends EndingCertificate>(store: Store, of: Collection<T>, walk: EndingWalk): AsyncGenerator<T> {
  if (walk.accountId !== undefined) {
    yield* ofAccount(store, of, walk.accountId, walk);
    return;
  }
  let accountId = walk.after?.accountId ?? (await nextAccount(store, of, undefined));
  while (accountId !== undefined) {
    yield* ofAccount(store, of, accountId, walk);
    accountId = await nextAccount(store, of, accountId);
  }
}

const endingOf = (type: CertificateType, store: Store, walk: EndingWalk): AsyncGenerator<EndingCertificate> =>
  type === 'device' ? ending(store, certificates, walk) : ending(store, caCertificates, walk);

export interface ExpiringCertificate {
  readonly type: CertificateType;
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly accountId: string;
  readonly region: string;
  readonly status: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

export interface ExpiringQuery {
  readonly accountId?: string | undefined;
  readonly withinDays: number;
  readonly limit: number;
  readonly after?: string | undefined;
}

interface ExpiryPlaces {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly clock: { now(): number };
}

/** The token of a page: region, type, account, end and id of its last certificate. */
const TOKEN = /^([a-z0-9-]{1,32})\/(device|ca)\/(\d{12})\/(\d{1,16})\/([0-9a-f]{64})$/;

/** Lists certificates that end soon, by region, type, account and end. Undefined for a token that is none. */
export async function listExpiring(
  { regions, inRegion, clock }: ExpiryPlaces,
  { accountId, withinDays, limit, after }: ExpiringQuery,
): Promise<{ certificates: readonly ExpiringCertificate[]; next?: string } | undefined> {
  const [, fromRegion = '', fromType, ofAccount = '', end = '', certificateId = ''] = TOKEN.exec(after ?? '') ?? [];
  if (after !== undefined && fromType === undefined) return undefined;
  const now = clock.now();
  const found: ExpiringCertificate[] = [];
  for (const region of [...(await regions())].sort())
    for (const type of TYPES) {
      if (region < fromRegion || (region === fromRegion && fromType === 'ca' && type === 'device')) continue;
      const isHere = region === fromRegion && type === fromType;
      const from = isHere ? { accountId: ofAccount, notAfter: Number(end), certificateId } : undefined;
      const walk: EndingWalk = { accountId, now, until: now + withinDays * DAY, after: from };
      for await (const { notAfter, ...each } of endingOf(type, inRegion(region), walk)) {
        const certificateArn = iotArn(
          { accountId: each.accountId, region },
          type === 'ca' ? 'cacert' : 'cert',
          each.certificateId,
        );
        const { status } = each;
        const about = { type, certificateId: each.certificateId, certificateArn, accountId: each.accountId, region, status };
        found.push({ ...about, notAfter: new Date(notAfter).toISOString() });
        const next = `${region}/${type}/${each.accountId}/${notAfter}/${each.certificateId}`;
        if (found.length === limit) return { certificates: found, next };
      }
    }
  return { certificates: found };
}

/** Days by which certificates are counted. */
export const COUNTED_DAYS = [1, 7, 30] as const;

/** Certificates of one type that are counted at most. */
const MAX_COUNTED = 100_000;
/** Milliseconds for which a count holds. */
const COUNT_HOLDS = 600_000;

export type ExpiringCount = { readonly type: CertificateType; readonly days: number; readonly count: number };

/** How many certificates of all accounts end soon, counted again where the last count is ten minutes old. */
export class ExpiringCounts {
  readonly #places: ExpiryPlaces;
  #counted: { readonly at: number; readonly counts: Promise<readonly ExpiringCount[]> } | undefined;

  constructor(places: ExpiryPlaces) {
    this.#places = places;
  }

  read(): Promise<readonly ExpiringCount[]> {
    const now = this.#places.clock.now();
    if (this.#counted === undefined || Math.abs(now - this.#counted.at) >= COUNT_HOLDS) {
      const counts = this.#count(now);
      this.#counted = { at: now, counts };
      counts.catch(() => {
        this.#counted = undefined;
      });
    }
    return this.#counted.counts;
  }

  async #count(now: number): Promise<readonly ExpiringCount[]> {
    const counts: ExpiringCount[] = [];
    for (const type of TYPES) {
      const ends = await this.#ends(type, now);
      for (const days of COUNTED_DAYS)
        counts.push({ type, days, count: ends.filter((notAfter) => notAfter <= now + days * DAY).length });
    }
    return counts;
  }

  async #ends(type: CertificateType, now: number): Promise<number[]> {
    const { regions, inRegion } = this.#places;
    const ends: number[] = [];
    for (const region of await regions())
      for await (const { notAfter } of endingOf(type, inRegion(region), { now, until: now + 30 * DAY })) {
        ends.push(notAfter);
        if (ends.length === MAX_COUNTED) return ends;
      }
    return ends;
  }
}
