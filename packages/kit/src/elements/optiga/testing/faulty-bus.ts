/** A bus that does wrong at random: what a fuzzed driver works on. */
import { BusError, type I2cBus } from '../../../buses/contract.ts';

/** Pseudo-random numbers below 1 from a seed (mulberry32), so that a run can be had again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const FAULTS = ['flip', 'nack', 'late nack', 'lost', 'twice', 'short', 'busy', 'idle', 'stretch'] as const;
export type Fault = (typeof FAULTS)[number];

/** A bus whose transfers have a fault with this probability; `counts` has how many of each kind there were. */
export function faultyBus(chip: I2cBus, random: () => number, rate: () => number) {
  const counts = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));
  const below = (limit: number): number => Math.floor(random() * limit);
  const fault = (of: readonly Fault[]): Fault | undefined => {
    if (random() >= rate()) return undefined;
    const drawn = of[below(of.length)] ?? 'flip';
    counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    return drawn;
  };
  /** One to three bits turned over. */
  const flipped = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    for (let flips = 1 + below(3); flips > 0; flips -= 1) {
      const at = below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << below(8));
    }
    return copy;
  };
  const nack = (): BusError => new BusError('nack', 'no chip answers');
  let register = 0;
  const bus: I2cBus = {
    ...chip,
    async write(address, bytes) {
      register = bytes[0] ?? 0;
      switch (fault(['flip', 'nack', 'late nack', 'lost', 'twice', 'stretch'])) {
        case 'flip':
          return chip.write(address, flipped(bytes));
        case 'nack':
          throw nack();
        case 'late nack':
          await chip.write(address, bytes);
          throw nack();
        case 'lost':
          return;
        case 'twice':
          await chip.write(address, bytes);
          return chip.write(address, bytes);
        case 'stretch':
          await chip.pause(below(200));
      }
      return chip.write(address, bytes);
    },
    async read(address, length) {
      const drawn = fault([
        'flip',
        'nack',
        'late nack',
        'short',
        'stretch',
        ...(register === 0x82 ? (['busy', 'idle'] as const) : []),
      ]);
      if (drawn === 'nack') throw nack();
      if (drawn === 'stretch') await chip.pause(below(200));
      const bytes = await chip.read(address, length);
      if (drawn === 'late nack') throw nack();
      if (drawn === 'flip') return flipped(bytes);
      if (drawn === 'short') return bytes.subarray(0, below(length));
      if (drawn === 'busy') return Buffer.of(0x88, 0, 0, 0);
      if (drawn === 'idle') return Buffer.of(0x08, 0, 0, 0);
      return bytes;
    },
  };
  return { bus, counts };
}
