/** Shadows as they are stored. */
import { collection, type WriteTransaction } from '../store/contract.ts';
import { isJsonObject, type LeafTimes, type JsonMembers, readTree, timesOf, writeTree } from './json-tree.ts';
import { SECTIONS, type ShadowState } from './shadow-state.ts';

/** A shadow, or for 48 hours what is known of one that was deleted. */
export interface ShadowRecord {
  readonly accountId: string;
  readonly thingName: string;
  /** '' for the classic shadow. */
  readonly shadowName: string;
  /** That of the last update. */
  readonly version: number;
  /** JSON of each section that is there. */
  readonly desired?: string;
  readonly reported?: string;
  /** When values were set, in the order of the texts: seconds since the epoch, and how many values in a row, in turn. */
  readonly times?: readonly number[];
  /** Milliseconds since the epoch; set for one that was deleted. */
  readonly deletedAt?: number;
}

export const shadows = collection<ShadowRecord>('shadows', (s) => [s.accountId, s.thingName, s.shadowName], {
  byDeletion: (s) => (s.deletedAt === undefined ? [] : [[s.deletedAt]]),
});

/** How many shadows a thing has, or where the thing has no name its account, with those that were deleted lately. */
export interface ShadowCount {
  readonly accountId: string;
  readonly thingName: string;
  readonly count: number;
}

export const shadowCounts = collection<ShadowCount>('shadow-counts', (c) => [c.accountId, c.thingName]);

/** Counts a shadow of a thing that was made (1) or removed (-1). Gives how many the thing and the account have then. */
export async function countShadow(
  tx: WriteTransaction,
  accountId: string,
  thingName: string,
  more: 1 | -1,
): Promise<{ readonly ofThing: number; readonly all: number }> {
  const count = async (of: string): Promise<number> => {
    const next = Math.max(0, ((await tx.get(shadowCounts, [accountId, of]))?.count ?? 0) + more);
    if (next === 0) await tx.delete(shadowCounts, [accountId, of]);
    else await tx.put(shadowCounts, { accountId, thingName: of, count: next });
    return next;
  };
  return { ofThing: await count(thingName), all: await count('') };
}

/** Deeper than any state may nest. */
const BOUNDS = { depth: 64 };

function packTimes(state: ShadowState): number[] {
  const runs: number[] = [];
  for (const section of SECTIONS) {
    const members = state[section];
    if (members === undefined) continue;
    for (const time of timesOf(members)) {
      const last = runs.length - 1;
      if (last > 0 && runs[last - 1] === time) runs[last] = (runs[last] ?? 0) + 1;
      else runs.push(time, 1);
    }
  }
  return runs;
}

/** Gives the packed times one by one. */
function unpackTimes(runs: readonly number[]): LeafTimes {
  let at = 0;
  let left = runs[1] ?? 0;
  return () => {
    while (left === 0 && at + 2 < runs.length) {
      at += 2;
      left = runs[at + 1] ?? 0;
    }
    left -= 1;
    return runs[at] ?? 0;
  };
}

/** Bytes that count for the limit: those of both sections' JSON; metadata does not count (page diagnosing-shadows). */
export const documentBytes = ({ desired = '', reported = '' }: Pick<ShadowRecord, 'desired' | 'reported'>): number =>
  Buffer.byteLength(desired) + Buffer.byteLength(reported);

/** The members of a record that hold its state. */
export const stateMembers = (state: ShadowState): Pick<ShadowRecord, 'desired' | 'reported' | 'times'> => ({
  ...(state.desired === undefined ? {} : { desired: writeTree(state.desired) }),
  ...(state.reported === undefined ? {} : { reported: writeTree(state.reported) }),
  times: packTimes(state),
});

/** How many values a shadow has, one at least. */
export function valuesOf({ times = [] }: ShadowRecord): number {
  let values = 1;
  for (let i = 1; i < times.length; i += 2) values += times[i] ?? 0;
  return values;
}

export function stateOf({ desired, reported, times = [] }: ShadowRecord): ShadowState {
  const next = unpackTimes(times);
  const read = (text: string | undefined): JsonMembers | undefined => {
    const tree = text === undefined ? undefined : readTree(text, BOUNDS, next);
    return isJsonObject(tree) ? tree : undefined;
  };
  return { desired: read(desired), reported: read(reported) };
}
