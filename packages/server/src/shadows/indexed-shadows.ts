/** Shadows as the fleet index has them: plain values. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Store } from '../store/contract.ts';
import { type JsonTree, writeMetadata, writeTree } from './json-tree.ts';
import { deltaOf, SECTIONS } from './shadow-state.ts';
import { type ShadowRecord, shadows, stateOf } from './store.ts';

type PlainObject = Readonly<Record<string, unknown>>;

/** A shadow with what differs; sections that it has not are absent. */
export interface PlainShadow {
  readonly desired?: PlainObject | undefined;
  readonly reported?: PlainObject | undefined;
  readonly delta?: PlainObject | undefined;
  readonly metadata: PlainObject;
  readonly version: number;
}

/** The classic shadow, and the named ones that are there. */
export interface PlainShadows {
  readonly classic?: PlainShadow | undefined;
  readonly named: Readonly<Record<string, PlainShadow>>;
}

const plain = (tree: JsonTree | undefined, write = writeTree): PlainObject | undefined =>
  tree === undefined ? undefined : (JSON.parse(write(tree)) as PlainObject);

function plainShadow(record: ShadowRecord): PlainShadow {
  const state = stateOf(record);
  const metadata: Record<string, unknown> = {};
  for (const section of SECTIONS) if (state[section] !== undefined) metadata[section] = plain(state[section], writeMetadata);
  return {
    desired: plain(state.desired),
    reported: plain(state.reported),
    delta: plain(deltaOf(state)),
    metadata,
    version: record.version,
  };
}

/** Reads the classic shadow of a thing and those of these names. */
export async function readPlainShadows(
  store: Store,
  { accountId }: Place,
  thingName: string,
  names: readonly string[],
): Promise<PlainShadows> {
  const found = await store.read((tx) =>
    tx.getMany(
      shadows,
      ['', ...names].map((name) => [accountId, thingName, name]),
    ),
  );
  const [classic, ...named] = found.map((record) =>
    record === undefined || record.deletedAt !== undefined ? undefined : plainShadow(record),
  );
  const entries = named.flatMap((shadow, i) => (shadow === undefined ? [] : [[names[i] ?? '', shadow] as const]));
  return { classic, named: Object.fromEntries(entries) };
}
