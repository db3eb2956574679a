/**
 * The rules engine: sees the messages of topics that enabled rules cover, evaluates the rules' SQL, does or orders their
 * actions, and tells what failed. Nothing here waits: what goes out to others is ordered, and done beside; so is an
 * evaluation that has to wait, or that would hold the others up.
 */
import { randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import {
  JOURNAL_PENDING,
  type MessageBatch,
  type MessageInterceptor,
  NOTHING_PENDING,
  type Origin,
  type PendingStorage,
  type Publisher,
  type TopicInterceptor,
} from '../broker/messaging.ts';
import { ActionDispatcher, type ActionDispatcherOptions } from './action-dispatcher.ts';
import { ActionError } from './actions/action-error.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { RuleInput } from './rule-input.ts';
import { RuleMetrics } from './metrics.ts';
import { EVALUATE, type KeptOrder, NO_ACTION } from './orders.ts';
import { RepublishBuffer } from './republish-buffer.ts';
import { RuleDirectory, type RuleDirectoryOptions } from './rule-directory.ts';
import { SLICE, Slices } from './slices.ts';
import type { SqlResult } from './sql/contract.ts';
import type { RuleQuery } from './sql/rule-query.ts';
import type { RuleRecord } from './store.ts';

export type RulesOptions = Omit<ActionDispatcherOptions, 'find' | 'evaluate'> & RuleDirectoryOptions;

/** ActionOutbox that one message means to one rule, in visits of receivers: about two microseconds. */
const WEIGHT = 20;
const BASIC_INGEST = '$aws/rules/';

/** What the messages of one batch have in common. */
interface Showing {
  readonly found: readonly CompiledRule[];
  readonly durable: boolean;
  readonly outbox: RepublishBuffer;
  readonly waiter: Publisher | undefined;
}

export class Rules implements MessageInterceptor {
  readonly metrics = new RuleMetrics();
  readonly #options: RulesOptions;
  readonly #directory: RuleDirectory;
  readonly #dispatcher: ActionDispatcher;
  readonly #slices: Slices;
  /** When the messages came that are being looked at, and those that rules have made of them meanwhile (monotonic ms). */
  #began: number | undefined;

  constructor(options: RulesOptions) {
    this.#options = options;
    this.#slices = new Slices(options.clock);
    this.#directory = new RuleDirectory(options, this.metrics);
    this.#dispatcher = new ActionDispatcher({
      ...options,
      find: this.#directory.find.bind(this.#directory),
      evaluate: (order) => this.#evaluate(order),
    });
    this.metrics.usage = () => this.#dispatcher.work.usage;
    this.metrics.waiting = () => this.#dispatcher.work.waiting;
  }

  /** Finds rules and orders again; to be awaited before the first message. */
  async load(): Promise<void> {
    await this.#directory.load();
    this.#options.messaging.addInterceptor(this);
    await this.#dispatcher.work.load();
  }

  /** A rule was made, changed or deleted: what the store has of it is in force when this resolves. */
  async refresh(place: Place, ruleName: string): Promise<void> {
    await this.#directory.refresh(place, ruleName);
    this.#options.messaging.interceptorsChanged(place);
  }

  reserve(place: Place, record: RuleRecord, query: RuleQuery): () => void {
    return this.#directory.reserve(place, record, query);
  }

  on(place: Place, topic: string): TopicInterceptor | undefined {
    if (topic.startsWith(BASIC_INGEST)) return this.#basicIngest(place, topic);
    const found = this.#directory.covering(place, topic);
    return found.length === 0 ? undefined : this.#interceptorOf(topic, found);
  }

  tick(): void {
    this.#dispatcher.work.tick();
  }

  close(): void {
    this.#dispatcher.work.close();
  }

  /** `$aws/rules/{rule}/{topic}` goes to the one rule, whatever its FROM says (developer guide, page iot-basic-ingest). */
  #basicIngest(place: Place, topic: string): TopicInterceptor {
    const [ruleName = '', ...rest] = topic.slice(BASIC_INGEST.length).split('/');
    const rule = this.#directory.find(place, ruleName);
    if (rule !== undefined && !rule.record.ruleDisabled) return this.#interceptorOf(rest.join('/'), [rule]);
    return {
      weight: 1,
      take: ({ count }) => {
        this.metrics.notFound += count;
        if (rule === undefined)
          this.#options.failed({ place, ruleName, topic, reason: 'there is no such rule', isUnknown: true });
        else this.#options.failed({ place, ruleName, topic, reason: 'the rule is disabled' });
        return NOTHING_PENDING;
      },
    };
  }

  #interceptorOf(topic: string, found: readonly CompiledRule[]): TopicInterceptor {
    return {
      weight: WEIGHT * found.length,
      take: (batch, origin, waiter) => this.#take(found, topic, batch, origin, waiter),
    };
  }

  #take(
    found: readonly CompiledRule[],
    topic: string,
    batch: MessageBatch,
    origin: Origin | undefined,
    waiter: Publisher | undefined,
  ): PendingStorage {
    const { messaging, clock } = this.#options;
    const { place } = found[0] as CompiledRule;
    const outbox = new RepublishBuffer(messaging, place, origin, batch.count);
    const now = clock.now();
    const showing = { found, outbox, waiter, durable: batch.qos === 1 || origin?.isWill === true };
    // What rules publish comes here again before this returns: it has no time of its own.
    const outermost = this.#began === undefined;
    this.#began ??= clock.monotonic();
    try {
      let stored = false;
      for (let i = 0; i < batch.count; i += 1) {
        const payload = batch.bytes.subarray(batch.payloadAt(i), batch.at[i + 1] as number);
        if (this.#show(showing, new RuleInput(topic, payload, batch.propertiesOf(i), now, origin))) stored = true;
      }
      const pending = outbox.send(waiter);
      return stored ? pending.and(JOURNAL_PENDING) : pending;
    } finally {
      if (outermost) this.#began = undefined;
    }
  }

  /** Shows a message to the rules, as far as there is time. Says whether something has to reach the disk. */
  #show(showing: Showing, message: RuleInput): boolean {
    const { found, durable, outbox } = showing;
    let stored = false;
    for (const [i, rule] of found.entries()) {
      if (rule.query.waits) {
        if (this.#later([rule], rule.record.ruleName, message, durable, undefined)) stored = true;
        continue;
      }
      if (this.#late()) return this.#postpone(showing, i, message) || stored;
      if (this.#see(rule, message, durable, outbox)) stored = true;
    }
    return stored;
  }

  #late(): boolean {
    const { clock } = this.#options;
    return clock.monotonic() - (this.#began ?? 0) > SLICE;
  }

  /**
   * The time of this turn is over: the rules from the `from`th on see the message in a later one, and its publisher waits for
   * that.
   */
  #postpone({ found, durable, waiter }: Showing, from: number, message: RuleInput): boolean {
    const [first] = found;
    if (from === 0 && first !== undefined && found.length > 1) return this.#later(found, '', message, durable, waiter);
    let stored = false;
    for (const rule of found.slice(from)) if (this.#later([rule], rule.record.ruleName, message, durable, waiter)) stored = true;
    return stored;
  }

  /** Counts an evaluation; false for one too many. */
  #counts(rule: CompiledRule, { topic }: RuleInput): boolean {
    const { clock } = this.#options;
    rule.counters.topicMatch += 1;
    if (this.#directory.mayEvaluate(rule.place, () => clock.monotonic())) return true;
    rule.counters.throttled += 1;
    this.#dispatcher.report(rule, topic, 'the account has more evaluations of rules in a second than it may');
    return false;
  }

  /** Says whether something has to reach the disk. */
  #see(rule: CompiledRule, message: RuleInput, durable: boolean, outbox: RepublishBuffer): boolean {
    if (!this.#counts(rule, message)) return false;
    try {
      const scope = rule.query.begin(message, rule.services);
      const result = rule.query.run(scope) as SqlResult | undefined;
      if (result === undefined) return false;
      return this.#dispatcher.act(rule, message, this.#dispatcher.render(rule, scope), result, durable, outbox);
    } catch (error) {
      this.#dispatcher.unevaluated(rule, message.topic, error);
      return false;
    }
  }

  /**
   * Orders that rules look at the message: the one of this name, or all that cover its topic. Says whether that has to reach
   * the disk.
   */
  #later(
    found: readonly CompiledRule[],
    ruleName: string,
    message: RuleInput,
    durable: boolean,
    waiter: Publisher | undefined,
  ): boolean {
    const { place } = found[0] as CompiledRule;
    const kept = message.keep();
    const order: KeptOrder = {
      id: randomUUID(),
      place,
      ruleName,
      key: EVALUATE,
      index: NO_ACTION,
      parameters: { promised: durable },
      payload: kept.payload,
      isJson: false,
      message: kept,
    };
    const released = (): void => waiter?.resumeReading();
    if (this.#dispatcher.work.put(order, durable, { done: released, failed: released, missing: released })) {
      waiter?.pauseReading();
      return durable;
    }
    for (const rule of found) {
      rule.counters.throttled += 1;
      this.#dispatcher.report(rule, message.topic, 'more messages come than its SQL can be evaluated for');
    }
    return false;
  }

  async #evaluate({ place, ruleName, message, parameters }: KeptOrder): Promise<void> {
    const { promised: durable } = parameters as { readonly promised: boolean };
    const incoming = RuleInput.again(message);
    for (const rule of this.#named(place, ruleName, message.topic))
      if (ruleName === '' && rule.query.waits) this.#later([rule], rule.record.ruleName, incoming, durable, undefined);
      else await this.#seeLater(rule, incoming, durable);
  }

  #named(place: Place, ruleName: string, topic: string): readonly CompiledRule[] {
    if (ruleName === '') return this.#directory.covering(place, topic);
    const rule = this.#directory.find(place, ruleName);
    return rule === undefined || rule.record.ruleDisabled ? [] : [rule];
  }

  async #seeLater(rule: CompiledRule, message: RuleInput, durable: boolean): Promise<void> {
    if (!rule.query.waits) {
      await this.#inSlice((outbox) => this.#see(rule, message, durable, outbox), rule, message);
      return;
    }
    if (!this.#counts(rule, message)) return;
    try {
      const scope = rule.query.begin(message, rule.services);
      const result = await this.#slices.run(() => rule.query.run(scope));
      if (result === undefined) return;
      const rendered = await Promise.all(this.#dispatcher.render(rule, scope));
      await this.#inSlice((outbox) => this.#dispatcher.act(rule, message, rendered, result, durable, outbox), rule, message);
    } catch (error) {
      if (this.#dispatcher.work.closed) throw error;
      this.#dispatcher.unevaluated(rule, message.topic, error);
    }
  }

  #inSlice(work: (outbox: RepublishBuffer) => void, { place }: CompiledRule, { origin }: RuleInput): Promise<void> {
    return this.#slices.run(() => {
      // Functions that the server's end has cut short gave no answer: the message is looked at again at the next start.
      if (this.#dispatcher.work.closed) throw new ActionError('the server ends', true);
      const outbox = this.#dispatcher.outbox(place, origin);
      work(outbox);
      outbox.send(undefined);
    });
  }
}
