/**
 * StartThingRegistrationTask, StopThingRegistrationTask, DescribeThingRegistrationTask, ListThingRegistrationTasks,
 * ListThingRegistrationTaskReports.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { schedule } from '../store/due-records.ts';
import type { RegistrationReports } from './registration-reports.ts';
import {
  describedRegistrationTask,
  dueRegistration,
  getRegistrationTask,
  isUnderWay,
  REGISTRATION_KIND,
  type RegistrationTaskStatus,
  registrationTasks,
} from './registration-tasks.ts';
import { roleRights } from './rights.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { readTemplate } from './template.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'StartThingRegistrationTask'
    | 'StopThingRegistrationTask'
    | 'DescribeThingRegistrationTask'
    | 'ListThingRegistrationTasks'
    | 'ListThingRegistrationTaskReports'
  >
>;

export interface ThingRegistrationTaskOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly findRole: FindRole;
  readonly reports: RegistrationReports;
}

/** Tasks that are kept of an account. */
const MAX_TASKS = 1000;
const PAGE = 100;
const UNDER_WAY: readonly RegistrationTaskStatus[] = ['InProgress', 'Cancelling'];

/** An account has one task at a time (General Reference, "bulk thing registration"). */
async function refuseAnother(tx: ReadTransaction, { accountId }: Caller): Promise<void> {
  for (const status of UNDER_WAY) {
    const { items } = await tx.scan(registrationTasks, { index: 'byStatus', prefix: [accountId, status], limit: 1 });
    if (items[0] !== undefined)
      fail('InvalidRequestException', `The registration task ${items[0].taskId} is under way: an account has one at a time.`);
  }
  const { items } = await tx.scan(registrationTasks, { prefix: [accountId], limit: MAX_TASKS });
  if (items.length >= MAX_TASKS) fail('InvalidRequestException', `An account has ${MAX_TASKS} registration tasks in 30 days.`);
}

export function thingRegistrationTaskOperations({ store, clock, findRole, reports }: ThingRegistrationTaskOptions): Operations {
  return {
    async StartThingRegistrationTask({ templateBody = '', inputFileBucket = '', inputFileKey = '', roleArn = '' }, caller) {
      readTemplate(templateBody, 'registration');
      await roleRights(findRole, caller, roleArn);
      const { accountId, region } = caller;
      const [taskId, now] = [randomUUID(), clock.now()];
      await store.write(async (tx) => {
        await refuseAnother(tx, caller);
        await tx.put(registrationTasks, {
          ...{ accountId, taskId, createdAt: now, lastModifiedAt: now, templateBody, roleArn },
          ...{ bucket: inputFileBucket, key: inputFileKey, status: 'InProgress' as const },
          ...{ successCount: 0, failureCount: 0, line: 0, offset: 0, owner: randomInt(2 ** 47) },
        });
        const data = { region, accountId, taskId };
        await schedule(tx, { kind: REGISTRATION_KIND, id: dueRegistration(caller, taskId), accountId, at: now, data });
      });
      return { taskId };
    },

    async StopThingRegistrationTask({ taskId = '' }, caller) {
      const { accountId, region } = caller;
      await store.write(async (tx) => {
        const task = await getRegistrationTask(tx, accountId, taskId);
        if (!isUnderWay(task)) fail('InvalidRequestException', `The registration task ${taskId} is ${task.status}.`);
        await tx.put(registrationTasks, { ...task, status: 'Cancelling', lastModifiedAt: clock.now() });
        // The server that has it notices; one that waits for another attempt is ended at once.
        const data = { region, accountId, taskId };
        await schedule(tx, { kind: REGISTRATION_KIND, id: dueRegistration(caller, taskId), accountId, at: clock.now(), data });
      });
      return {};
    },

    async DescribeThingRegistrationTask({ taskId = '' }, { accountId }) {
      return describedRegistrationTask(await store.read((tx) => getRegistrationTask(tx, accountId, taskId)));
    },

    async ListThingRegistrationTasks({ status, nextToken, maxResults = PAGE }, { accountId }) {
      const page = { skipDamaged: true, reverse: true, after: nextToken, limit: maxResults };
      const scan =
        status === undefined
          ? { ...page, index: 'byCreation', prefix: [accountId] }
          : { ...page, index: 'byStatus', prefix: [accountId, status] };
      const { items, next } = await store.read((tx) => tx.scan(registrationTasks, scan));
      return { taskIds: items.map(({ taskId }) => taskId), nextToken: next };
    },

    async ListThingRegistrationTaskReports({ taskId = '', reportType }, caller) {
      const type = reportType ?? fail('InvalidRequestException', 'reportType is required.');
      const task = await store.read((tx) => tx.get(registrationTasks, [caller.accountId, taskId]));
      // The operation declares no ResourceNotFoundException.
      if (task === undefined) fail('InvalidRequestException', `The registration task ${taskId} does not exist.`);
      return { resourceLinks: [reports.link(caller, taskId, type)], reportType: type };
    },
  };
}
