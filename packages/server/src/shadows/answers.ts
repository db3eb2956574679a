/**
 * What the service sends: members in the order in which AWS's samples have them, without white space, so that a delta fits
 * the buffer of a small device (page device-shadow-document; times are whole seconds).
 */
import { type JsonMembers, type JsonTree, writeMetadata, writeTree } from './json-tree.ts';
import { deltaOf, SECTIONS, type ShadowState } from './shadow-state.ts';

/** A shadow as it is sent. */
export interface ShadowDocument {
  readonly state: ShadowState;
  readonly version: number;
}

/** The JSON object of these members; those that are undefined are left out. */
function writeObject(members: readonly (readonly [name: string, json: string | undefined])[]): string {
  const texts: string[] = [];
  for (const [name, json] of members) if (json !== undefined) texts.push(`"${name}":${json}`);
  return `{${texts.join(',')}}`;
}

type Write = (tree: JsonTree) => string;

const writeSections = (state: ShadowState, write: Write, delta?: JsonMembers): string =>
  writeObject([
    ...SECTIONS.map((section) => [section, state[section] && write(state[section])] as const),
    ['delta', delta && write(delta)],
  ]);

const ending = (version: number, timestamp: number, clientToken: string | undefined) =>
  [
    ['version', `${version}`],
    ['timestamp', `${timestamp}`],
    ['clientToken', clientToken],
  ] as const;

/** The answer to an update: what was sent, with its metadata. */
export const acceptedUpdate = (sent: JsonTree, version: number, timestamp: number, clientToken: string | undefined): string =>
  writeObject([['state', writeTree(sent)], ['metadata', writeMetadata(sent)], ...ending(version, timestamp, clientToken)]);

export function acceptedGet({ state, version }: ShadowDocument, timestamp: number, clientToken: string | undefined): string {
  const delta = deltaOf(state);
  return writeObject([
    ['state', writeSections(state, writeTree, delta)],
    // Without that of the delta, as answers of AWS have been seen.
    ['metadata', writeSections(state, writeMetadata)],
    ...ending(version, timestamp, clientToken),
  ]);
}

export const acceptedDelete = (version: number, timestamp: number, clientToken: string | undefined): string =>
  writeObject(ending(version, timestamp, clientToken));

export const deltaMessage = (delta: JsonMembers, version: number, timestamp: number, clientToken: string | undefined): string =>
  writeObject([
    ['version', `${version}`],
    ['timestamp', `${timestamp}`],
    ['state', writeTree(delta)],
    ['metadata', writeMetadata(delta)],
    ['clientToken', clientToken],
  ]);

const writeDocument = ({ state, version }: ShadowDocument): string =>
  writeObject([
    ['state', writeSections(state, writeTree)],
    ['metadata', writeSections(state, writeMetadata)],
    ['version', `${version}`],
  ]);

export const documentsMessage = (
  previous: ShadowDocument | undefined,
  current: ShadowDocument,
  timestamp: number,
  clientToken: string | undefined,
): string =>
  writeObject([
    ['previous', previous && writeDocument(previous)],
    ['current', writeDocument(current)],
    ['timestamp', `${timestamp}`],
    ['clientToken', clientToken],
  ]);

export const rejected = (code: number, message: string, timestamp: number, clientToken: string | undefined): string =>
  writeObject([
    ['code', `${code}`],
    ['message', JSON.stringify(message)],
    ['timestamp', `${timestamp}`],
    ['clientToken', clientToken],
  ]);
