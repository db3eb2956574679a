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

/** What each message says beside the state. */
export interface MessageFrame {
  readonly version: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  /** JSON text. */
  readonly clientToken: string | undefined;
  /** False for the shadow of packages, of which no metadata is kept. */
  readonly hasMetadata: boolean;
}

const ending = ({ version, timestamp, clientToken }: MessageFrame) =>
  [
    ['version', `${version}`],
    ['timestamp', `${timestamp}`],
    ['clientToken', clientToken],
  ] as const;

const writeTimes = ({ hasMetadata }: MessageFrame, tree: JsonTree): string => (hasMetadata ? writeMetadata(tree) : '{}');
const writeTimesOf = ({ hasMetadata }: MessageFrame, state: ShadowState): string =>
  hasMetadata ? writeSections(state, writeMetadata) : '{}';

/** The answer to an update: what was sent, with its metadata. */
export const acceptedUpdate = (sent: JsonTree, frame: MessageFrame): string =>
  writeObject([['state', writeTree(sent)], ['metadata', writeTimes(frame, sent)], ...ending(frame)]);

export const acceptedGet = (state: ShadowState, frame: MessageFrame): string =>
  writeObject([
    ['state', writeSections(state, writeTree, deltaOf(state))],
    // Without that of the delta, as answers of AWS have been seen.
    ['metadata', writeTimesOf(frame, state)],
    ...ending(frame),
  ]);

export const acceptedDelete = (frame: MessageFrame): string => writeObject(ending(frame));

export const deltaMessage = (delta: JsonMembers, frame: MessageFrame): string =>
  writeObject([
    ['version', `${frame.version}`],
    ['timestamp', `${frame.timestamp}`],
    ['state', writeTree(delta)],
    ['metadata', writeTimes(frame, delta)],
    ['clientToken', frame.clientToken],
  ]);

export function documentsMessage(previous: ShadowDocument | undefined, state: ShadowState, frame: MessageFrame): string {
  const writeDocument = (document: ShadowDocument): string =>
    writeObject([
      ['state', writeSections(document.state, writeTree)],
      ['metadata', writeTimesOf(frame, document.state)],
      ['version', `${document.version}`],
    ]);
  return writeObject([
    ['previous', previous && writeDocument(previous)],
    ['current', writeDocument({ state, version: frame.version })],
    ['timestamp', `${frame.timestamp}`],
    ['clientToken', frame.clientToken],
  ]);
}

export const rejected = (code: number, message: string, timestamp: number, clientToken: string | undefined): string =>
  writeObject([
    ['code', `${code}`],
    ['message', JSON.stringify(message)],
    ['timestamp', `${timestamp}`],
    ['clientToken', clientToken],
  ]);
