/**
 * The decision. Permissions are policies bound to one connection: variables substituted once, statements sorted by action,
 * so that a decision compares one string with the few patterns of its action. Default deny; a Deny wins.
 * Source: developer guide, page iot-policies; IAM user guide, page reference_policies_evaluation-logic.
 */
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { appliesTo, type CompiledPolicies, type CompiledStatement } from './compile.ts';
import { conditionHolds, dependsOnTime } from './condition.ts';
import { type ContextKeys, type Lookup, lookupIn, type PolicyContext } from './context.ts';
import { explainDenial } from './explanation/explain-denial.ts';
import { type BoundResources, bindResources, headOf } from './resources.ts';

export interface PrincipalPermissions {
  /** No two Permissions of a process share it: what was cached under another number is void. */
  readonly generation: number;
  /** Whether a condition reads the clock: then a decision takes `timeKeys(now)` and must not be kept. */
  readonly timeDependent: boolean;
  /** Names of policies that could not be read; any such policy denies everything. */
  readonly unreadable: readonly string[];
  /** `resource` is a whole ARN, or `*` for actions without one. `conditions` adds keys to those of the connection. */
  decide(action: string, resource: string, conditions?: ContextKeys): Decision;
  /**
   * The same decision for `head + part`, such as `arn:aws:iot:us-east-1:000000000000:` and `topic/a/b`: a connection
   * keeps its head, so that no long string is built and compared for each message. `head` ends with its fifth colon.
   */
  decideUnder(head: string, action: string, part: string): Decision;
}

const IMPLICIT_DENY: Decision = { effect: 'IMPLICIT_DENY' };

let generations = 0;

export const bindPermissions = (compiled: CompiledPolicies, context: PolicyContext): PrincipalPermissions =>
  new BoundPermissions(compiled, context);

/** The only action whose requests have the connect keys. */
const CONNECT = 'iot:connect';
/** Actions are named by code, not by devices; the bound holds if that ever changes. */
const MAX_ACTIONS = 256;

interface BoundStatement {
  readonly source: CompiledStatement;
  readonly resources: BoundResources;
  readonly decision: Decision;
  /** Whether its conditions hold for the connection's own keys. */
  readonly holds: boolean;
}

/** The statements about one action: every Deny before every Allow. */
interface ActionPermissions {
  readonly action: string;
  readonly statements: readonly BoundStatement[];
  /** The ones whose conditions hold. */
  readonly holding: readonly BoundStatement[];
}

function firstMatch(statements: readonly BoundStatement[], head: string, text: string, from: number): Decision {
  for (let index = 0; index < statements.length; index += 1) {
    const statement = statements[index];
    if (statement?.resources.match(head, text, from)) return statement.decision;
  }
  return IMPLICIT_DENY;
}

/** Heads of ARNs, of which a server has few: kept once for all, they are not kept with the ARN that they were cut from. */
const heads = new Map<string, string>();
const MAX_HEADS = 1_024;

function sharedHeadOf(resource: string): string {
  const head = headOf(resource);
  const known = heads.get(head);
  if (known !== undefined) return known;
  if (heads.size >= MAX_HEADS) heads.clear();
  heads.set(head, head);
  return head;
}

class BoundPermissions implements PrincipalPermissions {
  readonly generation = ++generations;
  readonly timeDependent: boolean;
  readonly unreadable: readonly string[];
  readonly #compiled: CompiledPolicies;
  readonly #context: PolicyContext;
  readonly #refusal: Decision | undefined;
  /** Made by the first action beside connecting: many devices never have one. */
  #byAction: Map<string, ActionPermissions> | undefined;
  /** Everything of an ARN before its resource, as the last decision saw it: nearly always that of the one account. */
  #head = '';

  constructor(compiled: CompiledPolicies, context: PolicyContext) {
    this.#compiled = compiled;
    this.unreadable = compiled.unreadable;
    const [lost] = compiled.unreadable;
    this.#refusal = lost === undefined ? undefined : { effect: 'EXPLICIT_DENY', policyName: lost };
    this.timeDependent = compiled.statements.some((statement) => statement.conditions.some(dependsOnTime));
    // Conditions on time are evaluated again and again, so the keys are kept; else each action is bound once.
    this.#context = this.timeDependent ? { keys: context.keys, connectKeys: context.connectKeys } : context;
  }

  decide(action: string, resource: string, conditions?: ContextKeys): Decision {
    const decision = this.#refusal ?? this.#decide(action, resource, conditions);
    if (decision.effect === 'ALLOWED') return decision;
    const explain = (): string => {
      const lookup = this.#lookup(action.toLowerCase(), conditions);
      return explainDenial(this.#compiled, { action, resource, lookup }, decision);
    };
    return { ...decision, explain };
  }

  #decide(action: string, resource: string, conditions: ContextKeys | undefined): Decision {
    const permissions = this.#byAction?.get(action) ?? this.#bind(action);
    if (this.#head === '' || !resource.startsWith(this.#head)) this.#head = sharedHeadOf(resource);
    const head = this.#head;
    if (conditions !== undefined) return this.#decideWith(permissions, head, resource, conditions);
    return firstMatch(permissions.holding, head, resource, head.length);
  }

  #lookup(action: string, conditions?: ContextKeys): Lookup {
    return lookupIn(conditions, action === CONNECT ? this.#context.connectKeys : undefined, this.#context.keys);
  }

  decideUnder(head: string, action: string, part: string): Decision {
    if (this.#refusal !== undefined) return this.#refusal;
    return firstMatch((this.#byAction?.get(action) ?? this.#bind(action)).holding, head, part, 0);
  }

  #decideWith(permissions: ActionPermissions, head: string, resource: string, conditions: ContextKeys): Decision {
    const lookup = this.#lookup(permissions.action, conditions);
    for (const { source, resources, decision } of permissions.statements) {
      if (!resources.match(head, resource, head.length)) continue;
      if (source.conditions.every((condition) => conditionHolds(condition, lookup, source.deny))) return decision;
    }
    return IMPLICIT_DENY;
  }

  #bind(name: string): ActionPermissions {
    const action = name.toLowerCase();
    const lookup = this.#lookup(action);
    const statements = this.#compiled.statements
      .filter((statement) => appliesTo(statement, action))
      .map((source): BoundStatement => {
        const { policyName, label, deny } = source;
        return {
          source,
          resources: bindResources(source, lookup),
          decision: { effect: deny ? 'EXPLICIT_DENY' : 'ALLOWED', policyName, statement: label },
          holds: source.conditions.every((condition) => conditionHolds(condition, lookup, deny)),
        };
      })
      .sort((left, right) => Number(right.source.deny) - Number(left.source.deny));
    const permissions = { action, statements, holding: statements.filter((statement) => statement.holds) };
    // Asked once, at the connection's begin.
    if (action === CONNECT) return permissions;
    this.#byAction ??= new Map();
    if (this.#byAction.size < MAX_ACTIONS) this.#byAction.set(name, permissions);
    return permissions;
  }
}
