/** What a rule does for one message: its actions, done or ordered, and the error action when some of them failed. */
import { randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Broker } from '../broker/broker.ts';
import type { Origin } from '../broker/tap.ts';
import { ACTIONS } from './actions/action-types.ts';
import type { ActionError, ActionType, OriginalMessage } from './actions/contract.ts';
import { asRepublish, type CompiledAction, type CompiledRule, isRepublish } from './compiled-rule.ts';
import type { Roles } from './contract.ts';
import { errorDocument, type Failure, Firing } from './firing.ts';
import { Incoming } from './incoming.ts';
import { EVALUATE, type KeptOrder } from './orders.ts';
import { Outbox } from './outbox.ts';
import { republish } from './republish.ts';
import type { Scope, SqlResult } from './sql/contract.ts';
import { type OrderEnd, Work, type WorkOptions } from './work.ts';

/** A rule could not do what it should, for its owner to read. */
export interface RuleFailure {
  readonly place: Place;
  readonly ruleName: string;
  readonly topic: string;
  readonly reason: string;
}

export interface ActingOptions extends Pick<WorkOptions, 'store' | 'clock' | 'log' | 'tools' | 'evaluate'> {
  readonly broker: Broker;
  readonly roles: Roles;
  readonly failed: (failure: RuleFailure) => void;
  /** The rule of this name, as it is now. */
  readonly find: (place: Place, ruleName: string) => CompiledRule | undefined;
}

const NO_ROOM = 'too many messages wait for this action';

export class Acting {
  readonly work: Work;
  readonly #options: ActingOptions;

  constructor(options: ActingOptions) {
    this.#options = options;
    const { store, clock, log, broker, tools, evaluate, find } = options;
    this.work = new Work({
      ...{ store, clock, log, tools, evaluate, journal: broker.journal },
      tells: ({ place, ruleName, index }) => index >= 0 && find(place, ruleName)?.errorAction !== undefined,
      orphans: {
        done: (order) => this.#succeeded(find(order.place, order.ruleName), order),
        gaveUp: (order, error, row) => this.#gaveUpAlone(order, error.message, row),
      },
    });
  }

  /** For one message; `last` as in {@link Outbox}. */
  outbox(place: Place, origin: Origin | undefined, last = false): Outbox {
    const { broker } = this.#options;
    return new Outbox(broker, broker.account(place.accountId, place.region), origin, 1, last);
  }

  /** The parameters of the rule's actions for one message: all of them before the first action begins, since one that can't be had fails the rule. */
  render(rule: CompiledRule, scope: Scope): unknown[] {
    return rule.actions.map(({ parameters }) => parameters.constant ?? parameters.render(scope));
  }

  /** The rule's actions for one message. Says whether an order has to reach the disk. */
  act(
    rule: CompiledRule,
    message: Incoming,
    rendered: readonly unknown[],
    result: SqlResult,
    promised: boolean,
    outbox: Outbox,
  ): boolean {
    rule.counters.passed += 1;
    let firing: Firing | undefined;
    let ordered = false;
    for (const [i, action] of rule.actions.entries()) {
      const parameters = rendered[i];
      if (!isRepublish(action)) {
        firing ??= this.#firing(rule, promised);
        if (this.#order(rule, action, parameters, result, message.keep(), firing, promised)) ordered = true;
        continue;
      }
      const fault = this.#republish(rule, action, parameters, message.topic, result.payload, outbox);
      if (fault === undefined) continue;
      firing ??= this.#firing(rule, promised);
      firing.fail(failureOf(action, parameters, fault));
    }
    firing?.end(message.keep());
    return promised && ordered;
  }

  #firing({ place, record: { ruleName } }: CompiledRule, promised: boolean): Firing {
    return new Firing((firing, message) => this.#toErrorAction(place, ruleName, firing, message, promised));
  }

  #republish(
    rule: CompiledRule,
    action: CompiledAction,
    rendered: unknown,
    topic: string,
    payload: Buffer,
    outbox: Outbox,
  ): string | undefined {
    const parameters = asRepublish(rendered);
    const rights = this.#options.roles.rightsOf(rule.place, parameters.roleArn ?? '');
    const fault = republish(parameters, payload, outbox, rights);
    if (fault === undefined) action.counters.success += 1;
    else {
      if (outbox.loops) rule.counters.loops += 1;
      action.counters.failure += 1;
      this.#tellOf(rule, topic, failureOf(action, rendered, fault));
    }
    return fault;
  }

