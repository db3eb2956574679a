/** The boards of a tray: from a file with a line of JSON for each, or counted. */
import { readFileSync } from 'node:fs';
import { KitError } from './command.ts';

export interface TrayBoard {
  readonly board: string;
  readonly element: string;
  readonly key?: string;
  readonly thingName?: string;
}

/** Boards of one tray. */
export const MOST_BOARDS = 100_000;
/** Bytes of a tray's file. */
const LARGEST = 64 * 1024 * 1024;

const MEMBERS = ['board', 'element', 'key', 'thingName'];

function boardOf(line: string, place: string): TrayBoard {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new KitError('usage', `${place} is no JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new KitError('usage', `${place} is no object`);
  for (const [name, each] of Object.entries(value)) {
    if (!MEMBERS.includes(name)) throw new KitError('usage', `${place} has a member ${name}; known: ${MEMBERS.join(', ')}`);
    if (typeof each !== 'string' || each === '') throw new KitError('usage', `${place}: ${name} is no text`);
  }
  const { board, element } = value as Partial<TrayBoard>;
  if (board === undefined || element === undefined) throw new KitError('usage', `${place} has no board or no element`);
  return value as TrayBoard;
}

/** Reads a tray's file. Throws KitError `usage`, with the line. */
export function readTray(path: string): TrayBoard[] {
  const text = readFileSync(path, 'utf8');
  if (text.length > LARGEST) throw new KitError('usage', `${path} has over ${LARGEST} bytes`);
  const boards = text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : boardOf(line, `${path}, line ${index + 1},`)));
  const seen = new Set<string>();
  for (const { board } of boards) {
    if (seen.has(board)) throw new KitError('usage', `${path} has the board ${board} twice`);
    seen.add(board);
  }
  if (boards.length > MOST_BOARDS) throw new KitError('usage', `${path} has over ${MOST_BOARDS} boards`);
  return boards;
}

/** So many boards whose elements are named by a pattern with `{n}`, from 1 on. */
export function countedTray(element: string, count: number): TrayBoard[] {
  if (count > 1 && !element.includes('{n}'))
    throw new KitError('usage', '--count needs {n} in --element', { hint: 'such as --element "file:boards/{n}.key"' });
  return Array.from({ length: count }, (_, index) => ({
    board: String(index + 1),
    element: element.replaceAll('{n}', String(index + 1)),
  }));
}
