/** Executions of commands: their statuses (page iot-remote-command-concepts), and as the API shows them. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { apiValue, bytesOfText } from './parameters.ts';
import { commandArn, type ExecutionDetails, type ExecutionRecord, type ExecutionStatus, type ResultValue } from './store.ts';

/** Why the service has set TIMED_OUT: until the device reports something, this is not the last word. */
export const NO_RESPONSE = '$NO_RESPONSE_FROM_DEVICE';

/** Whether the time is over, and the device may still say what has become of it. */
const isTimedOutByService = ({ status, completedAt }: ExecutionRecord): boolean =>
  status === 'TIMED_OUT' && completedAt === undefined;

const TERMINAL: ReadonlySet<ExecutionStatus> = new Set(['SUCCEEDED', 'FAILED', 'REJECTED', 'TIMED_OUT']);
export const isTerminalReport = (status: ExecutionStatus): boolean => TERMINAL.has(status);

/** Whether the device has reported the end. */
export const isCompleted = (execution: ExecutionRecord): boolean => execution.completedAt !== undefined;
export const isActive = ({ status }: ExecutionRecord): boolean => status === 'CREATED' || status === 'IN_PROGRESS';

/** Why a device may not report a status; undefined where it may. */
export function transitionFault(
  execution: ExecutionRecord,
  status: ExecutionStatus,
): 'TerminalStateReached' | 'InvalidStateTransition' | undefined {
  if (isCompleted(execution)) return 'TerminalStateReached';
  if (status === 'CREATED' || (status === 'IN_PROGRESS' && isTimedOutByService(execution))) return 'InvalidStateTransition';
  return undefined;
}

/** When the service sets TIMED_OUT. */
export const deadlineOf = ({ createdAt, timeoutSeconds }: ExecutionRecord): number => createdAt + timeoutSeconds * 1000;

const dateOf = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at));

export const commandExecutionSummary = (place: Place, record: ExecutionRecord) => ({
  commandArn: commandArn(place, record.commandId),
  executionId: record.executionId,
  targetArn: record.targetArn,
  status: record.status,
  createdAt: new Date(record.createdAt),
  startedAt: new Date(record.createdAt),
  completedAt: dateOf(record.completedAt),
});

const apiResult = ({ BIN, ...value }: ResultValue) => (BIN === undefined ? value : { BIN: bytesOfText(BIN) });

const mapped = <T, U>(values: Readonly<Record<string, T>> | undefined, map: (value: T) => U): Record<string, U> | undefined =>
  values && Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));

export const describedExecution = (place: Place, record: ExecutionRecord, { parameters, result }: Partial<ExecutionDetails>) => ({
  ...commandExecutionSummary(place, record),
  statusReason: record.statusReason,
  result: mapped(result, apiResult),
  parameters: mapped(parameters, apiValue),
  executionTimeoutSeconds: record.timeoutSeconds,
  lastUpdatedAt: new Date(record.lastUpdatedAt),
  timeToLive: new Date(record.expiresAt),
});
