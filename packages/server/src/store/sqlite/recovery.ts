/**
 * Assesses a write-ahead log before SQLite reads it. SQLite takes all up to the first frame that does not follow, and drops
 * the rest without a word: right where the last transaction was cut off, and a loss of what was acknowledged where a
 * frame in the middle is damaged. Which it is follows from what lies behind (docs/decisions/damaged-log.md).
 */
import { findMends, isTelling, type Mend } from './damaged-byte.ts';
import { isSamePair, type Frame, HEADER_SIZE, headerSum, type Pair, readHeader, WalFile, type WalHeader } from './wal.ts';

/** What is wrong with a log, so that something acknowledged would be lost. */
export interface LogDamage {
  readonly what: string;
  /** Where: a frame, counted from 1, or 0 for the header; and the offset of its first byte. */
  readonly frame: number;
  readonly offset: number;
  /** Whole transactions behind it. */
  readonly behind: number;
}

export interface LogState {
  /** Whether there is a log with anything in it. */
  readonly exists: boolean;
  /** Frames up to the end of the last transaction that SQLite will take, and where they end. */
  readonly frames: number;
  readonly end: number;
  /** Pages of the database after that transaction; undefined where there is none. */
  readonly pages: number | undefined;
  /** Pages that those frames hold, of those beyond the data file's end. */
  readonly added: ReadonlySet<number>;
  readonly damage?: LogDamage;
  /** The last transaction was cut off: the first frame that is not whole. */
  readonly torn?: { readonly frame: number; readonly offset: number; readonly isOneByte: boolean };
  /** The first frame that does not follow has one wrong byte, and this makes it right. */
  readonly mend?: Mend;
  /** The page size that the log's header names, where the header is whole. */
  readonly pageSize?: number;
}

/** The state of a log that is not there, or holds nothing. */
export const NO_LOG: LogState = { exists: false, frames: 0, end: 0, pages: undefined, added: new Set() };

/** What SQLite takes of a log: frames that follow each other, up to the last that ends a transaction. */
class Chain {
  sum: Pair;
  frames = 0;
  end = HEADER_SIZE;
  pages: number | undefined;
  readonly added: Set<number>;
  readonly #filePages: number;
  readonly #frameSize: number;
  #pending: number[] = [];
  /** Pages of the transaction whose end has not come. */
  #begun = new Set<number>();

  constructor(sum: Pair, filePages: number, frameSize: number, added: ReadonlySet<number> = new Set()) {
    this.sum = sum;
    this.#filePages = filePages;
    this.#frameSize = frameSize;
    this.added = new Set(added);
  }

