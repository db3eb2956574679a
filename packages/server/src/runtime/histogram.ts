/**
 * A histogram with fixed buckets: how often a value fell into each, and the sum of all values. To observe a value allocates
 * nothing.
 */
export class Histogram {
  /** Upper bounds of the buckets, rising. A last bucket holds what is above all of them. */
  readonly bounds: readonly number[];
  /** Values by bucket, and their sum behind them. */
  readonly #numbers: Float64Array;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#numbers = new Float64Array(bounds.length + 2);
  }

  observe(value: number): void {
    const { bounds } = this;
    const { length } = bounds;
    let bucket = 0;
    while (bucket < length && value > (bounds[bucket] as number)) bucket += 1;
    (this.#numbers[bucket] as number) += 1;
    (this.#numbers[length + 1] as number) += value;
  }

  /** Values up to each bound, and all of them at last. */
  get cumulative(): number[] {
    let total = 0;
    return Array.from(this.#numbers.subarray(0, -1), (count) => {
      total += count;
      return total;
    });
  }

  get sum(): number {
    return this.#numbers.at(-1) ?? 0;
  }

  /** Adds all that another histogram with the same bounds has observed. */
  add(other: Histogram): void {
    other.#numbers.forEach((value, i) => {
      (this.#numbers[i] as number) += value;
    });
  }
}

/** Bounds in seconds: of answers, of commits to the disk, of functions, and of the event loop. */
export const SECONDS = {
  answer: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  commit: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  function: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  eventLoop: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
} as const;
