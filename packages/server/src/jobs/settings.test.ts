/** Settings of requests: what is read, and what is refused (fact sheet 36.1, 36.2, 36.4; API reference). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTogether, readSettings } from './settings.ts';

const withFactor = (incrementFactor: number) =>
  readSettings({
    jobExecutionsRolloutConfig: {
      maximumPerMinute: 100,
      exponentialRate: { baseRatePerMinute: 5, incrementFactor, rateIncreaseCriteria: { numberOfNotifiedThings: 10 } },
    },
  });

const withThreshold = (thresholdPercentage: number) =>
  readSettings({
    abortConfig: { criteriaList: [{ failureType: 'ALL', action: 'CANCEL', thresholdPercentage, minNumberOfExecutedThings: 1 }] },
  });

test('a factor has one digit after the decimal (1.5, but not 1.55)', () => {
  for (let tenths = 11; tenths <= 50; tenths += 1)
    assert.equal(withFactor(tenths / 10).rate?.exponential?.incrementFactor, tenths / 10);
  for (const factor of [1.55, 1.15, 1.23456, 4.99])
    assert.throws(() => withFactor(factor), { name: 'InvalidRequestException', message: /one digit/ });
});

test('a threshold has two digits after the decimal (10.9 and 10.99, but not 10.999)', () => {
  for (let hundredths = 1; hundredths <= 10_000; hundredths += 1)
    assert.equal(withThreshold(hundredths / 100).abortCriteria?.[0]?.thresholdPercentage, hundredths / 100);
  for (const threshold of [10.999, 0.001, 0.004, 99.995, Number.MIN_VALUE])
    assert.throws(() => withThreshold(threshold), { name: 'InvalidRequestException', message: /two digits/ });
});

test('retries of TIMED_OUT need a timeout; those of ALL do not, as failures and step timers are among them', () => {
  const retried = (failureType: 'TIMED_OUT' | 'ALL' | 'FAILED', timeout?: number) =>
    readSettings({
      jobExecutionsRetryConfig: { criteriaList: [{ failureType, numberOfRetries: 1 }] },
      timeoutConfig: timeout === undefined ? undefined : { inProgressTimeoutInMinutes: timeout },
    });
  assert.throws(() => checkTogether(retried('TIMED_OUT')), { name: 'InvalidRequestException', message: /timeoutConfig/ });
  for (const settings of [retried('TIMED_OUT', 5), retried('ALL'), retried('FAILED')]) checkTogether(settings);
});
