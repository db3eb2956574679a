/**
 * Changes as data: what a commit has changed, told to listeners that keep something of it. A collection that says so tells each
 * put and delete by itself ({@link Collection.changes}); the changes of a commit are numbered in it, and handed on after
 * it, in order, before its writer is answered. There are two kinds of subscribers:
 *
 * - A listener keeps something in memory: it is void with the process, so a listener has no position.
 * - A durable subscriber must miss nothing: changes of its collections are stored in their commit, and kept until it has
 *   taken them; what a crash has left is handed to it at the next start. It may get one twice, with the same number.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ChangeKind, ExternalKind } from './change-kinds.ts';
import type { Collection, Key } from './contract.ts';

/** One record was put or deleted. */
export interface Change<T extends object> {
  /** Above those of all commits before; there are gaps. */
  readonly number: number;
  readonly kind: ChangeKind;
  /** The region is '' for what has none. */
  readonly place: Place;
  /** The record's key in its region. */
  readonly key: Key;
  /** Absent when the record is new, and when the one that was there is damaged. */
  readonly before?: T | undefined;
  /** The record that was there is damaged: what it said is not known. */
  readonly wasDamaged?: boolean | undefined;
  /** Absent when the record was deleted. */
  readonly after?: T | undefined;
}

/**
 * Hears of a change. Its writer is answered once a promise that it gives has settled, and with the failure of one that
 * fails, though the change is stored: it is not in force. A listener awaits no write.
 */
export type ChangeListener<T extends object> = (change: Change<T>) => void | Promise<void>;

/** Where listeners register. */
export interface Changes {
  /** Calls for each change of the collection until the returned function is called. */
  on<T extends object>(of: Collection<T>, listener: ChangeListener<T>): () => void;
  /** As {@link on}, for what is outside of the store. */
  onExternal(kind: ExternalKind, listener: (place: Place) => void): () => void;
}

/** What a durable subscriber follows: known before the first write, so that what is changed until it begins waits for it. */
export interface DurableSubscription {
  /** The subscriber's position is stored under this name. */
  readonly name: string;
  readonly of: readonly Collection<never>[];
}

/** Gets every change of its subscription, in order, also those of before a crash. */
export interface ChangeSubscriber {
  readonly name: string;
  /**
   * Whether it needs a change, asked at its commit and again before it is handed on: what no subscriber needs is not stored.
   * All when absent.
   */
  wants?(change: Omit<Change<object>, 'number'>): boolean;
  /** Resolves once nothing of the changes is needed any more; they are handed on again when it rejects. */
  take(changes: readonly Change<object>[]): Promise<void>;
}
