/**
 * Finds the one byte by which a frame of the log differs from what its checksum was made of. The sum is linear: a change
 * of one word changes it by that change times a factor of the word's place, so that the byte follows from the difference.
 */
import { isSamePair, type Frame, FRAME_HEADER_SIZE, type Pair } from './wal.ts';

export interface Mend {
  /** Where in the file the right bytes belong. */
  readonly offset: number;
  readonly bytes: Buffer;
  /** What the frame says once it is mended. */
  readonly pages: number;
  readonly page: number;
  readonly sum: Pair;
}

/** Whether two words differ in one byte alone. */
const oneByteApart = (a: number, b: number): boolean => {
  const apart = (a ^ b) >>> 0;
  return apart !== 0 && [0, 8, 16, 24].some((shift) => (apart & ~(0xff << shift)) === 0);
};

/** The inverse of an odd number among words of 32 bits. */
function inverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 4; i += 1) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}

/** The change of a word that changes the sum by `difference`, where it counts by `factors`; undefined where there is none. */
function changeOf([a, b]: Pair, difference: Pair): number | undefined {
  const change = (a & 1) === 1 ? Math.imul(difference[0], inverse(a)) : Math.imul(difference[1], inverse(b));
  return Math.imul(a, change) === difference[0] && Math.imul(b, change) === difference[1] ? change : undefined;
}

const later = ([a, b]: Pair): Pair => [(a + b) | 0, (a + 2 * b) | 0];

const bytesOf = (bigEndian: boolean, ...words: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) {
    if (bigEndian) bytes.writeInt32BE(word, i * 4);
    else bytes.writeInt32LE(word, i * 4);
  }
  return bytes;
};

/**
 * Bits of a word, counted from its end, of which the place can be told: the factors of two places are alike in their last
 * bits, so that a change of the first bits of a word looks like that of many another.
 */
const TELLING_BITS = 20;

/** Each way to mend one byte of a frame so that it follows `before`; none where more than one byte is wrong. */
export function findMends(frame: Frame, before: Pair, salts: Pair, bigEndian: boolean): Mend[] {
  const { offset, page, pages, sum } = frame;
  const computed = frame.sumAfter(before);
  if (isSamePair(computed, sum)) {
    // The sum is not over the salts: they alone are wrong, and it proves that the frame is of this log.
    return page === 0 ? [] : [{ offset: offset + 8, bytes: bytesOf(true, ...salts), page, pages, sum }];
  }
  if (!isSamePair(frame.salts, salts)) return [];
  const difference: Pair = [(sum[0] - computed[0]) | 0, (sum[1] - computed[1]) | 0];
  const mends = contentMends(frame, difference, bigEndian);
  const isSumAlone = computed.every(
    (word, i) => word === sum[i] || (computed[1 - i] === sum[1 - i] && oneByteApart(word, sum[i] ?? 0)),
  );
  if (isSumAlone) mends.push({ offset: offset + 16, bytes: bytesOf(true, ...computed), page, pages, sum: computed });
  return mends;
}

/** Whether the place of a mend can be told from all others. */
export const isTelling = (frame: Frame, before: Pair): boolean => {
  const [first, second] = frame.sumAfter(before);
  const difference = (first ^ frame.sum[0]) | (second ^ frame.sum[1]);
  return difference === 0 || difference << (32 - TELLING_BITS) !== 0;
};

function contentMends(frame: Frame, difference: Pair, bigEndian: boolean): Mend[] {
  const { offset, page, pages, sum, words } = frame;
  const mends: Mend[] = [];
  let [even, odd]: [Pair, Pair] = [
    [1, 1],
    [0, 1],
  ];
  for (let i = words.length - 2; i >= 0; i -= 2, even = later(even), odd = later(odd)) {
    for (const [at, factors] of [
      [i, even],
      [i + 1, odd],
    ] as const) {
      const change = changeOf(factors, difference);
      const word = words[at] as number;
      if (change === undefined || !oneByteApart(word, (word + change) | 0)) continue;
      const bytes = bytesOf(bigEndian, (word + change) | 0);
      const right = (place: number, now: number): number => (at === place ? bytes.readUInt32BE(0) : now);
      const from = offset + (at < 2 ? at * 4 : FRAME_HEADER_SIZE + (at - 2) * 4);
      mends.push({ offset: from, bytes, page: right(0, page), pages: right(1, pages), sum });
    }
  }
  return mends;
}
