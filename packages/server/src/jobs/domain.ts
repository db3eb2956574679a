/** Jobs, as core takes them. */
import type { Messaging } from '../broker/messaging.ts';
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { RoleObjects } from '../objects/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk-room.ts';
import type { Logger } from '../runtime/log.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { DeviceJobs } from './device-jobs.ts';
import { AccountsWithJobs, jobTargets, jobTargetSubscription, waitingJobTargets } from './followers.ts';
import { jobCreationOperations } from './job-creation.operations.ts';
import { jobExecutionOperations } from './job-executions.operations.ts';
import { JobRates, type JobRatesOf } from './job-rates.ts';
import { jobTemplateOperations } from './job-templates.operations.ts';
import { jobsDataOperations } from './jobs-data.operations.ts';
import { jobOperations } from './jobs.operations.ts';
import { jobTopics } from './jobs.topics.ts';
import type { JobsModule } from './open.ts';
import { activeJobs, executions, jobCounts, jobDocuments, jobs, jobTemplates, targetChanges } from './store.ts';
import { executionTimeouts, jobSteps } from './worker.ts';

export interface JobDeps {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Pick<Logger, 'error'>;
  readonly tags: PolicyTags;
  readonly messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;
  readonly changes: Changes;
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly refuse: (refusal: Refusal) => void;
  readonly ratesOf: (accountId: string) => JobRatesOf;
  readonly roleObjects: RoleObjects;
  readonly jobs: JobsModule;
}

const taggable: TaggableResources = {
  job: async (tx, accountId, name) => (await tx.get(jobs, [accountId, name])) !== undefined,
  jobtemplate: async (tx, accountId, name) => (await tx.get(jobTemplates, [accountId, name])) !== undefined,
};

export const jobsDomain: DomainEntry<JobDeps> = {
  collections: [activeJobs, executions, jobCounts, jobDocuments, jobs, jobTemplates, targetChanges],
  subscriptions: [jobTargetSubscription],
  open: (deps) => {
    const { changes, regions, inRegion } = deps;
    const { enabled, urls, writer } = deps.jobs;
    const accounts = new AccountsWithJobs();
    const devices = new DeviceJobs({ ...deps, writer, urls, rates: new JobRates(deps) });
    return {
      name: 'jobs',
      taggable,
      topics: jobTopics({ ...deps, devices }),
      dueWork: [jobSteps(writer, deps.disk), executionTimeouts(writer), waitingJobTargets({ ...deps, writer })],
      subscribers: [jobTargets({ ...deps, writer, accounts })],
      operations: ({ store }) => ({
        iot: {
          ...jobCreationOperations({ ...deps, store, writer, urls }),
          ...jobOperations({ ...deps, store, writer }),
          ...jobExecutionOperations({ ...deps, store, writer }),
          ...jobTemplateOperations({ ...deps, store, urls }),
        },
        'iot-jobs-data': jobsDataOperations(devices),
      }),
      async load() {
        await enabled.load();
        await accounts.load(changes, await regions(), inRegion);
      },
      close() {
        enabled.close();
        accounts.close();
      },
    };
  },
};
