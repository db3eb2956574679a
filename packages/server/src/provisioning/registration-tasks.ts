/** Bulk registration tasks as records, and how the API shows them. Times are milliseconds since the epoch. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { collection, type ReadTransaction, rows } from '../store/contract.ts';

export type RegistrationTaskStatus = 'InProgress' | 'Completed' | 'Failed' | 'Cancelled' | 'Cancelling';

export interface RegistrationTaskRecord {
  readonly accountId: string;
  readonly taskId: string;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  readonly templateBody: string;
  readonly bucket: string;
  readonly key: string;
  readonly roleArn: string;
  readonly status: RegistrationTaskStatus;
  /** Why it has failed. */
  readonly message?: string;
  readonly successCount: number;
  readonly failureCount: number;
  /** How far it has come: lines, and bytes behind the last of them. */
  readonly line: number;
  readonly offset: number;
  /** Of the input, once it has been opened. */
  readonly size?: number;
  readonly etag?: string;
  /** Names its rows of results and of errors. */
  readonly owner: number;
}

export const registrationTasks = collection<RegistrationTaskRecord>('registration-tasks', (t) => [t.accountId, t.taskId], {
  byCreation: (t) => [[t.accountId, t.createdAt, t.taskId]],
  byStatus: (t) => [[t.accountId, t.status, t.createdAt, t.taskId]],
});

/** What was answered of each line, by its number: JSON with a line break. */
export const registrationResults = rows('registration-results');
export const registrationErrors = rows('registration-errors');

export const REGISTRATION_KIND = 'thing-registration';

/** What an item of due work says. */
export interface RegistrationItem extends Place {
  readonly taskId: string;
}

export const dueRegistration = ({ region, accountId }: Place, taskId: string): string => `${region}/${accountId}/${taskId}`;

/** Whether lines are still to be done, or a stop is to be noticed. */
export const isUnderWay = ({ status }: Pick<RegistrationTaskRecord, 'status'>): boolean =>
  status === 'InProgress' || status === 'Cancelling';

export async function getRegistrationTask(
  tx: ReadTransaction,
  accountId: string,
  taskId: string,
): Promise<RegistrationTaskRecord> {
  const found = await tx.get(registrationTasks, [accountId, taskId]);
  return found ?? fail('ResourceNotFoundException', `The registration task ${taskId} does not exist.`);
}

/** Whole percents of the input's bytes. */
function progressOf({ offset, size, status }: RegistrationTaskRecord): number {
  if (status === 'Completed') return 100;
  return size === undefined || size === 0 ? 0 : Math.min(100, Math.floor((100 * offset) / size));
}

export const describedRegistrationTask = (record: RegistrationTaskRecord) => ({
  taskId: record.taskId,
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
  templateBody: record.templateBody,
  inputFileBucket: record.bucket,
  inputFileKey: record.key,
  roleArn: record.roleArn,
  status: record.status,
  message: record.message,
  successCount: record.successCount,
  failureCount: record.failureCount,
  percentageProgress: progressOf(record),
});
