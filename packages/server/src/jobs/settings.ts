/** What jobs and templates are configured by: read from a request and checked, and shown again. */
import { MAX_PACKAGE_VERSIONS } from '../software-packages/contract.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AbortCriterion } from './abort.ts';
import { MAX_RETRIES, type RetryCriterion } from './retries.ts';
import { type ExponentialRate, MAX_PER_MINUTE, type RolloutRate } from './rollout.ts';
import type { JobSettings, PresignedUrls } from './store.ts';
import { MAX_MINUTES } from './timers.ts';

type Given = Pick<
  IotOperations['CreateJob']['input'],
  | 'description'
  | 'documentSource'
  | 'presignedUrlConfig'
  | 'jobExecutionsRolloutConfig'
  | 'abortConfig'
  | 'timeoutConfig'
  | 'jobExecutionsRetryConfig'
  | 'destinationPackageVersions'
>;

const invalid = (message: string): never => fail('InvalidRequestException', message);

const MAX_BASE_RATE = 1000;
const MAX_FACTOR = 5;
const MIN_FACTOR = 1.1;
/** Digits behind the point (API reference, ExponentialRolloutRate and AbortCriteria). */
const FACTOR_DIGITS = 1;
const THRESHOLD_DIGITS = 2;

const hasMoreDigits = (value: number, digits: number): boolean => Number(value.toFixed(digits)) !== value;

type GivenRollout = NonNullable<Given['jobExecutionsRolloutConfig']>;

/** The texts about criteria and the maximum are AWS's (probe pf-iot-jobtemplate-rate-increase-criteria). */
function exponentialOf({ maximumPerMinute, exponentialRate }: GivenRollout): ExponentialRate | undefined {
  if (exponentialRate === undefined) return undefined;
  const { baseRatePerMinute = 0, incrementFactor = 0, rateIncreaseCriteria = {} } = exponentialRate;
  if (maximumPerMinute === undefined) invalid('Provide MaximumPerMinute value when ExponentialRate is defined');
  const { numberOfNotifiedThings: notified, numberOfSucceededThings: succeeded } = rateIncreaseCriteria;
  if ((notified === undefined) === (succeeded === undefined))
    invalid('Provide only one of NumberOfNotifiedThings or NumberOfSucceededThings when RateIncreaseCriteria is defined');
  if (baseRatePerMinute > MAX_BASE_RATE) invalid(`BaseRatePerMinute can be at most ${MAX_BASE_RATE}`);
  if (maximumPerMinute !== undefined && baseRatePerMinute > maximumPerMinute)
    invalid('BaseRatePerMinute can not be greater than MaximumPerMinute');
  if (incrementFactor < MIN_FACTOR || incrementFactor > MAX_FACTOR)
    invalid(`IncrementFactor has to be ${MIN_FACTOR} to ${MAX_FACTOR}`);
  if (hasMoreDigits(incrementFactor, FACTOR_DIGITS)) invalid('IncrementFactor can have at most one digit after the decimal');
  const criteria =
    notified === undefined ? { of: 'succeeded' as const, things: succeeded ?? 1 } : { of: 'notified' as const, things: notified };
  return { baseRatePerMinute, incrementFactor, criteria };
}

function rateOf(given: GivenRollout | undefined): RolloutRate | undefined {
  if (given === undefined) return undefined;
  const { maximumPerMinute } = given;
  const exponential = exponentialOf(given);
  if (maximumPerMinute !== undefined && (maximumPerMinute < 1 || maximumPerMinute > MAX_PER_MINUTE))
    invalid(`MaximumPerMinute has to be 1 to ${MAX_PER_MINUTE}`);
  return { maximumPerMinute, exponential };
}

/** As AWS's texts write a number: always with a fraction. */
const withFraction = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

function abortCriteriaOf(given: Given['abortConfig']): readonly AbortCriterion[] | undefined {
  return given?.criteriaList?.map((each) => {
    const { failureType = 'ALL', thresholdPercentage = 0, minNumberOfExecutedThings = 1 } = each;
    // The text is AWS's (probe pf-iot-jobtemplate-abort-threshold).
    if (thresholdPercentage <= 0)
      invalid(`ThresholdPercentage value ${withFraction(thresholdPercentage)} for AbortCriteria must have value greater than 0`);
    if (thresholdPercentage > 100) invalid('ThresholdPercentage for AbortCriteria can be at most 100');
    if (hasMoreDigits(thresholdPercentage, THRESHOLD_DIGITS))
      invalid('ThresholdPercentage for AbortCriteria can have at most two digits after the decimal');
    return { failureType, thresholdPercentage, minNumberOfExecutedThings };
  });
}

function minutesOf(given: Given['timeoutConfig']): number | undefined {
  const minutes = given?.inProgressTimeoutInMinutes;
  if (minutes !== undefined && (minutes < 1 || minutes > MAX_MINUTES))
    invalid(`InProgressTimeoutInMinutes has to be 1 to ${MAX_MINUTES}`);
  return minutes;
}

