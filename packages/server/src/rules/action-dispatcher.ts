/** What a rule does for one message: its actions, done or ordered, and the error action when some of them failed. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Messaging, Origin } from '../broker/messaging.ts';
import { ACTIONS } from './actions/action-types.ts';
import type { BatchFailure } from './action-queue.ts';
import { actionOf, ReportToResults, type Failed, actionFailure, orderOf } from './action-orders.ts';
import type { ActionType, OriginalMessage } from './actions/contract.ts';
import { asRepublish, type CompiledAction, type CompiledRule, isRepublish } from './compiled-rule.ts';
import type { RolePermissions, Roles } from './contract.ts';
import { batchErrorDocument, errorDocument, type FailedMessage } from './error-document.ts';
import { type Failure, ActionResults } from './action-results.ts';
import { RuleInput } from './rule-input.ts';
import { ERROR_ACTION, EVALUATE, type KeptOrder, NO_ACTION } from './orders.ts';
import { RepublishBuffer } from './republish-buffer.ts';
import { republish } from './republish.ts';
import type { Scope, SqlResult } from './sql/contract.ts';
import { ActionOutbox, type ActionOutboxOptions } from './action-outbox.ts';

/** A rule could not do what it should, for its owner to read. */
export interface RuleFailure {
  /** A device has made the name up: such failures of an account are reported as those of one rule. */
  readonly isUnknown?: true;
  readonly place: Place;
  readonly ruleName: string;
  readonly topic: string;
  readonly reason: string;
}

export interface ActionDispatcherOptions
  extends Pick<ActionOutboxOptions, 'store' | 'clock' | 'log' | 'tools' | 'actionRoles' | 'evaluate'> {
  readonly messaging: Messaging;
  readonly roles: Roles;
  readonly failed: (failure: RuleFailure) => void;
  /** The rule of this name, as it is now. */
  readonly find: (place: Place, ruleName: string) => CompiledRule | undefined;
}

/** What failed as one batch, or of one message. */
interface Gathered {
  readonly failed: FailedMessage[];
  readonly rows: number[];
  count: number;
  durable: boolean;
}

const NO_ROOM = 'too many messages wait for this action';

const NOTHING: RolePermissions = { may: () => false };

export class ActionDispatcher {
  readonly work: ActionOutbox;
  readonly #options: ActionDispatcherOptions;
  readonly #gathered = new WeakMap<BatchFailure, Gathered>();

  constructor(options: ActionDispatcherOptions) {
    this.#options = options;
    const { store, clock, log, messaging, tools, actionRoles, evaluate, find } = options;
    this.work = new ActionOutbox({
      store,
      clock,
      log,
      tools,
      actionRoles,
      evaluate,
      journal: messaging.journal,
      tells: ({ place, ruleName, index }) =>
        index !== ERROR_ACTION && index !== NO_ACTION && find(place, ruleName)?.errorAction !== undefined,
      recovered: {
        done: (order) => this.#succeeded(find(order.place, order.ruleName), order),
        failed: (order, error, row, batchFailure) => this.#failedAlone(order, error.message, row, batchFailure),
      },
    });
  }

