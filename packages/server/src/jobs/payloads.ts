/**
 * What devices see of executions (developer guide, pages jobs-api and jobs-mqtt-api): times in whole seconds; over MQTT the
 * document is the object that was given, with its numbers as they were written.
 */
import type { JobExecutionRecord } from './store.ts';
import { secondsLeft } from './timers.ts';

export const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

const startedAt = ({ startedAt: at }: JobExecutionRecord): number | undefined => (at === undefined ? undefined : seconds(at));

/** An execution in a list. */
export interface ExecutionSummary {
  readonly jobId: string;
  readonly queuedAt: number;
  readonly lastUpdatedAt: number;
  readonly startedAt?: number | undefined;
  readonly executionNumber: number;
  readonly versionNumber: number;
}

export const summaryOf = (record: JobExecutionRecord): ExecutionSummary => ({
  jobId: record.jobId,
  queuedAt: seconds(record.queuedAt),
  lastUpdatedAt: seconds(record.lastUpdatedAt),
  startedAt: startedAt(record),
  executionNumber: record.executionNumber,
  versionNumber: record.versionNumber,
});

/** What an execution is at, in answers to updates. */
export interface ExecutionState {
  readonly status: JobExecutionRecord['status'];
  readonly statusDetails: Record<string, string>;
  readonly versionNumber: number;
}

export const executionStateOf = ({ status, statusDetails = {}, versionNumber }: JobExecutionRecord): ExecutionState => ({
  status,
  statusDetails: { ...statusDetails },
  versionNumber,
});

/** An execution as a device gets it that has asked for it: without its document. */
export const detailsOf = (record: JobExecutionRecord, now: number) => ({
  jobId: record.jobId,
  thingName: record.thingName,
  status: record.status,
  statusDetails: record.statusDetails === undefined ? undefined : { ...record.statusDetails },
  queuedAt: seconds(record.queuedAt),
  startedAt: startedAt(record),
  lastUpdatedAt: seconds(record.lastUpdatedAt),
  approximateSecondsBeforeTimedOut: record.status === 'IN_PROGRESS' ? secondsLeft(record, now) : undefined,
  versionNumber: record.versionNumber,
  executionNumber: record.executionNumber,
});

/** JSON of an object with one more member behind, whose value is JSON already. */
export function withMember(members: object, name: string, json: string | undefined): string {
  const text = JSON.stringify(members);
  if (json === undefined) return text;
  return `${text.slice(0, -1)}${text === '{}' ? '' : ','}${JSON.stringify(name)}:${json}}`;
}

const STRINGS_AND_SPACE = /"(?:[^"\\]|\\.)*"|\s+/g;

/** JSON without the white space between its tokens. */
export const compactJson = (json: string): string =>
  json.replace(STRINGS_AND_SPACE, (part) => (part.startsWith('"') ? part : ''));

/** Executions that a notification shows. */
export const MAX_NOTIFIED = 10;

/** The payload of `notify`: the first pending executions by status. */
export function notifyPayload(pending: readonly JobExecutionRecord[], now: number): string {
  const byStatus: Partial<Record<'IN_PROGRESS' | 'QUEUED', ExecutionSummary[]>> = {};
  for (const record of pending.slice(0, MAX_NOTIFIED)) {
    const status = record.status === 'IN_PROGRESS' ? 'IN_PROGRESS' : 'QUEUED';
    byStatus[status] ??= [];
    byStatus[status].push(summaryOf(record));
  }
  return JSON.stringify({ timestamp: seconds(now), jobs: byStatus });
}

/** The payload of `notify-next`: the first pending execution with its document, if there is one. */
export function notifyNextPayload(first: JobExecutionRecord | undefined, document: string | undefined, now: number): string {
  const timestamp = seconds(now);
  if (first === undefined) return JSON.stringify({ timestamp });
  const { jobId, status, queuedAt, lastUpdatedAt, versionNumber, executionNumber } = first;
  const execution = {
    jobId,
    status,
    queuedAt: seconds(queuedAt),
    startedAt: startedAt(first),
    lastUpdatedAt: seconds(lastUpdatedAt),
    versionNumber,
    executionNumber,
  };
  return withMember({ timestamp }, 'execution', withMember(execution, 'jobDocument', document));
}