function retryCriteriaOf(given: Given['jobExecutionsRetryConfig']): readonly RetryCriterion[] | undefined {
  const criteria = given?.criteriaList?.map(({ failureType = 'ALL', numberOfRetries = 0 }) => ({ failureType, numberOfRetries }));
  if (criteria === undefined) return undefined;
  const types = criteria.map(({ failureType }) => failureType);
  if (new Set(types).size < types.length || (types.includes('ALL') && types.length > 1))
    invalid('Retry criteria have to be of different failure types, and ALL has to be alone');
  if (criteria.some(({ numberOfRetries }) => numberOfRetries < 0)) invalid('NumberOfRetries can not be negative');
  if (criteria.reduce((sum, { numberOfRetries }) => sum + numberOfRetries, 0) > MAX_RETRIES)
    invalid(`The total number of retries can be at most ${MAX_RETRIES}`);
  return criteria;
}

/** Reads the settings of a request. */
export function readSettings(given: Given): JobSettings {
  const { description, documentSource, presignedUrlConfig, destinationPackageVersions: packageVersions } = given;
  if (packageVersions !== undefined && packageVersions.length > MAX_PACKAGE_VERSIONS)
    invalid(`There can be at most ${MAX_PACKAGE_VERSIONS} destination package versions`);
  return {
    description,
    documentSource,
    presignedUrls:
      presignedUrlConfig === undefined
        ? undefined
        : { roleArn: presignedUrlConfig.roleArn, expiresInSec: presignedUrlConfig.expiresInSec },
    rate: rateOf(given.jobExecutionsRolloutConfig),
    abortCriteria: abortCriteriaOf(given.abortConfig),
    inProgressMinutes: minutesOf(given.timeoutConfig),
    retryCriteria: retryCriteriaOf(given.jobExecutionsRetryConfig),
    packageVersions,
  };
}

/** Timeouts can be tried again only where there is a timeout. */
export function checkTogether({ retryCriteria = [], inProgressMinutes }: JobSettings): void {
  if (retryCriteria.some(({ failureType }) => failureType === 'TIMED_OUT') && inProgressMinutes === undefined)
    invalid('Retries of TIMED_OUT executions need a timeoutConfig');
}

const shownRate = ({ maximumPerMinute, exponential }: RolloutRate) => ({
  maximumPerMinute,
  exponentialRate:
    exponential === undefined
      ? undefined
      : {
          baseRatePerMinute: exponential.baseRatePerMinute,
          incrementFactor: exponential.incrementFactor,
          rateIncreaseCriteria:
            exponential.criteria.of === 'notified'
              ? { numberOfNotifiedThings: exponential.criteria.things }
              : { numberOfSucceededThings: exponential.criteria.things },
        },
});

/** Settings as the API shows them. */
export const shownSettings = (settings: JobSettings) => ({
  description: settings.description,
  presignedUrlConfig: settings.presignedUrls === undefined ? {} : { ...settings.presignedUrls },
  jobExecutionsRolloutConfig: settings.rate === undefined ? {} : shownRate(settings.rate),
  abortConfig:
    settings.abortCriteria === undefined
      ? undefined
      : { criteriaList: settings.abortCriteria.map((each) => ({ ...each, action: 'CANCEL' as const })) },
  timeoutConfig: settings.inProgressMinutes === undefined ? {} : { inProgressTimeoutInMinutes: settings.inProgressMinutes },
  jobExecutionsRetryConfig:
    settings.retryCriteria === undefined ? undefined : { criteriaList: settings.retryCriteria.map((each) => ({ ...each })) },
  destinationPackageVersions: settings.packageVersions === undefined ? undefined : [...settings.packageVersions],
});

/** What is said of URLs with what another says put over it, member by member. */
const overriddenUrls = (below: PresignedUrls | undefined, above: PresignedUrls | undefined): PresignedUrls | undefined =>
  below === undefined || above === undefined
    ? (above ?? below)
    : { roleArn: above.roleArn ?? below.roleArn, expiresInSec: above.expiresInSec ?? below.expiresInSec };

/** Settings with those of another put over them. */
export function overridden(below: JobSettings, above: JobSettings): JobSettings {
  return {
    description: above.description ?? below.description,
    documentSource: above.documentSource ?? below.documentSource,
    presignedUrls: overriddenUrls(below.presignedUrls, above.presignedUrls),
    rate: above.rate ?? below.rate,
    abortCriteria: above.abortCriteria ?? below.abortCriteria,
    inProgressMinutes: above.inProgressMinutes ?? below.inProgressMinutes,
    retryCriteria: above.retryCriteria ?? below.retryCriteria,
    packageVersions: above.packageVersions ?? below.packageVersions,
  };
}
