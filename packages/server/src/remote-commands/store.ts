/** Records of commands and their executions. Times are milliseconds since the epoch, bytes base64. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection } from '../store/contract.ts';

export type CommandNamespace = 'AWS-IoT' | 'AWS-IoT-FleetWise';
export type ParameterType = 'STRING' | 'INTEGER' | 'DOUBLE' | 'LONG' | 'UNSIGNEDLONG' | 'BOOLEAN' | 'BINARY';

/** A value of a parameter: one of the members. */
export interface StoredValue {
  readonly S?: string;
  readonly B?: boolean;
  readonly I?: number;
  /** Digits; a number in records of before 64-bit integers were exact. */
  readonly L?: string | number;
  readonly D?: number;
  /** Digits. */
  readonly UL?: string;
  readonly BIN?: string;
}

export type ComparisonOperator =
  | 'EQUALS'
  | 'NOT_EQUALS'
  | 'LESS_THAN'
  | 'LESS_THAN_EQUALS'
  | 'GREATER_THAN'
  | 'GREATER_THAN_EQUALS'
  | 'IN_SET'
  | 'NOT_IN_SET'
  | 'IN_RANGE'
  | 'NOT_IN_RANGE';

export interface ConditionRecord {
  readonly comparisonOperator: ComparisonOperator;
  readonly operand: {
    readonly number?: string | undefined;
    readonly numbers?: readonly string[] | undefined;
    readonly string?: string | undefined;
    readonly strings?: readonly string[] | undefined;
    readonly numberRange?: { readonly min: string; readonly max: string } | undefined;
  };
}

export interface ParameterRecord {
  readonly name: string;
  readonly type?: ParameterType | undefined;
  readonly value?: StoredValue | undefined;
  readonly defaultValue?: StoredValue | undefined;
  readonly valueConditions?: readonly ConditionRecord[] | undefined;
  readonly description?: string | undefined;
}

export interface CommandRecord {
  readonly accountId: string;
  readonly commandId: string;
  readonly namespace: CommandNamespace;
  readonly displayName?: string | undefined;
  readonly description?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly parameterNames: readonly string[];
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
  /** Since when it can't be started. */
  readonly deprecatedAt?: number | undefined;
  /** When it goes. */
  readonly deletionAt?: number | undefined;
}

export const commands = collection<CommandRecord>('commands', (c) => [c.accountId, c.commandId], {
  byCreation: (c) => [[c.accountId, c.createdAt, c.commandId]],
});

/** What a command sends, beside its record: lists do without it. */
export interface CommandBody {
  readonly accountId: string;
  readonly commandId: string;
  readonly payload?: { readonly content: string; readonly contentType: string } | undefined;
  readonly payloadTemplate?: string | undefined;
  readonly outputFormat?: 'JSON' | 'CBOR' | undefined;
  readonly parameters?: readonly ParameterRecord[] | undefined;
}

export const commandBodies = collection<CommandBody>('command-bodies', (b) => [b.accountId, b.commandId]);

export const commandArn = (place: Place, commandId: string): string => iotArn(place, 'command', commandId);

export type ExecutionStatus = 'CREATED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED' | 'TIMED_OUT';

export interface ReasonRecord {
  readonly reasonCode: string;
  readonly reasonDescription?: string | undefined;
}

export interface ExecutionRecord {
  readonly accountId: string;
  readonly executionId: string;
  readonly commandId: string;
  /** A thing or a client. */
  readonly targetArn: string;
  readonly status: ExecutionStatus;
  readonly statusReason?: ReasonRecord | undefined;
  readonly timeoutSeconds: number;
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
  /** Set with a terminal status, which the device alone reports. */
  readonly completedAt?: number | undefined;
  /** When its record goes. */
  readonly expiresAt: number;
  readonly clientToken?: string | undefined;
}

export const commandExecutions = collection<ExecutionRecord>('command-executions', (e) => [e.accountId, e.executionId], {
  byToken: (e) => (e.clientToken === undefined ? [] : [[e.accountId, e.clientToken]]),
  byCommandStart: (e) => [[e.accountId, e.commandId, e.createdAt, e.executionId]],
  byCommandEnd: (e) => (e.completedAt === undefined ? [] : [[e.accountId, e.commandId, e.completedAt, e.executionId]]),
  byTargetStart: (e) => [[e.accountId, e.targetArn, e.createdAt, e.executionId]],
  byTargetEnd: (e) => (e.completedAt === undefined ? [] : [[e.accountId, e.targetArn, e.completedAt, e.executionId]]),
});

export interface ResultValue {
  readonly S?: string;
  readonly B?: boolean;
  readonly BIN?: string;
}

/** What an execution was started with and has given, beside its record. */
export interface ExecutionDetails {
  readonly accountId: string;
  readonly executionId: string;
  readonly parameters?: Readonly<Record<string, StoredValue>> | undefined;
  readonly result?: Readonly<Record<string, ResultValue>> | undefined;
}

export const executionDetails = collection<ExecutionDetails>('command-execution-details', (d) => [d.accountId, d.executionId]);
