/** Probes of job templates. */
import { type Probe, refuses } from './probe.ts';

const INVALID = 'InvalidRequestException';
const job = (more: object) => ({ jobTemplateId: 'j', description: 'd', ...more });
const rate = {
  baseRatePerMinute: 5,
  incrementFactor: 2,
  rateIncreaseCriteria: { numberOfNotifiedThings: 1, numberOfSucceededThings: 1 },
};

export const JOBS: readonly Probe[] = [
  {
    name: 'pf-iot-jobtemplate-abort-threshold',
    answers: [
      refuses(
        'CreateJobTemplate',
        job({
          document: '{}',
          abortConfig: {
            criteriaList: [{ failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 0, minNumberOfExecutedThings: 1 }],
          },
        }),
        INVALID,
        'ThresholdPercentage value 0.0 for AbortCriteria must have value greater than 0',
      ),
    ],
  },
  {
    name: 'pf-iot-jobtemplate-document-exactly-one',
    answers: [
      refuses(
        'CreateJobTemplate',
        job({ document: '{}', documentSource: 'https://example.invalid/d' }),
        INVALID,
        'Job document and job document source cannot be specified at the same time.',
      ),
      refuses('CreateJobTemplate', job({}), INVALID, 'Neither job document nor job document source is specified.'),
    ],
  },
  {
    name: 'pf-iot-jobtemplate-rate-increase-criteria',
    answers: [
      refuses(
        'CreateJobTemplate',
        job({ document: '{}', jobExecutionsRolloutConfig: { maximumPerMinute: 50, exponentialRate: rate } }),
        INVALID,
        'Provide only one of NumberOfNotifiedThings or NumberOfSucceededThings when RateIncreaseCriteria is defined',
      ),
      refuses(
        'CreateJobTemplate',
        job({ document: '{}', jobExecutionsRolloutConfig: { exponentialRate: rate } }),
        INVALID,
        'Provide MaximumPerMinute value when ExponentialRate is defined',
      ),
    ],
  },
];
