/**
 * Messages of QoS 1 that a session without a queue on disk has got as a member of shares and has not acknowledged yet. When the
 * session ends, they are the share's again, and another member gets them (MQTT5 4.8.2: "SHOULD").
 */
import { PublishBatch } from '../message/publish-batch.ts';
import { placeOfAssignment, type StoragePlace } from './storage-place.ts';
import { decodeStored, encodeStored } from '../message/stored-message.ts';
import type { TopicEntry } from '../message/topic-entry.ts';

interface Assignment {
  readonly filter: string;
  /** The batch as it would be stored: it outlives the read buffer. */
  readonly value: Buffer;
  readonly count: number;
  left: number;
  /** By place in the batch; made when the first of several is acknowledged. */
  acknowledged: Uint8Array | undefined;
}

/** What goes back to the share of this filter. */
export interface Reclaimed {
  readonly filter: string;
  readonly batch: PublishBatch;
}

export class SharedInFlight {
  readonly #open = new Map<StoragePlace, Assignment>();
  #last = 0;

  /** Messages that were sent to a member of the share of this filter. Gives where they are kept. */
  assign(filter: string, batch: PublishBatch): StoragePlace {
    this.#last += 1;
    const place = placeOfAssignment(this.#last);
    const { count } = batch;
    this.#open.set(place, { filter, value: encodeStored(batch), count, left: count, acknowledged: undefined });
    return place;
  }

  /** A message was acknowledged, or must not be sent. */
  done(row: StoragePlace, index: number): void {
    const assignment = this.#open.get(row);
    if (assignment === undefined) return;
    assignment.left -= 1;
    if (assignment.left === 0) {
      this.#open.delete(row);
      return;
    }
    assignment.acknowledged ??= new Uint8Array(assignment.count);
    assignment.acknowledged[index] = 1;
  }

  /** All that was not acknowledged, in the order in which it was assigned. */
  reclaim(topicOf: (name: string) => TopicEntry): Reclaimed[] {
    const assignments = [...this.#open.values()];
    this.#open.clear();
    return assignments.flatMap(({ filter, value, acknowledged }) => {
      const batch = decodeStored(value, topicOf);
      if (batch === undefined) return [];
      const batches = acknowledged === undefined ? [batch] : unacknowledged(batch, acknowledged);
      return batches.map((each) => ({ filter, batch: each }));
    });
  }
}

/** Messages of a batch that lie side by side and are not acknowledged, as batches of their own. */
function unacknowledged(batch: PublishBatch, acknowledged: Uint8Array): PublishBatch[] {
  const batches: PublishBatch[] = [];
  let open: PublishBatch | undefined;
  for (let i = 0; i < batch.count; i += 1) {
    if (acknowledged[i] === 1) {
      open = undefined;
      continue;
    }
    if (open === undefined) {
      open = new PublishBatch(batch.count - i, batch.topic);
      open.start(batch.bytes, batch.level, batch.topic, batch.qos);
      open.expiresAt = batch.expiresAt;
      open.waited = true;
      batches.push(open);
    }
    open.add(batch.at[i] as number, batch.bodyAt[i] as number, batch.at[i + 1] as number);
  }
  return batches;
}
