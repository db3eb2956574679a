/** Criteria that abort a job (developer guide, page jobs-configurations-details), checked in their order at each execution's end. */
import { completedCount, type ExecutionCounts } from './states.ts';

export interface AbortCriterion {
  readonly failureType: 'FAILED' | 'REJECTED' | 'TIMED_OUT' | 'ALL';
  readonly thresholdPercentage: number;
  readonly minNumberOfExecutedThings: number;
}

const failuresOf = (counts: ExecutionCounts, type: AbortCriterion['failureType']): number =>
  type === 'ALL' ? counts.FAILED + counts.REJECTED + counts.TIMED_OUT : counts[type];

/** A percentage above 0, with two decimals: compared as a whole number, it is exact. */
const hundredths = (percentage: number): number => Math.max(1, Math.round(percentage * 100));

/** The first criterion that is met: enough executions have ended, and the share of those that have failed so is reached. */
export const metCriterion = (criteria: readonly AbortCriterion[], counts: ExecutionCounts): AbortCriterion | undefined => {
  const completed = completedCount(counts);
  return criteria.find(
    ({ failureType, thresholdPercentage, minNumberOfExecutedThings }) =>
      completed > 0 &&
      completed >= minNumberOfExecutedThings &&
      failuresOf(counts, failureType) * 10_000 >= hundredths(thresholdPercentage) * completed,
  );
};