  /** False when there is no room. */
  #order(
    rule: CompiledRule,
    action: CompiledAction,
    parameters: unknown,
    result: SqlResult,
    message: OriginalMessage,
    firing: Firing,
    promised: boolean,
  ): boolean {
    // What goes on as it came shares its bytes with the message.
    const payload = message.payload.equals(result.payload) ? message.payload : Buffer.from(result.payload);
    const order = orderOf(rule, action, parameters, payload, result.value !== undefined, message);
    firing.begin();
    if (this.work.put(order, promised, new EndInFiring(this, rule, action, firing))) return true;
    rule.counters.throttled += 1;
    this.failedIn(rule, action, firing, message, failureOf(action, parameters, NO_ROOM), 0);
    return false;
  }

  failedIn(
    rule: CompiledRule,
    action: CompiledAction,
    firing: Firing,
    message: OriginalMessage,
    failure: Failure,
    row: number,
  ): void {
    action.counters.failure += 1;
    this.#tellOf(rule, message.topic, failure);
    firing.fail(failure, row);
    firing.end(message);
  }

  #succeeded(rule: CompiledRule | undefined, order: KeptOrder): void {
    const action = actionOf(rule, order);
    if (action !== undefined) action.counters.success += 1;
  }

  /** An order of before the last start, or an error action, has failed. */
  #gaveUpAlone(order: KeptOrder, reason: string, row: number): void {
    const { place, ruleName, index, key, message, parameters } = order;
    const action = actionOf(this.#options.find(place, ruleName), order);
    if (action !== undefined) action.counters.failure += 1;
    this.#options.failed({ place, ruleName, topic: message.topic, reason: `${order.key}: ${reason}` });
    if (index < 0 || key === EVALUATE) {
      this.work.forget(row > 0 ? [row] : []);
      return;
    }
    const firing = new Firing((ended) => this.#toErrorAction(place, ruleName, ended, message, row > 0));
    firing.fail(failureOf({ type: ACTIONS[key] as ActionType<unknown> }, parameters, reason), row);
    firing.end(message);
  }

  /** Tells the rule's error action, if it has one; then what failed need not be kept any more. */
  #toErrorAction(place: Place, ruleName: string, firing: Firing, message: OriginalMessage, promised: boolean): void {
    const { failures, rows } = firing;
    const rule = this.#options.find(place, ruleName);
    const action = rule?.errorAction;
    if (rule !== undefined && action !== undefined) {
      const payload = Buffer.from(JSON.stringify(errorDocument(ruleName, failures, message)));
      void this.#fireErrorAction(rule, action, message, payload, promised).finally(() => this.work.forget(rows));
    } else this.work.forget(rows);
  }

  async #fireErrorAction(
    rule: CompiledRule,
    action: CompiledAction,
    message: OriginalMessage,
    payload: Buffer,
    promised: boolean,
  ): Promise<void> {
    try {
      const again = Incoming.again(message);
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
        gaveUp: (given: KeptOrder, error: Error, row: number): void => this.#gaveUpAlone(given, error.message, row),
      };
      if (this.work.put(order, promised, end)) return;
      rule.counters.throttled += 1;
      this.#gaveUpAlone(order, NO_ROOM, 0);
    } catch (error) {
      this.unevaluated(rule, message.topic, error);
    }
  }

  /** The SQL of a rule could not be evaluated to an end. */
  unevaluated(rule: CompiledRule, topic: string, error: unknown): void {
    if (this.work.closed) return;
    rule.counters.parseError += 1;
    this.tell(rule, topic, error instanceof Error ? error.message : 'its SQL could not be evaluated');
  }

  tell({ place, record }: CompiledRule, topic: string, reason: string): void {
    this.#options.failed({ place, ruleName: record.ruleName, topic, reason });
  }

  #tellOf(rule: CompiledRule, topic: string, { failedAction, failedResource, errorMessage }: Failure): void {
    this.tell(rule, topic, `${failedAction} (${failedResource}): ${errorMessage}`);
  }
}

/** The end of one order among those of its message. Very many wait at a time: so it is small. */
class EndInFiring implements OrderEnd {
  readonly #acting: Acting;
  readonly #rule: CompiledRule;
  readonly #action: CompiledAction;
  readonly #firing: Firing;

  constructor(acting: Acting, rule: CompiledRule, action: CompiledAction, firing: Firing) {
    this.#acting = acting;
    this.#rule = rule;
    this.#action = action;
    this.#firing = firing;
  }

  done({ message }: KeptOrder): void {
    this.#action.counters.success += 1;
    this.#firing.end(message);
  }

  gaveUp({ parameters, message }: KeptOrder, error: ActionError, row: number): void {
    const failure = failureOf(this.#action, parameters, error.message);
    this.#acting.failedIn(this.#rule, this.#action, this.#firing, message, failure, row);
  }

  lost(): void {
    this.#firing.end(undefined);
  }
}

/** The action of an order as the rule has it now; undefined when it has another kind there, or none. */
function actionOf(rule: CompiledRule | undefined, { index, key }: KeptOrder): CompiledAction | undefined {
  const action = index === -1 ? rule?.errorAction : rule?.actions[index];
  return action?.key === key ? action : undefined;
}

const failureOf = ({ type }: Pick<CompiledAction, 'type'>, parameters: unknown, errorMessage: string): Failure => ({
  failedAction: type.name,
  failedResource: type.resource(parameters),
  errorMessage,
});

const orderOf = (
  { place, record }: CompiledRule,
  { key, index }: CompiledAction,
  parameters: unknown,
  payload: Buffer,
  isJson: boolean,
  message: OriginalMessage,
): KeptOrder => ({
  ...{ id: randomUUID(), place, ruleName: record.ruleName, key, index },
  ...{ parameters, payload, isJson, message },
});
