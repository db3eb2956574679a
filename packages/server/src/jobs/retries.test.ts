/** Retries (fact sheet 36.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_RETRIES, type RetriesUsed, type RetryCriterion, retryAfter } from './retries.ts';
import type { JobExecutionStatus } from './states.ts';

function retried(criteria: readonly RetryCriterion[], ends: readonly JobExecutionStatus[]): number {
  let used: RetriesUsed = NO_RETRIES;
  let retries = 0;
  for (const end of ends) {
    const next = retryAfter(criteria, end, used);
    if (next === undefined) return retries;
    used = next;
    retries += 1;
  }
  return retries;
}

const many = (status: JobExecutionStatus): JobExecutionStatus[] => Array.from({ length: 12 }, () => status);

test('failures and timeouts are tried again as often as their criterion says, other ends never', () => {
  const criteria = [
    { failureType: 'FAILED', numberOfRetries: 3 },
    { failureType: 'TIMED_OUT', numberOfRetries: 1 },
  ] as const;
  assert.equal(retried(criteria, many('FAILED')), 3);
  assert.equal(retried(criteria, many('TIMED_OUT')), 1);
  assert.equal(retried(criteria, ['FAILED', 'TIMED_OUT', 'FAILED', 'FAILED', 'FAILED']), 4);
  for (const end of ['REJECTED', 'SUCCEEDED', 'CANCELED', 'REMOVED'] as const) assert.equal(retried(criteria, [end]), 0);
});

test('ALL counts failures and timeouts together; 0 is none', () => {
  assert.equal(retried([{ failureType: 'ALL', numberOfRetries: 2 }], ['FAILED', 'TIMED_OUT', 'FAILED']), 2);
  assert.equal(retried([{ failureType: 'ALL', numberOfRetries: 0 }], ['FAILED']), 0);
  assert.equal(retried([{ failureType: 'TIMED_OUT', numberOfRetries: 5 }], ['FAILED']), 0);
});
