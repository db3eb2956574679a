/** Finds changed, removed and reordered lines of the audit log, and a tail that was cut off. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { follows, type ChainLink, readLink } from './chain.ts';
import { type AuditFile, auditFiles, readKey } from './files.ts';
import type { AuditState } from './store.ts';

export interface AuditVerification {
  /** Lines that were read. */
  readonly lines: number;
  /** Number of the first line that is kept, and of the last one. */
  readonly first: number;
  readonly last: number;
  /** The faults, a sentence each; only the first ones where there are many. */
  readonly faults: readonly string[];
}

const MAX_FAULTS = 20;

class Verifier {
  readonly #key: Buffer;
  readonly #head: ChainLink;
  #previous: ChainLink;
  #headSeen: boolean;
  lines = 0;
  first = 0;
  readonly faults: string[] = [];

  constructor(key: Buffer, { head, removed }: AuditState) {
    this.#key = key;
    this.#head = head;
    this.#previous = removed;
    this.#headSeen = head.number <= removed.number;
  }

  get last(): number {
    return this.#previous.number;
  }

  line(text: string, place: string): void {
    this.lines += 1;
    const link = readLink(text);
    if (link === undefined) {
      this.fault(`${place} is not a line of the audit log`);
      return;
    }
    if (this.first === 0) this.first = link.number;
    const expected = this.#previous.number + 1;
    if (link.number > expected) this.fault(`${place} has number ${link.number} in the place of ${expected}: lines were removed`);
    else if (link.number < expected)
      this.fault(`${place} has number ${link.number} in the place of ${expected}: lines were put in or reordered`);
    else if (!follows(this.#key, this.#previous.mac, text)) this.fault(`${place}, number ${link.number}, was changed`);
    if (link.number === this.#head.number) {
      this.#headSeen = true;
      if (link.mac !== this.#head.mac) this.fault(`${place}, number ${link.number}, is not the one that the data file knows`);
    }
    this.#previous = link;
  }

  end(): void {
    if (!this.#headSeen)
      this.fault(`the data file knows line ${this.#head.number}, which is missing: the end of the log was cut off`);
  }

  fault(text: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(text);
  }
}

/** Reads the complete lines of a file; a running server may be writing another. */
function readLines({ path }: AuditFile, verifier: Verifier): void {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a);
  if (end < 0) return;
  const whole = bytes.subarray(0, end);
  if (!isUtf8(whole)) verifier.fault(`${path} holds bytes that are no text`);
  for (const [i, line] of whole.toString().split('\n').entries()) verifier.line(line, `${path}:${i + 1}`);
}

/** Verifies the log of a folder. Returns undefined when there is no key. */
export function verifyAudit(folder: string, state: AuditState): AuditVerification | undefined {
  const key = readKey(folder);
  if (key === undefined) return undefined;
  const verifier = new Verifier(key, state);
  for (const file of auditFiles(folder)) readLines(file, verifier);
  verifier.end();
  const { lines, first, last, faults } = verifier;
  return { lines, first, last, faults };
}
