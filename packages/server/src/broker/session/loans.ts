/**
 * Messages of QoS 1 that a session without a queue on disk has got as a member of shares and has not acknowledged yet. When the
 * session ends, they are the share's again, and another member gets them (MQTT5 4.8.2: "SHOULD").
 */
import { Run } from '../message/run.ts';
import { placeOfLoan, type StoragePlace } from './storage-place.ts';
import { decodeStored, encodeStored } from '../message/stored-message.ts';
import type { TopicEntry } from '../message/topic-entry.ts';

interface Loan {
  readonly filter: string;
  /** The run as it would be stored: it outlives the read buffer. */
  readonly value: Buffer;
  readonly count: number;
  left: number;
  /** By place in the run; made when the first of several is acknowledged. */
  acknowledged: Uint8Array | undefined;
}

/** What goes back to the share of this filter. */
export interface Returned {
  readonly filter: string;
  readonly run: Run;
}

export class Loans {
  readonly #open = new Map<StoragePlace, Loan>();
  #lent = 0;

  /** Messages that were sent to a member of the share of this filter. Gives where they are kept. */
  lend(filter: string, run: Run): StoragePlace {
    this.#lent += 1;
    const place = placeOfLoan(this.#lent);
    const { count } = run;
    this.#open.set(place, { filter, value: encodeStored(run), count, left: count, acknowledged: undefined });
    return place;
  }

  /** A message was acknowledged, or must not be sent. */
  done(row: StoragePlace, index: number): void {
    const loan = this.#open.get(row);
    if (loan === undefined) return;
    loan.left -= 1;
    if (loan.left === 0) {
      this.#open.delete(row);
      return;
    }
    loan.acknowledged ??= new Uint8Array(loan.count);
    loan.acknowledged[index] = 1;
  }

  /** All that was not acknowledged, in the order in which it was lent. */
  takeBack(topicOf: (name: string) => TopicEntry): Returned[] {
    const loans = [...this.#open.values()];
    this.#open.clear();
    return loans.flatMap(({ filter, value, acknowledged }) => {
      const run = decodeStored(value, topicOf);
      if (run === undefined) return [];
      const runs = acknowledged === undefined ? [run] : unacknowledged(run, acknowledged);
      return runs.map((each) => ({ filter, run: each }));
    });
  }
}

/** Messages of a run that lie side by side and are not acknowledged, as runs of their own. */
function unacknowledged(run: Run, acknowledged: Uint8Array): Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  for (let i = 0; i < run.count; i += 1) {
    if (acknowledged[i] === 1) {
      open = undefined;
      continue;
    }
    if (open === undefined) {
      open = new Run(run.count - i, run.topic);
      open.start(run.bytes, run.level, run.topic, run.qos);
      open.expiresAt = run.expiresAt;
      open.waited = true;
      runs.push(open);
    }
    open.add(run.at[i] as number, run.bodyAt[i] as number, run.at[i + 1] as number);
  }
  return runs;
}
