/**
 * SQLite's write-ahead log as a file: its header, its frames, and the sum that runs over them
 * (https://www.sqlite.org/fileformat2.html#walformat). It is read in pieces: a log may be larger than the memory.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export const HEADER_SIZE = 32;
export const FRAME_HEADER_SIZE = 24;
/** The last bit says in which byte order the words are summed; what is stored is always big-endian. */
const MAGIC = 0x377f0682;
const FORMAT = 3_007_000;
/** Bytes that are read at once. */
const PIECE = 1024 * 1024;
/** Words of a header that its sum is over. */
const SUMMED_WORDS = 6;

/** Two words of 32 bits, as `| 0` has them. */
export type Pair = readonly [number, number];

export const isSamePair = (a: Pair, b: Pair): boolean => a[0] === b[0] && a[1] === b[1];

const MACHINE_IS_BIG_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 0;

/** Words as they are summed. */
function wordsOf(bytes: Buffer, bigEndian: boolean): Int32Array {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  if (bigEndian !== MACHINE_IS_BIG_ENDIAN) Buffer.from(copy.buffer).swap32();
  return new Int32Array(copy.buffer);
}

/** Goes on with a sum over some words; their number is even. */
function sumOver(words: Int32Array, from: number, to: number, before: Pair): Pair {
  let [first, second] = before;
  for (let i = from; i < to; i += 2) {
    first = (first + (words[i] as number) + second) | 0;
    second = (second + (words[i + 1] as number) + first) | 0;
  }
  return [first, second];
}

const pairAt = (bytes: Buffer, at: number): Pair => [bytes.readInt32BE(at), bytes.readInt32BE(at + 4)];

export interface WalHeader {
  /** Whether its magic number, its form and its sum are right. */
  readonly whole: boolean;
  readonly bigEndian: boolean;
  readonly pageSize: number;
  /** Counts the generations of the log in this file, from 0. */
  readonly generation: number;
  /** Of this generation: all its frames name them. The first goes up by one from generation to generation. */
  readonly salts: Pair;
  /** The sum that the header stores: the frames go on from it. */
  readonly sum: Pair;
}

/** The sum over a header's first 24 bytes. */
export const headerSum = (bytes: Buffer, bigEndian: boolean): Pair =>
  sumOver(wordsOf(bytes.subarray(0, SUMMED_WORDS * 4), bigEndian), 0, SUMMED_WORDS, [0, 0]);

export function readHeader(bytes: Buffer): WalHeader {
  const magic = bytes.readUInt32BE(0);
  const bigEndian = (magic & 1) === 1;
  const sum = pairAt(bytes, 24);
  return {
    whole: (magic & ~1) === MAGIC && bytes.readUInt32BE(4) === FORMAT && isSamePair(sum, headerSum(bytes, bigEndian)),
    bigEndian,
    pageSize: bytes.readUInt32BE(8),
    generation: bytes.readUInt32BE(12),
    salts: pairAt(bytes, 16),
    sum,
  };
}

/** One frame: a page as it was after a change. */
export class Frame {
  /** Counts from 1, as SQLite does. */
  readonly number: number;
  /** Where it begins in the file. */
  readonly offset: number;
  readonly page: number;
  /** Pages of the database, in a frame that ends a transaction; 0 in the others. */
  readonly pages: number;
  readonly salts: Pair;
  /** The sum that it stores. */
  readonly sum: Pair;
  readonly #words: Int32Array;
  readonly #from: number;
  readonly #to: number;

  constructor(bytes: Buffer, words: Int32Array, at: number, size: number, number: number, offset: number) {
    this.number = number;
    this.offset = offset;
    this.page = bytes.readUInt32BE(at);
    this.pages = bytes.readUInt32BE(at + 4);
    this.salts = pairAt(bytes, at + 8);
    this.sum = pairAt(bytes, at + 16);
    this.#words = words;
    this.#from = at / 4;
    this.#to = (at + size) / 4;
  }

  /** The sum over it, gone on from the sum before. */
  sumAfter(before: Pair): Pair {
    const words = this.#words;
    const from = this.#from;
    return sumOver(words, from + FRAME_HEADER_SIZE / 4, this.#to, sumOver(words, from, from + 2, before));
  }

  /** Whether it follows what has this sum, and is whole. */
  follows(before: Pair): boolean {
    return this.page !== 0 && isSamePair(this.sumAfter(before), this.sum);
  }

  /** Its summed words: two of its header, then those of the page. */
  get words(): Int32Array {
    const words = new Int32Array(this.#to - this.#from - 4);
    words.set(this.#words.subarray(this.#from, this.#from + 2));
    words.set(this.#words.subarray(this.#from + FRAME_HEADER_SIZE / 4, this.#to), 2);
    return words;
  }
}

export class WalFile implements Disposable {
  readonly size: number;
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
  }

  /** The header's bytes; undefined where the file is shorter. */
  header(): Buffer | undefined {
    const bytes = Buffer.alloc(HEADER_SIZE);
    return this.#fill(bytes, 0) === HEADER_SIZE ? bytes : undefined;
  }

  /** The whole frames, one after another; each is good until the next is asked for. */
  *frames(pageSize: number, bigEndian: boolean): Generator<Frame> {
    const size = FRAME_HEADER_SIZE + pageSize;
    const piece = Buffer.alloc(size * Math.max(1, Math.floor(PIECE / size)));
    let number = 1;
    for (let offset = HEADER_SIZE; ; ) {
      const got = this.#fill(piece, offset);
      const whole = Math.floor(got / size);
      if (whole === 0) return;
      const words = wordsOf(piece, bigEndian);
      for (let i = 0; i < whole; i += 1, number += 1, offset += size)
        yield new Frame(piece, words, i * size, size, number, offset);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  /** Reads until the bytes are full or the file ends; says how many came. */
  #fill(bytes: Buffer, from: number): number {
    let got = 0;
    while (got < bytes.length) {
      const read = readSync(this.#file, bytes, got, bytes.length - got, from + got);
      if (read === 0) break;
      got += read;
    }
    return got;
  }
}
