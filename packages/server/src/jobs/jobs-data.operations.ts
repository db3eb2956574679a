/** The jobs data plane over HTTPS (developer guide, page jobs-http-device-api): documents are strings here. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotJobsDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { placeOf } from '@thingkeep/wire/arn.ts';
import { type ErrorCode, fail } from '@thingkeep/wire/errors.ts';
import { type DescribedExecution, type DeviceJobs, JobRejection, type JobRejectionCode } from './device-jobs.ts';
import { checkDetails, checkStepTimeout } from './device-requests.ts';
import { isReported } from './states.ts';

/** What HTTP answers for a rejection; a wrong version has no exception of its own there. */
const CODES: Readonly<Record<JobRejectionCode, ErrorCode>> = {
  InvalidJson: 'InvalidRequestException',
  InvalidRequest: 'InvalidRequestException',
  InvalidStateTransition: 'InvalidStateTransitionException',
  ResourceNotFound: 'ResourceNotFoundException',
  VersionMismatch: 'InvalidRequestException',
  TerminalStateReached: 'TerminalStateException',
  InternalError: 'ServiceUnavailableException',
  RequestThrottled: 'ThrottlingException',
};

async function answered<R>(work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JobRejection) return fail(CODES[error.code], error.message);
    throw error;
  }
}

const shown = (described: DescribedExecution | undefined) =>
  described === undefined ? {} : { execution: { ...described.execution, jobDocument: described.document } };

type Operations = Handlers<
  Pick<
    IotJobsDataOperations,
    'GetPendingJobExecutions' | 'StartNextPendingJobExecution' | 'DescribeJobExecution' | 'UpdateJobExecution'
  >
>;

export const jobsDataOperations = (devices: DeviceJobs): Operations => ({
  GetPendingJobExecutions: ({ thingName = '' }, caller) => answered(() => devices.pending(placeOf(caller), thingName)),

  StartNextPendingJobExecution: ({ thingName = '', statusDetails, stepTimeoutInMinutes }, caller) =>
    answered(async () => {
      const request = {
        statusDetails: statusDetails === undefined ? undefined : checkDetails(statusDetails),
        stepTimeoutInMinutes: checkStepTimeout(stepTimeoutInMinutes),
      };
      return shown(await devices.startNext(placeOf(caller), thingName, request));
    }),

  DescribeJobExecution: ({ thingName = '', jobId = '', includeJobDocument, executionNumber }, caller) =>
    answered(async () =>
      shown(await devices.describe(placeOf(caller), thingName, jobId, { includeJobDocument, executionNumber })),
    ),

  UpdateJobExecution: ({ thingName = '', jobId = '', status, statusDetails, stepTimeoutInMinutes, ...more }, caller) =>
    answered(async () => {
      if (!isReported(status))
        throw new JobRejection('InvalidRequest', 'status has to be IN_PROGRESS, FAILED, SUCCEEDED or REJECTED');
      const { executionState, document } = await devices.update(placeOf(caller), thingName, jobId, {
        status,
        statusDetails: statusDetails === undefined ? undefined : checkDetails(statusDetails),
        stepTimeoutInMinutes: checkStepTimeout(stepTimeoutInMinutes),
        expectedVersion: more.expectedVersion,
        executionNumber: more.executionNumber,
        includeJobExecutionState: more.includeJobExecutionState,
        includeJobDocument: more.includeJobDocument,
      });
      return { executionState, jobDocument: document };
    }),
});
