/** The orders of all rules: a queue for each action, on disk where they are durable, found again at a start. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { MessageJournal } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { ActionQueue, type BatchFailure } from './action-queue.ts';
import type { ActionRoles } from './action-roles.ts';
import { roleOf } from './compiled-rule.ts';
import { ACTIONS } from './actions/action-types.ts';
import type { ActionError } from './actions/action-error.ts';
import type { ActionTools, ActionType, Order } from './actions/contract.ts';
import { decodeOrder, EVALUATE, encodeOrder, type KeptOrder } from './orders.ts';
import type { Entry } from './queue-quota.ts';
import { ORDER_OWNER, orderRows } from './store.ts';

/** How an order ended. */
export interface OrderEnd {
  done(order: KeptOrder): void;
  /** `row` is its row on disk, which the listener takes away with {@link ActionOutbox.forget} when it has told; 0 for none. */
  failed(order: KeptOrder, error: ActionError, row: number, batchFailure?: BatchFailure): void;
  /** It has gone from the disk, and was nowhere else. */
  missing?(): void;
}

export interface ActionOutboxOptions {
  readonly store: Store;
  readonly journal: MessageJournal;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tools of the place that an order is of, without its signals. */
  readonly tools: (place: Place) => Omit<ActionTools, 'closing' | 'signal' | 'role'>;
  readonly actionRoles: ActionRoles;
  /** Whether the failure of such an order would be told to somebody. */
  readonly tells: (order: Pick<KeptOrder, 'place' | 'ruleName' | 'index' | 'key'>) => boolean;
  /**
   * Has rules look at a message that waits for that: orders whose key is `evaluate`. Fails with ActionError at the server's end
   * only.
   */
  readonly evaluate: (order: KeptOrder) => Promise<void>;
  /** For orders that nobody waits for any more: those found on disk. */
  readonly recovered: OrderEnd;
}

/** Rows, and bytes of them, that are read at once at a start. */
const PAGE = { rows: 500, bytes: 4 * 1024 * 1024 };
const TIMEOUT = 10_000;
/** Orders on disk that are left in memory at a start. */
const REMEMBERED = 1000;
/** Messages of one rule that are looked at, which is to wait for functions, at a time. */
const EVALUATIONS = 64;
/** Bytes of memory that an order takes beside its payloads. */
const OVERHEAD = 1024;

/** A rule that is changed may have another kind of action in the same place: that has a queue of its own. */
const queueName = ({ place, ruleName, index, key }: KeptOrder, batching: unknown): string =>
  `${placeKey(place)}/${ruleName}/${index}/${key}/${JSON.stringify(batching ?? '')}`;

const isKnown = ({ key }: KeptOrder): boolean => key === EVALUATE || Object.hasOwn(ACTIONS, key);

/** Undefined for orders that are no action. */
const typeOf = ({ key }: KeptOrder): ActionType<unknown> | undefined =>
  key === EVALUATE ? undefined : (ACTIONS[key] as ActionType<unknown>);

export class ActionOutbox {
  readonly #options: ActionOutboxOptions;
  readonly #queues = new Map<string, ActionQueue>();
  readonly #usage = { orders: 0, memory: 0, disk: 0 };
  readonly #ends = new WeakMap<Entry, OrderEnd>();
  readonly #closing = new AbortController();
  #sequence = 1;

  constructor(options: ActionOutboxOptions) {
    this.#options = options;
  }

  /** Orders that are not done, and their bytes in memory and on disk. */
  get usage(): { readonly orders: number; readonly memory: number; readonly disk: number } {
    return this.#usage;
  }

