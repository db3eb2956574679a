/** A job that is asked for by its id. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import type { JobUnit } from './job-unit.ts';
import { type JobRecord, jobs } from './store.ts';

const unknown = (jobId: string): never => fail('ResourceNotFoundException', `Job ${jobId} does not exist`);

export const getJob = async (unit: JobUnit, jobId: string): Promise<JobRecord> => (await unit.job(jobId)) ?? unknown(jobId);

export const readJob = async (tx: ReadTransaction, accountId: string, jobId: string): Promise<JobRecord> =>
  (await tx.get(jobs, [accountId, jobId])) ?? unknown(jobId);
