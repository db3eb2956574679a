/**
 * Checksums of what is stored: CRC-32 (ISO 3309) over the name of a record, its key and its value, so that one that was
 * damaged, or that lies where another one belongs, is told from a good one. They find faults of disks, not forgeries:
 * a person who may write the file may write checksums too.
 */
import { crc32 } from 'node:zlib';

/** Low 21 bits of the name's checksum stand above the value's 32, so that a sum is a whole number of a double. */
const NAME_RANGE = 2 ** 21;
export const VALUE_RANGE = 2 ** 32;

/** What is true of a stored sum beside the name and the value that were read with it. */
export type Verdict = 'good' | 'value' | 'name';

/** Checksum of a collection's name, from which those of its records go on. */
export const seedOf = (collection: string): number => crc32(`${collection}\0`);

/** Checksums of names, each computed once. */
export class Seeds {
  readonly #known = new Map<string, number>();

  of(name: string): number {
    let seed = this.#known.get(name);
    if (seed === undefined) {
      seed = seedOf(name);
      this.#known.set(name, seed);
    }
    return seed;
  }
}

export const sumOf = (seed: number, key: string | Uint8Array, value: string | Uint8Array): number => {
  const name = crc32(key, seed);
  return (name % NAME_RANGE) * VALUE_RANGE + crc32(value, name);
};

/** Says whether a sum fits; where it does not, whether the name is what is wrong (then the key can't be trusted). */
export function verifySum(seed: number, key: string | Uint8Array, value: unknown, sum: unknown): Verdict {
  const isText = typeof value === 'string' || value instanceof Uint8Array;
  if (isText && sumOf(seed, key, value) === sum) return 'good';
  return nameFits(seed, key, sum) ? 'value' : 'name';
}

/** Whether the name's part of a sum fits. */
export const nameFits = (seed: number, key: string | Uint8Array, sum: unknown): boolean =>
  typeof sum === 'number' && Math.floor(sum / VALUE_RANGE) === crc32(key, seed) % NAME_RANGE;

/** The part of a sum that goes into the digest of a collection. */
export const digestOf = (sum: number): number => sum % VALUE_RANGE;

/** Checksum of an index entry. */
export const entrySum = (seed: number, entry: Uint8Array, key: Uint8Array): number => crc32(key, crc32(entry, seed));
