/**
 * The journal of a provisioning: a line of JSON for each thing that was done, synced before the next begins. After a cut the
 * same command goes on from it; a last line that was cut off counts as not written.
 */
import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Its name in the folder of a provisioning. */
export const JOURNAL_NAME = 'journal.jsonl';

/** How far a board is. Each phase has what the ones before it have. */
export interface ProvisioningState {
  readonly board: string;
  readonly phase: 'key' | 'certificate' | 'written' | 'done';
  /** Of the element, as it says; empty for kinds that have none. */
  readonly serialNumber: string;
  readonly maker: string;
  readonly model: string;
  readonly thingName: string;
  /** SubjectPublicKeyInfo in Base64. */
  readonly publicKey: string;
  /** From `certificate` on, PEM. */
  readonly certificate?: string;
  /** Certificates above it, PEM, from the next one up. */
  readonly chain?: readonly string[];
  /** Known once AWS IoT has it. */
  readonly certificateId?: string;
  /** ISO 8601. */
  readonly time: string;
}

/** A journal that can't be used: damaged, or in use. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

const PHASES: readonly unknown[] = ['key', 'certificate', 'written', 'done'];
const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value === undefined || isText(value);

function isState(value: unknown): value is ProvisioningState {
  const { board, phase, serialNumber, maker, model, thingName, publicKey, certificate, chain, certificateId, time } = (value ??
    {}) as Record<string, unknown>;
  return (
    PHASES.includes(phase) &&
    [board, serialNumber, maker, model, thingName, publicKey, time].every(isText) &&
    [certificate, certificateId].every(isTextOrAbsent) &&
    (phase === 'key' || isText(certificate)) &&
    (chain === undefined || (Array.isArray(chain) && chain.every(isText)))
  );
}

/** The states of a journal's lines, and the length of those that are whole. */
export function readJournal(path: string): { states: Map<string, ProvisioningState>; length: number } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { states: new Map(), length: 0 };
    throw error;
  }
  const length = bytes.lastIndexOf('\n') + 1;
  const states = new Map<string, ProvisioningState>();
  for (const [index, line] of bytes.subarray(0, length).toString('utf8').split('\n').slice(0, -1).entries()) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    if (!isState(value)) throw new JournalError(`${path}, line ${index + 1}, is damaged`);
    states.set(value.board, value);
  }
  return { states, length };
}

export class Journal implements Disposable {
  readonly #file: number;
  readonly #states: Map<string, ProvisioningState>;
  /** Boards by what can be on one board alone. */
  readonly #owners = new Map<string, string>();

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    const { states, length } = readJournal(path);
    this.#states = states;
    this.#file = openSync(path, 'a', 0o644);
    // What a cut has left of a last line would spoil the next one.
    ftruncateSync(this.#file, length);
    for (const { board, serialNumber, thingName } of states.values()) {
      this.claim(board, 'element', serialNumber);
      this.claim(board, 'thing', thingName);
    }
  }

  /** Notes that a board has this element or thing. Throws JournalError where another board has it. */
  claim(board: string, what: 'element' | 'thing', name: string): void {
    // Kinds without serial numbers have nothing to tell them apart by.
    if (name === '') return;
    const owner = this.#owners.get(`${what} ${name}`) ?? board;
    if (owner !== board) throw new JournalError(`the boards ${owner} and ${board} have the same ${what}, ${name}`);
    this.#owners.set(`${what} ${name}`, board);
  }

  state(board: string): ProvisioningState | undefined {
    return this.#states.get(board);
  }

  all(): ProvisioningState[] {
    return [...this.#states.values()];
  }

  /** On disk when it returns. */
  write(state: ProvisioningState): void {
    const line = Buffer.from(`${JSON.stringify(state)}\n`, 'utf8');
    for (let at = 0; at < line.length; at += writeSync(this.#file, line, at));
    fdatasyncSync(this.#file);
    this.#states.set(state.board, state);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
