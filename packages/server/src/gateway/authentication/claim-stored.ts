/**
 * Claims for what a data file holds that was written before there were claims: once, at the first start. The certificate's
 * oldest ACTIVE registration and the name's oldest authorizer hold it.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { authorizers } from '../../authorizers/store.ts';
import { certificates } from '../../registry/store.ts';
import { type ClaimKind, type ClaimRecord, claim } from '../../store/claims.ts';
import { type Collection, collection, type Store } from '../../store/contract.ts';
import { pages } from '../../store/pages.ts';

export interface ClaimStoredOptions {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly home: Pick<Place, 'region'>;
}

export const claimsMade = collection<{ readonly name: string }>('claims-made', (d) => [d.name], {}, { scope: 'server' });
const STORED = 'stored';

interface Owned {
  readonly accountId: string;
  readonly createdAt: number;
  readonly status: string;
}

/** Where records of a kind lie, and which of them have a claim to what name. */
interface Source<T extends Owned> {
  readonly kind: ClaimKind;
  readonly of: Collection<T>;
  /** Index by the name, over all accounts. */
  readonly index: string;
  readonly nameOf: (record: T) => string | undefined;
}

async function claimAll<T extends Owned>(
  { regions, inRegion }: ClaimStoredOptions,
  { kind, of, index, nameOf }: Source<T>,
): Promise<void> {
  const all = await regions();
  /** The oldest of all registrations of the name. */
  const oldest = async (name: string): Promise<ClaimRecord | undefined> => {
    const found: ClaimRecord[] = [];
    for (const region of all)
      for (const record of (await inRegion(region).read((tx) => tx.scan(of, { index, prefix: [name] }))).items)
        if (nameOf(record) === name)
          found.push({
            kind,
            name,
            accountId: record.accountId,
            region,
            since: record.createdAt,
            active: record.status === 'ACTIVE',
          });
    return found.sort((one, other) => one.since - other.since)[0];
  };
  for (const region of all) {
    for await (const { items } of pages(inRegion(region), of, { skipDamaged: true, prefix: [] })) {
      const names = new Set(items.map(nameOf).filter((name) => name !== undefined));
      const wanted: ClaimRecord[] = [];
      for (const name of names) {
        const first = await oldest(name);
        if (first !== undefined) wanted.push(first);
      }
      await inRegion(region).write(async (tx) => {
        for (const each of wanted) await claim(tx, each);
      });
    }
  }
}

export async function claimStored(options: ClaimStoredOptions): Promise<void> {
  const store = options.inRegion(options.home.region);
  if ((await store.read((tx) => tx.get(claimsMade, [STORED]))) !== undefined) return;
  await claimAll(options, {
    kind: 'certificate',
    of: certificates,
    index: 'byId',
    nameOf: ({ certificateId, status }) => (status === 'ACTIVE' ? certificateId : undefined),
  });
  await claimAll(options, {
    kind: 'authorizer',
    of: authorizers,
    index: 'byName',
    nameOf: ({ authorizerName }) => authorizerName,
  });
  await store.write((tx) => tx.put(claimsMade, { name: STORED }));
}
