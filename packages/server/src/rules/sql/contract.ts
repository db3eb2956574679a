/**
 * What the rules engine and the SQL of rules say to each other. The SQL is pure: the message, the clock's answer and every
 * call to another service are handed in.
 */
import type { Properties } from '../../mqtt/properties.ts';
import type { ParsedPayload } from './payload.ts';
import type { SqlValue } from './values.ts';

/** One message as rules see it. Its getters may be lazy: a query reads only what it needs. */
export interface RuleMessage {
  /** Without the prefix of Basic Ingest. */
  readonly topic: string;
  readonly payload: Buffer;
  /** Milliseconds since the epoch: what `timestamp()` gives. */
  readonly receivedAt: number;
  readonly clientId?: string;
  readonly principal?: string;
  readonly sourceIp?: string;
  /** Absent when the message did not come by MQTT. */
  readonly traceId?: string;
  /** Of MQTT 5; absent for MQTT 3 and HTTP. */
  readonly properties?: Properties;
  /** The payload as parsed JSON, shared by all rules that see the message: set by the first that asks. */
  parsed?: ParsedPayload;
}

/**
 * Functions that ask another service, with the arguments each is called with:
 *
 * - `aws_lambda`: function ARN, input
 * - `get_thing_shadow`: thing name, [shadow name,] role ARN
 * - `get_registry_data`: `DescribeThing` or `ListThingGroupsForThing`, thing name, role ARN
 * - `get_dynamodb`: table, partition key, its value, [sort key, its value,] role ARN
 * - `get_secret`: secret id, `SecretString` or `SecretBinary`, [key,] role ARN
 * - `machinelearning_predict`: model id, role ARN, record
 * - `decode_proto`: base64 text, bucket, object key, name of the .proto file, message type
 */
export type ExternalFunction =
  | 'aws_lambda'
  | 'get_thing_shadow'
  | 'get_registry_data'
  | 'get_dynamodb'
  | 'get_secret'
  | 'machinelearning_predict'
  | 'decode_proto';

/** What is known of a call beside its arguments. */
export interface ExternalCall {
  /** Whether each argument stands in the SQL itself, and comes of no message. */
  readonly fixed: readonly boolean[];
  /** Topic of the message that is evaluated. */
  readonly topic: string;
}

/** What a query asks of the world. */
export interface ExternalServices {
  readonly accountId: string;
  readonly region: string;
  /** From 0 to 1. */
  random(): number;
  uuid(): string;
  /** Arguments and answer are plain JSON. A call that fails rejects; its value is then Undefined. */
  call(name: ExternalFunction, args: readonly unknown[], site: ExternalCall): Promise<unknown>;
}

/**
 * One evaluation: a message, the values of its SET variables, and the answers of services. Templates of a rule share it with
 * the query.
 */
export interface Scope {
  readonly message: RuleMessage;
  readonly services: ExternalServices;
}

/** What actions get. */
export interface SqlResult {
  /** Undefined when the payload is raw bytes, or the query selected nothing but Undefined. */
  readonly value: SqlValue;
  /** JSON text; the message's own bytes where `*` selects a payload that is not JSON; empty for Undefined. */
  readonly payload: Buffer;
  /** A plain JSON value for actions that take columns apart; undefined for raw bytes. Numbers are doubles. */
  json(): unknown;
}

/** Text with `${expression}` in it (page iot-substitution-templates). */
export interface Template {
  /** The text, when it holds no `${`: nothing to evaluate. */
  readonly constant: string | undefined;
  /**
   * A promise only when an expression calls another service. Undefined and Null give the empty text.
   * @throws SqlEvaluationError when a bound is exceeded.
   */
  render(scope: Scope): string | Promise<string>;
}