  /** Another that goes on from here. */
  fork(): Chain {
    const fork = new Chain(this.sum, this.#filePages, this.#frameSize, this.added);
    fork.frames = this.frames;
    fork.end = this.end;
    fork.pages = this.pages;
    fork.#pending = [...this.#pending];
    fork.#begun = new Set(this.#begun);
    return fork;
  }

  get begun(): ReadonlySet<number> {
    return this.#begun;
  }

  get state(): Pick<LogState, 'frames' | 'end' | 'pages' | 'added'> {
    const { frames, end, pages, added } = this;
    return { frames, end, pages, added };
  }

  take({ number, offset }: Frame, { page, pages, sum }: { page: number; pages: number; sum: Pair }): void {
    this.sum = sum;
    if (page > this.#filePages) this.#pending.push(page);
    this.#begun.add(page);
    if (pages === 0) return;
    this.#begun = new Set();
    for (const added of this.#pending) this.added.add(added);
    this.#pending = [];
    this.frames = number;
    this.end = offset + this.#frameSize;
    this.pages = pages;
  }
}

/** The frames from the first one that does not follow to the end of the file, and what they prove. */
class BrokenTail {
  readonly #broken: Frame;
  readonly #header: WalHeader;
  /** Goes on from the mended frame. */
  readonly #chain: Chain;
  /** Each way to mend one byte of the broken frame. */
  #mends: readonly Mend[];
  readonly #isOneByte: boolean;
  readonly #isTelling: boolean;
  /** Whether the frame is of an earlier generation and stands behind a whole transaction: the log ends before it. */
  readonly #isStale: boolean;
  /** The sum that the frame before stores: what is whole is seen by it, also where nothing else is known. */
  #stored: Pair;
  #salts: Pair;
  /** Whether a transaction's end was seen at the break or behind it: what is whole after it was acknowledged. */
  #ended: boolean;
  /** Whether the chain, once mended, goes on up to here, within the transaction of the break. */
  #mending = false;
  #mended = false;
  #transactions = 0;
  #foreign = 0;
  /** Pages of the transaction that the break is in, and of the whole frames without a gap up to here. */
  readonly #begun: ReadonlySet<number>;
  readonly #pagesOfRun = new Set<number>();
  #repeats = false;

  constructor(frame: Frame, header: WalHeader, headerBytes: Buffer, chain: Chain) {
    this.#broken = frame;
    this.#header = header;
    this.#chain = chain.fork();
    this.#begun = chain.begun;
    this.#stored = frame.sum;
    this.#salts = frame.salts;
    this.#mends = findMends(frame, chain.sum, header.salts, header.bigEndian);
    this.#isOneByte = this.#mends.length > 0;
    this.#isTelling = isTelling(frame, chain.sum);
    this.#isStale = !this.#isOneByte && chain.frames === frame.number - 1 && isEarlier(frame.salts[0], header);
    const ends = isSamePair(frame.salts, header.salts) && isMark(frame);
    this.#ended = this.#mends.length === 1 ? this.#mends[0]?.pages !== 0 : ends || this.#mends.some(({ pages }) => pages !== 0);
    this.#startMending();
    if (this.#mends.length > 0 || frame.number !== 1 || frame.pages === 0) return;
    if (isOfOtherHeader(frame, headerBytes, header)) this.#foreign += 1;
  }

  inspect(frame: Frame): void {
    const { salts, pages } = frame;
    const isOwn = isSamePair(salts, this.#header.salts);
    if (isOwn && this.#mends.length > 1 && frame.number === this.#broken.number + 1) this.#chooseMend(frame);
    // Stale frames of an earlier generation are many: their sums need not be computed.
    const counts = isOwn || this.#isForeign(frame);
    const whole = counts && (frame.follows(this.#stored) || (this.#mending && frame.follows(this.#chain.sum)));
    this.#lookForRepeat(isOwn && whole ? frame : undefined);
    if (isOwn && whole && pages !== 0 && (this.#ended || this.#repeats)) this.#transactions += 1;
    if (!isOwn && whole && pages !== 0 && isSamePair(salts, this.#salts)) this.#foreign += 1;
    if (isOwn && (isMark(frame) || (whole && pages !== 0))) this.#ended = true;
    if (this.#mending) {
      if (isOwn && frame.follows(this.#chain.sum)) this.#extend(frame, frame);
      else this.#mending = false;
    }
    this.#stored = frame.sum;
    this.#salts = salts;
  }

  /**
   * A transaction holds each page once, but for its last frame, which SQLite never writes over an earlier one. A page that
   * comes again among the frames before the break and those that lead without a gap to a transaction's end is of two, and
   * the damage took the end of the first.
   */
  #lookForRepeat(frame: Frame | undefined): void {
    if (frame === undefined) {
      this.#pagesOfRun.clear();
      this.#repeats = false;
      return;
    }
    if (frame.pages !== 0) return;
    this.#repeats ||= this.#pagesOfRun.has(frame.page) || this.#begun.has(frame.page);
    this.#pagesOfRun.add(frame.page);
  }

  /** What was found. */
  get result(): Partial<LogState> {
    const { number: frame, offset } = this.#broken;
    const mend = this.#mended ? this.#mends[0] : undefined;
    if (this.#transactions > 0) {
      const what = mend === undefined ? 'does not follow the one before' : `has a wrong byte at ${mend.offset}`;
      const damage = { what: `frame ${frame} ${what}`, frame, offset, behind: this.#transactions };
      return mend === undefined ? { damage } : { damage, mend };
    }
    if (mend !== undefined) return { ...this.#chain.state, mend };
    if (this.#foreign > 0) {
      const what = 'its header is of another log than its frames';
      return { damage: { what, frame: 0, offset: 0, behind: this.#foreign } };
    }
    return this.#isStale ? {} : { torn: { frame, offset, isOneByte: this.#isOneByte } };
  }

  /** The next frame tells a wrong sum from a wrong byte of the page. */
  #chooseMend(next: Frame): void {
    this.#mends = this.#mends.filter(({ sum }) => next.follows(sum));
    this.#startMending();
  }

  #startMending(): void {
    const [mend, other] = this.#mends;
    if (mend === undefined || other !== undefined || !this.#isTelling) return;
    this.#mending = true;
    this.#extend(this.#broken, mend);
  }

  #extend(frame: Frame, content: { page: number; pages: number; sum: Pair }): void {
    this.#chain.take(frame, content);
    if (content.pages === 0) return;
    this.#mended = true;
    this.#mending = false;
  }

  /** Whether a frame, of a log whose first frame does not follow, is of a generation that came not before the header's. */
  #isForeign({ salts: [salt] }: Frame): boolean {
    return this.#broken.number === 1 && !isEarlier(salt, this.#header);
  }
}

/** The least that a disk writes as a whole. */
const SECTOR = 512;

/**
 * Whether a frame that may not be whole ends a transaction of the generation that its salts name: not where a sector ends
 * between the two, since one of them may be left of an earlier generation.
 */
const isMark = ({ pages, offset }: Frame): boolean =>
  pages !== 0 && Math.floor((offset + 4) / SECTOR) === Math.floor((offset + 15) / SECTOR);

/** Whether a generation with this first salt came before the header's, in the same file. */
const isEarlier = (salt: number, { salts, generation }: WalHeader): boolean => {
  const before = (salts[0] - salt) >>> 0;
  return before >= 1 && before <= generation;
};

/** Whether a first frame follows the header that would be there if its salts were the frame's. */
function isOfOtherHeader(frame: Frame, headerBytes: Buffer, header: WalHeader): boolean {
  if (isEarlier(frame.salts[0], header) || isSamePair(frame.salts, header.salts)) return false;
  return [0, 1, -1].some((step) => {
    const bytes = Buffer.from(headerBytes);
    bytes.writeUInt32BE((header.generation + step) >>> 0, 12);
    bytes.writeInt32BE(frame.salts[0], 16);
    bytes.writeInt32BE(frame.salts[1], 20);
    return frame.follows(headerSum(bytes, header.bigEndian));
  });
}

/** Whole transactions of a log whose header is not: in whichever byte order there are some. */
function transactionsWithoutHeader(file: WalFile, bytes: Buffer, pageSize: number): number {
  for (const bigEndian of [false, true]) {
    // The header's sum as it is stored, and as it should be: one of them is right unless both parts are damaged.
    let before: readonly Pair[] = [readHeader(bytes).sum, headerSum(bytes, bigEndian)];
    let salts: Pair | undefined;
    let found = 0;
    for (const frame of file.frames(pageSize, bigEndian)) {
      const isSame = salts === undefined || isSamePair(frame.salts, salts);
      if (isSame && frame.pages !== 0 && before.some((sum) => frame.follows(sum))) found += 1;
      before = [frame.sum];
      salts = frame.salts;
    }
    if (found > 0) return found;
  }
  return 0;
}

export interface WriteAheadLog {
  readonly path: string;
  /** Of the data file, in bytes and in whole pages. */
  readonly pageSize: number;
  readonly filePages: number;
}

/** Reads the log and says what SQLite will take of it, and what it should have taken. Changes nothing. */
export function assessLog({ path, pageSize, filePages }: WriteAheadLog): LogState {
  using file = new WalFile(path);
  if (file.size === 0) return NO_LOG;
  const bytes = file.header();
  // The header is on disk before the first frame is written: without it there was none.
  if (bytes === undefined) return { ...NO_LOG, exists: true };
  const header = readHeader(bytes);
  if (!header.whole) {
    const behind = transactionsWithoutHeader(file, bytes, pageSize);
    const state: LogState = { ...NO_LOG, exists: true };
    return behind === 0 ? state : { ...state, damage: { what: 'its header is damaged', frame: 0, offset: 0, behind } };
  }
  if (header.pageSize !== pageSize) return { ...NO_LOG, exists: true, pageSize: header.pageSize };
  const chain = new Chain(header.sum, filePages, pageSize + 24);
  let tail: BrokenTail | undefined;
  for (const frame of file.frames(pageSize, header.bigEndian)) {
    if (tail !== undefined) tail.inspect(frame);
    else if (isSamePair(frame.salts, header.salts) && frame.follows(chain.sum)) chain.take(frame, frame);
    else tail = new BrokenTail(frame, header, bytes, chain);
  }
  return { exists: true, pageSize, ...chain.state, ...tail?.result };
}
