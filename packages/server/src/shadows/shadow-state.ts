/**
 * The state of a shadow: what an update makes of it, and what differs between its two sections (developer guide, pages
 * device-shadow-document and device-shadow-data-flow; what they leave open is as moto's tests saw it at AWS).
 */
import { isJsonObject, isNull, Leaf, type JsonMembers, sameTree, type JsonTree } from './json-tree.ts';

export const SECTIONS = ['desired', 'reported'] as const;
export type Section = (typeof SECTIONS)[number];

/** A section without members is absent. */
export interface ShadowState {
  readonly desired?: JsonMembers | undefined;
  readonly reported?: JsonMembers | undefined;
}

/** What an update says of a section: members to merge, null to remove it, undefined to leave it as it is. */
export type SectionPatch = JsonMembers | null | undefined;
export type StatePatch = { readonly [S in Section]?: SectionPatch };

/**
 * What is left of a value that is new: without nulls, and without objects that had nothing but nulls. An object that was
 * sent empty stays.
 */
function withoutNulls(value: JsonTree): JsonTree | undefined {
  if (isNull(value)) return undefined;
  if (!isJsonObject(value)) return value;
  const kept = new Map<string, JsonTree>();
  for (const [name, each] of value) {
    const left = withoutNulls(each);
    if (left !== undefined) kept.set(name, left);
  }
  return kept.size === 0 && value.size > 0 ? undefined : kept;
}

/** Merges member by member: null removes one, objects are merged, all else is replaced, arrays as a whole. */
function mergeMembers(current: JsonMembers, patch: JsonMembers): JsonMembers {
  const merged = new Map(current);
  for (const [name, value] of patch) {
    const old = merged.get(name);
    if (isNull(value)) merged.delete(name);
    else if (isJsonObject(old) && isJsonObject(value)) merged.set(name, mergeMembers(old, value));
    else {
      const fresh = withoutNulls(value);
      // An object of nulls alone removes what is not there.
      if (fresh !== undefined) merged.set(name, fresh);
    }
  }
  return merged;
}

function mergeSection(current: JsonMembers | undefined, patch: SectionPatch): JsonMembers | undefined {
  if (patch === undefined) return current;
  if (patch === null) return undefined;
  const merged = mergeMembers(current ?? new Map(), patch);
  return merged.size === 0 ? undefined : merged;
}

/** The state after an update; null for an update whose `state` is null, which empties it. */
export function updatedState(current: ShadowState, patch: StatePatch | null): ShadowState {
  if (patch === null) return {};
  return { desired: mergeSection(current.desired, patch.desired), reported: mergeSection(current.reported, patch.reported) };
}

function differing(desired: JsonMembers, reported: JsonMembers): JsonMembers {
  const delta = new Map<string, JsonTree>();
  for (const [name, wanted] of desired) {
    const have = reported.get(name);
    if (have === undefined) delta.set(name, wanted);
    else if (isJsonObject(wanted) && isJsonObject(have)) {
      const below = differing(wanted, have);
      if (below.size > 0) delta.set(name, below);
    } else if (!sameTree(wanted, have)) delta.set(name, wanted);
  }
  return delta;
}

const NOTHING: JsonMembers = new Map();

/** The members of `desired` that `reported` lacks or has otherwise, with the times of `desired`; undefined where there are none. */
export function deltaOf({ desired, reported }: ShadowState): JsonMembers | undefined {
  if (desired === undefined) return undefined;
  const delta = differing(desired, reported ?? NOTHING);
  return delta.size === 0 ? undefined : delta;
}

/**
 * Whether objects and arrays nest deeper than `most`, the section itself being the first. One that is empty does not count
 * (the shadow manager of Greengrass, which mirrors the service).
 */
export function nestsDeeper(tree: JsonTree, most: number): boolean {
  if (tree instanceof Leaf) return false;
  for (const child of tree.values()) if (most === 0 || nestsDeeper(child, most - 1)) return true;
  return false;
}

/** Whether an array anywhere in it holds a null, which AWS refuses (page device-shadow-document). */
export function hasNullInArray(tree: JsonTree): boolean {
  if (tree instanceof Leaf) return false;
  const isArray = !isJsonObject(tree);
  for (const child of tree.values()) if ((isArray && isNull(child)) || hasNullInArray(child)) return true;
  return false;
}
