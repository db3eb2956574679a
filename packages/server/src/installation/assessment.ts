/** Assesses whether the parts of a data folder belong together, and says what an operator can do where they do not. */
import type { FoundPart, PartName } from './parts.ts';
import type { InstallationRecord } from './store.ts';

/** How the id of a folder is called that has none yet. */
export const UNNAMED = 'unnamed';

export interface Loss {
  readonly part: PartName;
  /** What was found, behind the part's path in a sentence. */
  readonly why: string;
  /** Whether there is something that is taken over when the operator goes on. */
  readonly isThere: boolean;
}

export interface Assessment {
  /** Id of the installation that the folder is of, or `unnamed`. */
  readonly installation: string;
  readonly losses: readonly Loss[];
}

export interface DataFileState {
  readonly record: InstallationRecord | undefined;
  /** Whether it holds nothing at all. */
  readonly isEmpty: boolean;
  /** Whether a server has run on it as far as its authorities. */
  readonly wasServed: boolean;
}

const WHY = {
  missing: 'is missing or empty',
  unnamed: 'has no installation id',
  damaged: 'has a damaged installation.json',
} as const;

const lost = (found: FoundPart): Loss => ({
  part: found.name,
  why: found.is === 'named' ? `is of installation ${found.id}` : WHY[found.is],
  isThere: found.is !== 'missing',
});

const idOf = (found: FoundPart): string | undefined => (found.is === 'named' ? found.id : undefined);

/** The id that at least two parts carry, where no part carries another. */
function commonId(found: readonly FoundPart[]): string | undefined {
  const ids = found.map(idOf).filter((id) => id !== undefined);
  return ids.length > 1 && new Set(ids).size === 1 ? ids[0] : undefined;
}

/** An empty data file: a first start, unless there is something of which it was a part. */
function assessEmpty(found: readonly FoundPart[]): Assessment {
  const there = found.filter(({ is }) => is !== 'missing');
  if (there.length === 0) return { installation: UNNAMED, losses: [] };
  const installation = there.map(idOf).find((id) => id !== undefined) ?? UNNAMED;
  const dataFile: Loss = { part: 'data-file', why: 'is missing or empty', isThere: false };
  const others = installation === UNNAMED ? [] : found.filter((each) => idOf(each) !== installation);
  return { installation, losses: [dataFile, ...others.map(lost)] };
}

/** A data file of a release that gave no ids: its parts have none either. */
function assessUnnamed(found: readonly FoundPart[], { wasServed }: DataFileState): Assessment {
  const losses = found.filter(
    ({ name, is }) => is === 'named' || is === 'damaged' || (name === 'ca' && is === 'missing' && wasServed),
  );
  return { installation: UNNAMED, losses: losses.map(lost) };
}

/** The making of an installation that was stopped goes on. */
function assessMaking(found: readonly FoundPart[], { id, had, replaces, accepted }: InstallationRecord): Assessment {
  const losses = found.filter((each) => {
    if (accepted.includes(each.name)) return false;
    if (each.is === 'missing') return had.includes(each.name);
    if (each.is === 'named') return each.id !== id && !replaces.includes(each.id);
    return each.is === 'damaged';
  });
  return { installation: id, losses: losses.map(lost) };
}

function assessWhole(found: readonly FoundPart[], { id }: InstallationRecord): Assessment {
  const common = commonId(found);
  const installation = common ?? id;
  // Where all others agree, it is the data file that is strange.
  const dataFile: Loss[] = installation === id ? [] : [{ part: 'data-file', why: `is of installation ${id}`, isThere: true }];
  // A missing root key file has an answer of its own: `thingkeep accounts keys ID --new`.
  const others = found.filter((each) => idOf(each) !== installation && !(each.name === 'root-keys' && each.is === 'missing'));
  return { installation, losses: [...dataFile, ...others.map(lost)] };
}

export function assessParts(found: readonly FoundPart[], dataFile: DataFileState): Assessment {
  const { record, isEmpty } = dataFile;
  if (record?.state === 'whole') return assessWhole(found, record);
  if (record !== undefined) return assessMaking(found, record);
  return isEmpty ? assessEmpty(found) : assessUnnamed(found, dataFile);
}
