/** A batch in the forms of its readers, each made once. */
import type { EncodedBatch, PublishBatch } from './publish-batch.ts';

/** The messages of one batch as each kind of reader gets them: two versions, two QoS, made when first needed. */
export class EncodingCache {
  #batch: PublishBatch;
  #made: (EncodedBatch | undefined)[] | undefined;

  constructor(batch: PublishBatch) {
    this.#batch = batch;
  }

  /** Encodes another batch from now on. */
  use(batch: PublishBatch): this {
    this.#batch = batch;
    this.#made = undefined;
    return this;
  }

  encode(level: 4 | 5, qos: number): EncodedBatch {
    const batch = this.#batch;
    if (batch.level === level && batch.qos === qos) return batch;
    this.#made ??= [undefined, undefined, undefined, undefined];
    const at = (level === 5 ? 2 : 0) + qos;
    const made = this.#made[at] ?? batch.encode(level, qos);
    this.#made[at] = made;
    return made;
  }
}
