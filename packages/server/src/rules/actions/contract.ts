/**
 * What an action of a rule is: a file beside this one for each, and one row in action-types.ts. The engine renders its
 * parameters when a message comes, keeps the order until it is done, tries again what may come right, and tells what failed.
 */
import type { Action } from '@aws-sdk/client-iot';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { FunctionInvoker } from '../../functions/contract.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Egress } from '../../outgoing/egress.ts';
import type { AwsClients } from './aws-clients.ts';
import type { Destinations } from './destinations.ts';
import type { ActionRole, RolePermission } from './role.ts';

/** The members of `Action`, of which a rule's action has exactly one; the service model's table does not know `influxDB` yet. */
export type ActionKey = Exclude<keyof Action, '$unknown' | 'influxDB'>;
export type ParametersOf<K extends ActionKey> = NonNullable<Action[K]>;

/** The message that made a rule act. Its bytes are its own. */
export interface OriginalMessage {
  /** Without Basic Ingest's prefix. */
  readonly topic: string;
  readonly payload: Buffer;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly traceId: string;
  readonly clientId?: string;
  readonly principal?: string;
  readonly sourceIp?: string;
  /** Of MQTT 5, as they came, with their length. */
  readonly properties?: Buffer;
  /** Set when a rule sent it: how many rules are behind it, and how many messages they may still make of the first one. */
  readonly chain?: { readonly depth: number; readonly budget: { left: number } };
}

/** One thing to do: an action of a rule for one message. */
export interface Order<P> {
  /** Names the order for ever: the same when it is tried again, so that a receiver can tell. UUID. */
  readonly id: string;
  readonly ruleName: string;
  /** The action's parameters; templates are rendered. */
  readonly parameters: P;
  /** What the rule's SQL made of the message: JSON text, or raw bytes. */
  readonly payload: Buffer;
  /** Whether `payload` is JSON; raw bytes come from payloads that are not. */
  readonly isJson: boolean;
  readonly message: OriginalMessage;
  /** Whether the account's root wrote the host that the action sends to: the rule is its own, and no template stands there. */
  readonly hostByRoot?: boolean;
  /** Whether the account's root has named the role, though IAM keeps none of its ARN. */
  readonly foreignRole?: boolean;
}

/** What actions work with. */
export interface ActionTools {
  readonly place: Place;
  readonly clock: Clock;
  /** Aborted when the server ends, or when the order has taken too long. */
  readonly signal: AbortSignal;
  /** Aborted when the server ends. */
  readonly closing: AbortSignal;
  readonly functions: FunctionInvoker;
  readonly aws: AwsClients;
  readonly destinations: Destinations;
  readonly egress: Egress;
  /** The role that the action names. */
  readonly role: ActionRole;
}

/** Orders that go out together. */
export interface Batching {
  /** Milliseconds from the first order to the sending. */
  readonly openMs: number;
  readonly orders: number;
  /** Of payloads. */
  readonly bytes: number;
  /** Only orders of one topic go together; those for different resources never do. */
  readonly byTopic: boolean;
}

export interface ActionType<P> {
  /** As error documents and metrics name it: `SqsAction`. */
  readonly name: string;
  /** What it acts on, as error documents name it (`failedResource`). */
  resource(parameters: P): string;
  /** Members whose text is no template; `roleArn` never is. */
  readonly literal?: readonly string[];
  /**
   * Permissions that the action's role must have: asked of IAM before the action is done, wherever that is (developer
   * guide, page of the action). None for an action that acts with no role's permissions.
   */
  permissions(order: Order<P>, place: Place): readonly RolePermission[];
  /** The role's ARN; the member `roleArn` unless said. */
  roleArn?(parameters: P): string | undefined;
  /** The text that says which host the action sends to, where that is not the operator's to say. */
  address?(parameters: P): string | undefined;
  /** What the service model can't say of parameters, asked before rendering. Fails with InvalidRequestException. */
  check?(parameters: P, place: 'action' | 'error action'): void;
  batching?(parameters: P): Batching | undefined;
  /** Milliseconds that one attempt may take; 10,000 unless said. */
  readonly timeoutMs?: number;
  /** Attempts at most, where AWS says how many, and milliseconds from the first after which there is none any more. */
  readonly attempts?: number;
  readonly attemptsWithinMs?: number;
  /** Does it. `orders` is one order, or those of a batch. Fails with `ActionError`; anything else is a defect. */
  run(orders: readonly [Order<P>, ...Order<P>[]], tools: ActionTools): Promise<void>;
}
