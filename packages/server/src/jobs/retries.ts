/** Retries of executions (developer guide, page jobs-configurations-details): which ends are tried again, and how often. */
import type { JobExecutionStatus } from './states.ts';

export interface RetryCriterion {
  readonly failureType: 'FAILED' | 'TIMED_OUT' | 'ALL';
  readonly numberOfRetries: number;
}

/** Retries of one thing at most, over all criteria. */
export const MAX_RETRIES = 10;

/** How often a thing was tried again after failures of each kind. */
export interface RetriesUsed {
  readonly FAILED: number;
  readonly TIMED_OUT: number;
}

export const NO_RETRIES: RetriesUsed = { FAILED: 0, TIMED_OUT: 0 };

/** What is used with one more retry after this end; undefined where there is none. */
export function retryAfter(
  criteria: readonly RetryCriterion[],
  ended: JobExecutionStatus,
  used: RetriesUsed,
): RetriesUsed | undefined {
  if (ended !== 'FAILED' && ended !== 'TIMED_OUT') return undefined;
  const criterion = criteria.find(({ failureType }) => failureType === ended || failureType === 'ALL');
  if (criterion === undefined) return undefined;
  const count = criterion.failureType === 'ALL' ? used.FAILED + used.TIMED_OUT : used[ended];
  return count < criterion.numberOfRetries ? { ...used, [ended]: used[ended] + 1 } : undefined;
}