  /** For one message; `last` as in {@link RepublishBuffer}. */
  outbox(place: Place, origin: Origin | undefined, last = false): RepublishBuffer {
    return new RepublishBuffer(this.#options.messaging, place, origin, 1, last);
  }

  /**
   * The parameters of the rule's actions for one message: all of them before the first action begins, since one that can't be
   * had fails the rule.
   */
  render(rule: CompiledRule, scope: Scope): unknown[] {
    return rule.actions.map(({ parameters }) => parameters.constant ?? parameters.render(scope));
  }

  /** The rule's actions for one message. Says whether an order has to reach the disk. */
  act(
    rule: CompiledRule,
    message: RuleInput,
    rendered: readonly unknown[],
    result: SqlResult,
    durable: boolean,
    outbox: RepublishBuffer,
  ): boolean {
    rule.counters.passed += 1;
    let results: ActionResults | undefined;
    let ordered = false;
    for (const [i, action] of rule.actions.entries()) {
      const parameters = rendered[i];
      if (!isRepublish(action)) {
        results ??= this.#results(rule, durable);
        if (this.#order(rule, action, parameters, result, message.keep(), results, durable)) ordered = true;
        continue;
      }
      const fault = this.#republish(rule, action, parameters, message.topic, result.payload, outbox);
      if (fault === undefined) continue;
      results ??= this.#results(rule, durable);
      results.fail(actionFailure(action, parameters, fault));
    }
    results?.end(message.keep());
    return durable && ordered;
  }

  #results({ place, record: { ruleName } }: CompiledRule, durable: boolean): ActionResults {
    return new ActionResults((results, message) => this.#ended(place, ruleName, results, message, durable));
  }

  #republish(
    rule: CompiledRule,
    action: CompiledAction,
    rendered: unknown,
    topic: string,
    payload: Buffer,
    outbox: RepublishBuffer,
  ): string | undefined {
    const parameters = asRepublish(rendered);
    const fault = republish(parameters, payload, outbox, this.#permissionsOf(rule, parameters.roleArn ?? ''));
    if (fault === undefined) action.counters.success += 1;
    else {
      if (outbox.loops) rule.counters.loops += 1;
      action.counters.failure += 1;
      this.#reportOf(rule, topic, actionFailure(action, rendered, fault));
    }
    return fault;
  }

  /** Undefined where IAM has no such role and the account's root has named it: no permission can be checked. */
  #permissionsOf({ place, record }: CompiledRule, roleArn: string): RolePermissions | undefined {
    const permissions = this.#options.roles.permissionsOf(place, roleArn);
    return permissions === undefined && record.foreignRoles?.includes(roleArn) !== true ? NOTHING : permissions;
  }

  /** False when there is no room. */
  #order(
    rule: CompiledRule,
    action: CompiledAction,
    parameters: unknown,
    result: SqlResult,
    message: OriginalMessage,
    results: ActionResults,
    durable: boolean,
  ): boolean {
    // What goes on as it came shares its bytes with the message.
    const payload = message.payload.equals(result.payload) ? message.payload : Buffer.from(result.payload);
    const order = orderOf(rule, action, parameters, payload, result.value !== undefined, message);
    results.begin();
    if (this.work.put(order, durable, new ReportToResults(this.#failedIn, rule, action, results))) return true;
    rule.counters.throttled += 1;
    this.#failedIn(rule, action, results, message, actionFailure(action, parameters, NO_ROOM), 0);
    return false;
  }

  readonly #failedIn: Failed = (rule, action, results, message, failure, row, batchFailure) => {
    action.counters.failure += 1;
    this.#reportOf(rule, message.topic, failure);
    results.fail(failure, row, batchFailure);
    results.end(message);
  };

  #succeeded(rule: CompiledRule | undefined, order: KeptOrder): void {
    const action = actionOf(rule, order);
    if (action !== undefined) action.counters.success += 1;
  }

  /** An order of before the last start, or an error action, has failed. */
  #failedAlone(order: KeptOrder, reason: string, row: number, batchFailure?: BatchFailure): void {
    const { place, ruleName, index, key, message, parameters } = order;
    const action = actionOf(this.#options.find(place, ruleName), order);
    if (action !== undefined) action.counters.failure += 1;
    this.#options.failed({ place, ruleName, topic: message.topic, reason: `${order.key}: ${reason}` });
    if (index === ERROR_ACTION || key === EVALUATE) {
      this.work.forget(row > 0 ? [row] : []);
      return;
    }
    const results = new ActionResults((ended, of) => this.#ended(place, ruleName, ended, of, row > 0));
    results.fail(actionFailure({ type: ACTIONS[key] as ActionType<unknown> }, parameters, reason), row, batchFailure);
    results.end(message);
  }

  /** All actions for a message have ended, and some have failed. Those that failed as a batch are told as one. */
  #ended(place: Place, ruleName: string, results: ActionResults, message: OriginalMessage | undefined, durable: boolean): void {
    const { batchFailure } = results;
    const gathered = this.#gatheredFor(batchFailure);
    gathered.count += 1;
    gathered.rows.push(...results.rows);
    gathered.durable ||= durable;
    if (message !== undefined) gathered.failed.push({ message, failures: results.failures });
    if (gathered.count < (batchFailure?.count ?? 1)) return;
    const [first] = gathered.failed;
    if (first === undefined) this.work.forget(gathered.rows);
    else if (batchFailure === undefined)
      this.#toErrorAction(place, ruleName, first.message, errorDocument(ruleName, first), gathered);
    else {
      const document = batchErrorDocument(ruleName, gathered.failed, batchFailure.byTopic);
      this.#toErrorAction(place, ruleName, first.message, document, gathered);
    }
  }

  #gatheredFor(batchFailure: BatchFailure | undefined): Gathered {
    const known = batchFailure === undefined ? undefined : this.#gathered.get(batchFailure);
    if (known !== undefined) return known;
    const fresh: Gathered = { failed: [], rows: [], count: 0, durable: false };
    if (batchFailure !== undefined) this.#gathered.set(batchFailure, fresh);
    return fresh;
  }

  /** Tells the rule's error action, if it has one; then what failed need not be kept any more. */
  #toErrorAction(place: Place, ruleName: string, message: OriginalMessage, document: object, { rows, durable }: Gathered): void {
    const rule = this.#options.find(place, ruleName);
    const action = rule?.errorAction;
    if (rule !== undefined && action !== undefined) {
      const payload = Buffer.from(JSON.stringify(document));
      void this.#fireErrorAction(rule, action, message, payload, durable).finally(() => this.work.forget(rows));
    } else this.work.forget(rows);
  }

  async #fireErrorAction(
    rule: CompiledRule,
    action: CompiledAction,
    message: OriginalMessage,
    payload: Buffer,
    durable: boolean,
  ): Promise<void> {
    try {
      const again = RuleInput.again(message);
      const scope = rule.query.begin(again, rule.services);
      const parameters = action.parameters.constant ?? (await action.parameters.render(scope));
      if (isRepublish(action)) {
        const outbox = this.outbox(rule.place, again.origin, true);
        this.#republish(rule, action, parameters, message.topic, payload, outbox);
        outbox.send(undefined);
        return;
      }
      const order = orderOf(rule, action, parameters, payload, true, message);
      const end = {
        done: (given: KeptOrder): void => this.#succeeded(rule, given),
        failed: (given: KeptOrder, error: Error, row: number): void => this.#failedAlone(given, error.message, row),
      };
      if (this.work.put(order, durable, end)) return;
      rule.counters.throttled += 1;
      this.#failedAlone(order, NO_ROOM, 0);
    } catch (error) {
      this.unevaluated(rule, message.topic, error);
    }
  }

  /** The SQL of a rule could not be evaluated to an end. */
  unevaluated(rule: CompiledRule, topic: string, error: unknown): void {
    if (this.work.closed) return;
    rule.counters.parseError += 1;
    this.report(rule, topic, error instanceof Error ? error.message : 'its SQL could not be evaluated');
  }

  report({ place, record }: CompiledRule, topic: string, reason: string): void {
    this.#options.failed({ place, ruleName: record.ruleName, topic, reason });
  }

  #reportOf(rule: CompiledRule, topic: string, { failedAction, failedResource, errorMessage }: Failure): void {
    this.report(rule, topic, `${failedAction} (${failedResource}): ${errorMessage}`);
  }
}
