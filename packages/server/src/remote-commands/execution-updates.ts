/** What devices report of executions (UpdateCommandExecution): read, checked and stored. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fromBase64, toBase64 } from '@thingkeep/wire/api/base64.ts';
import { isMembers, type Members } from '../payloads/payloads.ts';
import { TopicRejection } from '../payloads/topic-rejection.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import type { CommandExecutionEvents } from './execution-events.ts';
import { isTerminalReport, transitionFault } from './executions.ts';
import {
  commandExecutions,
  executionDetails,
  type ExecutionRecord,
  type ExecutionStatus,
  type ReasonRecord,
  type ResultValue,
} from './store.ts';

/** InvalidRequest is Thingkeep's own: AWS names no code for a report that is malformed. */
export type UpdateRejectionCode =
  | 'InvalidStateTransition'
  | 'TerminalStateReached'
  | 'ResourceNotFound'
  | 'InvalidRequest'
  | 'InternalError';

export class UpdateRejection extends TopicRejection<UpdateRejectionCode> {}

const refuse = (code: UpdateRejectionCode, message: string): never => {
  throw new UpdateRejection(code, message);
};
const malformed = (message: string): never => refuse('InvalidRequest', message);

export interface ExecutionReport {
  readonly status: ExecutionStatus;
  readonly statusReason: ReasonRecord | undefined;
  readonly result: Readonly<Record<string, ResultValue>> | undefined;
}

const STATUSES: readonly string[] = ['CREATED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED', 'TIMED_OUT'];
const isStatus = (value: unknown): value is ExecutionStatus => typeof value === 'string' && STATUSES.includes(value);

/** API reference, StatusReason and CommandExecutionResult. */
const REASON_CODE = /^[A-Z0-9_-]{1,64}$/;
const DESCRIPTION = /^[^\p{C}]{0,1024}$/u;
const RESULT_NAME = /^[a-zA-Z0-9_-]{1,32}$/;
const TOKEN = /^[\x21-\x7e]{1,64}$/;
/** Entries of a result: ours. Their bytes are bounded by the request's. */
const MAX_RESULTS = 100;

/** The client token; undefined where there is none. */
export function updateToken({ clientToken }: Members): string | undefined {
  if (clientToken === undefined) return undefined;
  return typeof clientToken === 'string' && TOKEN.test(clientToken) ? clientToken : malformed('The clientToken is invalid');
}

function reasonOf(value: unknown): ReasonRecord | undefined {
  if (value === undefined) return undefined;
  if (!isMembers(value)) return malformed('The statusReason is not an object');
  const { reasonCode, reasonDescription } = value;
  if (typeof reasonCode !== 'string' || !REASON_CODE.test(reasonCode)) return malformed('The reasonCode is missing or invalid');
  if (reasonDescription === undefined) return { reasonCode };
  return typeof reasonDescription === 'string' && DESCRIPTION.test(reasonDescription)
    ? { reasonCode, reasonDescription }
    : malformed('The reasonDescription is invalid');
}

/** Devices write the types of values in lower case, the API in upper case: both are taken. */
function resultValue(name: string, value: unknown): ResultValue {
  const [entry, ...more] = isMembers(value) ? Object.entries(value) : [];
  if (entry === undefined || more.length > 0) return malformed(`The result '${name}' needs one of s, b and bin`);
  const [type, content] = entry;
  switch (type.toLowerCase()) {
    case 's':
      if (typeof content === 'string' && content !== '') return { S: content };
      break;
    case 'b':
      if (typeof content === 'boolean') return { B: content };
      break;
    case 'bin': {
      const bytes = typeof content === 'string' ? fromBase64(content) : content;
      if (bytes instanceof Uint8Array && bytes.length > 0) return { BIN: toBase64(bytes) };
      break;
    }
    default:
  }
  return malformed(`The result '${name}' is invalid`);
}

function resultOf(value: unknown): ExecutionReport['result'] {
  if (value === undefined) return undefined;
  const entries = isMembers(value) ? Object.entries(value) : malformed('The result is not an object');
  if (entries.length === 0 || entries.length > MAX_RESULTS) malformed(`The result has no entry, or more than ${MAX_RESULTS}`);
  if (!entries.every(([name]) => RESULT_NAME.test(name))) malformed('A name in the result is invalid');
  return Object.fromEntries(entries.map(([name, each]) => [name, resultValue(name, each)]));
}

export function executionReport({ status, statusReason, result }: Members): ExecutionReport {
  if (!isStatus(status)) return malformed('The status is missing or invalid');
  return { status, statusReason: reasonOf(statusReason), result: resultOf(result) };
}

export interface ExecutionUpdateDeps {
  readonly inRegion: (region: string) => Store;
  readonly clock: Clock;
  readonly events: CommandExecutionEvents;
}

const TEXTS = {
  TerminalStateReached: 'The command execution has reached a terminal state',
  InvalidStateTransition: 'The command execution can not go from its status to this one',
} as const;

/** Stores a report of the target of an execution. */
export async function updateExecution(
  { inRegion, clock, events }: ExecutionUpdateDeps,
  place: Place,
  { executionId, targetArn }: Pick<ExecutionRecord, 'executionId' | 'targetArn'>,
  { status, statusReason, result }: ExecutionReport,
): Promise<void> {
  const { accountId, region } = place;
  const updated = await inRegion(region).write(async (tx) => {
    const execution = await tx.get(commandExecutions, [accountId, executionId]);
    if (execution?.targetArn !== targetArn) return refuse('ResourceNotFound', 'The command execution does not exist');
    const fault = transitionFault(execution, status);
    if (fault !== undefined) return refuse(fault, TEXTS[fault]);
    const now = clock.now();
    const { statusReason: _, ...rest } = execution;
    const completedAt = isTerminalReport(status) ? now : undefined;
    const changed: ExecutionRecord = { ...rest, status, lastUpdatedAt: now, ...defined({ statusReason, completedAt }) };
    await tx.put(commandExecutions, changed);
    if (result !== undefined) {
      const details = (await tx.get(executionDetails, [accountId, executionId])) ?? { accountId, executionId };
      await tx.put(executionDetails, { ...details, result });
    }
    return changed;
  });
  events(place, updated);
}
