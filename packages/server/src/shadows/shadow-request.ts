/** Requests on a shadow as they are sent: read, checked, and rejected in AWS's words (page device-shadow-document). */
import { withoutFinalZeros } from '../payloads/final-zeros.ts';
import { PACKAGE_SHADOW } from '../software-packages/package-reports.ts';
import { isJsonObject, isNull, JsonFault, Leaf, type JsonMembers, readTreeAt, type JsonTree, writeTree } from './json-tree.ts';
import {
  invalidClientToken,
  invalidJson,
  invalidNode,
  invalidVersion,
  missingState,
  notAnObject,
  notUtf8,
  nullInArray,
  tooDeep,
  tooLarge,
} from './rejections.ts';
import { hasNullInArray, nestsDeeper, type SectionPatch, SECTIONS, type StatePatch } from './shadow-state.ts';

/** Levels of objects and arrays in a section, itself included (the text of the rejection; COMPATIBILITY.md). */
export const MAX_LEVELS = 6;
/** Bytes of a document's sections, as JSON without white space (general reference, quotas of shadows). */
export const MAX_DOCUMENT_BYTES = 8 * 1024;
/** Bytes of a client token. */
const MAX_TOKEN_BYTES = 64;
/**
 * What a request may have anywhere, since members that are no part of the state are read too. A document within its limit
 * has half as many values as bytes, and its metadata, where somebody sends that back, as many.
 */
const BOUNDS = { depth: 64, values: 2 * MAX_DOCUMENT_BYTES };

export interface UpdateRequest {
  /** Null where `state` is null. */
  readonly patch: StatePatch | null;
  /** The `state` as it was sent, for the answer. */
  readonly state: JsonTree;
  readonly version: bigint | undefined;
  /** JSON text of the client token. */
  readonly clientToken: string | undefined;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(payload: Uint8Array): string {
  try {
    return UTF8.decode(withoutFinalZeros(payload));
  } catch {
    throw notUtf8();
  }
}

function readMembers(payload: Uint8Array, time: number): JsonMembers {
  try {
    const tree = readTreeAt(textOf(payload), BOUNDS, time);
    if (isJsonObject(tree)) return tree;
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    if (error.reason === 'nested too deep') throw tooDeep(MAX_LEVELS);
    if (error.reason === 'too many values') throw tooLarge();
  }
  throw invalidJson();
}

function clientTokenOf(request: JsonMembers): string | undefined {
  const token = request.get('clientToken');
  if (token === undefined) return undefined;
  if (!(token instanceof Leaf) || !token.text.startsWith('"')) throw invalidClientToken();
  if (Buffer.byteLength(JSON.parse(token.text) as string) > MAX_TOKEN_BYTES) throw invalidClientToken();
  return token.text;
}

function versionOf(request: JsonMembers): bigint | undefined {
  const version = request.get('version');
  if (version === undefined || isNull(version)) return undefined;
  if (!(version instanceof Leaf) || !/^\d{1,19}$/.test(version.text)) throw invalidVersion();
  return BigInt(version.text);
}

function sectionOf(node: 'Desired' | 'Reported', section: JsonTree | undefined): SectionPatch {
  if (section === undefined) return undefined;
  if (isNull(section)) return null;
  if (!isJsonObject(section)) throw notAnObject(node);
  if (nestsDeeper(section, MAX_LEVELS)) throw tooDeep(MAX_LEVELS);
  if (hasNullInArray(section)) throw nullInArray();
  return section;
}

function patchOf(state: JsonTree): StatePatch | null {
  if (isNull(state)) return null;
  if (!isJsonObject(state)) throw notAnObject('State');
  for (const name of state.keys()) if (!(SECTIONS as readonly string[]).includes(name)) throw invalidNode(name);
  return {
    desired: sectionOf('Desired', state.get('desired')),
    reported: sectionOf('Reported', state.get('reported')),
  };
}

/** What a package has in its shadow, and no more (facts 34). */
const PACKAGE_MEMBERS: readonly string[] = ['version', 'attributes'];

function refuseOtherThanPackages({ desired, reported }: StatePatch): void {
  if (desired !== undefined) throw invalidNode('desired');
  for (const [name, item] of reported ?? []) {
    if (isNull(item)) continue;
    if (!isJsonObject(item)) throw invalidNode(name);
    for (const member of item.keys()) if (!PACKAGE_MEMBERS.includes(member)) throw invalidNode(member);
  }
}

/** Reads an update of the shadow of this name; its values are set at `time`, in seconds. */
export function readUpdate(payload: Uint8Array, time: number, shadowName?: string): UpdateRequest {
  const request = readMembers(payload, time);
  const clientToken = clientTokenOf(request);
  const state = request.get('state');
  if (state === undefined) throw missingState();
  const patch = patchOf(state);
  if (shadowName === PACKAGE_SHADOW && patch !== null) refuseOtherThanPackages(patch);
  // What an answer repeats is bounded as the document is.
  if (Buffer.byteLength(writeTree(state)) > MAX_DOCUMENT_BYTES + STATE_WRAPPING) throw tooLarge();
  return { patch, state, version: versionOf(request), clientToken };
}

/** Bytes of `{"desired":,"reported":}`, which do not count. */
const STATE_WRAPPING = 24;

/**
 * The JSON text of the client token of a request that has one: of any request, so that a rejection has it too. Undefined
 * where the payload is no JSON object, or its token is none.
 */
export function clientTokenIn(payload: Uint8Array): string | undefined {
  if (payload.length === 0) return undefined;
  try {
    return clientTokenOf(readMembers(payload, 0));
  } catch {
    return undefined;
  }
}