  /** Orders that are not done, by the kind of their action. */
  get waiting(): ReadonlyMap<string, number> {
    const kinds = new Map<string, number>();
    for (const { kind, size } of this.#queues.values()) kinds.set(kind, (kinds.get(kind) ?? 0) + size);
    return kinds;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Finds orders on disk again; the first tick goes on with them. */
  async load(): Promise<void> {
    const { clock } = this.#options;
    for (let after = 0, count = 0; ; ) {
      const page = await this.#options.store.read((tx) => tx.scanRows(orderRows, ORDER_OWNER, { after, ...PAGE }));
      for (const { at, value } of page) {
        after = at;
        this.#sequence = Math.max(this.#sequence, at + 1);
        const order = decodeOrder(value);
        if (order === undefined || !isKnown(order)) {
          this.#options.log.error({ event: 'rule-order-unreadable', at }, 'an order of a rule can not be read and is left out');
          this.forget([at]);
          continue;
        }
        count += 1;
        // Stored is wall time: what it was received at.
        const age = Math.max(0, clock.now() - order.message.receivedAt);
        const entry = entryOf(order, { at, size: value.length + OVERHEAD, age, remembered: count <= REMEMBERED });
        this.#queueOf(order).putBack(entry);
      }
      if (page.length === 0) return;
    }
  }

  /**
   * Orders an action. `durable`: it survives the process, and is on disk with the journal's next commit. False when there
   * is no room: nothing was ordered.
   */
  put(order: KeptOrder, durable: boolean, end: OrderEnd): boolean {
    const { payload, message } = order;
    const queue = this.#queueOf(order);
    const size = OVERHEAD + payload.length + (payload === message.payload ? 0 : message.payload.length);
    if (this.closed || !queue.hasRoom(size, durable)) return false;
    let at = 0;
    if (durable) {
      at = this.#sequence;
      this.#sequence += 1;
      this.#options.journal.putRow(orderRows, { owner: ORDER_OWNER, at, value: encodeOrder(order) });
    }
    const entry = entryOf(order, { at, size, age: 0, remembered: true });
    this.#ends.set(entry, end);
    queue.put(entry);
    return true;
  }

  /** Takes rows away whose orders have come to their end. What ends after the server's is done again at its next start. */
  forget(rows: Iterable<number>): void {
    if (this.closed) return;
    for (const at of rows) this.#options.journal.deleteRow(orderRows, { owner: ORDER_OWNER, at });
  }

  tick(): void {
    const now = this.#options.clock.monotonic();
    for (const [name, queue] of this.#queues) {
      queue.tick(now);
      if (queue.size === 0) this.#queues.delete(name);
    }
  }

  /** Ends what is under way; what is on disk is done after the next start. */
  close(): void {
    for (const queue of this.#queues.values()) queue.close();
    this.#closing.abort();
  }

  #queueOf(order: KeptOrder): ActionQueue {
    const batching = typeOf(order)?.batching?.(order.parameters);
    const name = queueName(order, batching);
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const { clock, log, tells } = this.#options;
    const type = typeOf(order);
    // The order itself, with its message, is not to be kept for as long as the queue is.
    const { place, ruleName, index, key } = order;
    const queue = new ActionQueue({
      clock,
      batching,
      kind: type?.name ?? 'Evaluation',
      type: type ?? { attempts: 1 },
      usage: this.#usage,
      atOnce: type === undefined ? EVALUATIONS : undefined,
      tells: () => tells({ place, ruleName, index, key }),
      run: (orders) => this.#run(type, orders),
      read: (at) => this.#read(at),
      done: (entry, done) => {
        if (entry.at > 0) this.forget([entry.at]);
        this.#endOf(entry).done(done);
      },
      failed: (entry, given, error, batchFailure) => this.#endOf(entry).failed(given, error, entry.at, batchFailure),
      missing: (entry) => {
        log.error({ event: 'rule-order-lost', at: entry.at }, 'an order of a rule is not on disk any more');
        this.#endOf(entry).missing?.();
      },
    });
    this.#queues.set(name, queue);
    return queue;
  }

  #endOf(entry: Entry): OrderEnd {
    return this.#ends.get(entry) ?? this.#options.recovered;
  }

  async #run(type: ActionType<unknown> | undefined, orders: readonly [KeptOrder, ...KeptOrder[]]): Promise<void> {
    const { tools, evaluate, actionRoles } = this.#options;
    if (type === undefined) {
      await evaluate(orders[0]);
      return;
    }
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(type.timeoutMs ?? TIMEOUT)]);
    const [{ place, ruleName, parameters, foreignRole = false }] = orders;
    const role = actionRoles.of({ place, ruleName, roleArn: roleOf(type, parameters), foreign: foreignRole });
    for (const order of orders) for (const permission of type.permissions(order, place)) await role.must(permission);
    await type.run(orders as readonly [Order<unknown>, ...Order<unknown>[]], {
      ...tools(place),
      role,
      signal,
      closing: this.#closing.signal,
    });
  }

  async #read(at: number): Promise<KeptOrder | undefined> {
    // It may still be on its way there.
    await this.#options.journal.committed();
    const page = await this.#options.store.read((tx) =>
      tx.scanRows(orderRows, ORDER_OWNER, { after: at - 1, rows: 1, bytes: 1 }),
    );
    const [row] = page;
    return row?.at === at ? decodeOrder(row.value) : undefined;
  }
}

interface EntryFacts extends Pick<Entry, 'at' | 'size' | 'age'> {
  readonly remembered: boolean;
}

const entryOf = (order: KeptOrder, { at, size, age, remembered }: EntryFacts): Entry => ({
  at,
  size,
  age,
  group: groupOf(order),
  order: remembered ? order : undefined,
  attempts: 0,
  since: 0,
});

/** What goes to different places never goes together. */
function groupOf(order: KeptOrder): string {
  const type = typeOf(order);
  const batching = type?.batching?.(order.parameters);
  if (type === undefined || batching === undefined) return '';
  return `${type.resource(order.parameters)}\n${roleOf(type, order.parameters) ?? ''}\n${order.hostByRoot ?? false}\n${batching.byTopic ? order.message.topic : ''}`;
}
