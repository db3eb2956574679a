/** StartCommandExecution, GetCommandExecution, ListCommandExecutions, DeleteCommandExecution. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { nameInPlace, type Place } from '@thingkeep/wire/arn.ts';
import { answeringValidation, type Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotJobsDataOperations, IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { filteredPage } from '../registry/paging.ts';
import { things } from '../registry/store.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { countRecords } from '../store/record-counts.ts';
import { getCommand, getCommandBody } from './commands.ts';
import { KEPT, removeExecution, watchExecution } from './execution-deadlines.ts';
import { owedRequest, oweRequest, type RequestDeps, sendRequest } from './execution-requests.ts';
import { type GivenValues, givenValues, refuseStart, requestPayload } from './execution-start.ts';
import { describedExecution, commandExecutionSummary, isActive } from './executions.ts';
import { invalid } from './invalid.ts';
import { commandExecutions, executionDetails, type ExecutionRecord, type StoredValue } from './store.ts';
import { targetOf } from './targets.ts';
import { type TimeFilter, timeRange } from './time-filter.ts';

export interface ExecutionOperationDeps extends RequestDeps {
  readonly store: Store;
}

type Controls = Handlers<Pick<IotOperations, 'GetCommandExecution' | 'ListCommandExecutions' | 'DeleteCommandExecution'>>;
type Starts = Handlers<Pick<IotJobsDataOperations, 'StartCommandExecution'>>;

/** Seconds of an execution: by default, and at most (12 hours). */
const TIMEOUT = 10;
const MAX_TIMEOUT = 43_200;
/** Executions that are kept of an account in a region: ours. */
const MAX_EXECUTIONS = 1_000_000;
const PAGE = 100;

const commandIdIn = (place: Place, arn: string): string =>
  nameInPlace(arn, place, 'command') ?? invalid(`The command ${arn} is not of this account and region`);

/** The execution that a request with this token has started before; fails where that was another request. */
async function startedBefore(
  tx: ReadTransaction,
  { accountId, clientToken = '', commandId, targetArn, timeoutSeconds }: Omit<ExecutionRecord, 'status'>,
  parameters: Readonly<Record<string, StoredValue>> | undefined,
): Promise<ExecutionRecord | undefined> {
  if (clientToken === '') return undefined;
  const { items } = await tx.scan(commandExecutions, { index: 'byToken', prefix: [accountId, clientToken], limit: 1 });
  const [found] = items;
  if (found === undefined) return undefined;
  const { parameters: before } = (await tx.get(executionDetails, [accountId, found.executionId])) ?? {};
  const asked = [commandId, targetArn, timeoutSeconds, parameters];
  if (!isDeepStrictEqual([found.commandId, found.targetArn, found.timeoutSeconds, before], asked))
    fail('ConflictException', 'The clientToken was used for another request', { resourceId: found.executionId });
  return found;
}

export const executionStarts = ({ store, ...deps }: ExecutionOperationDeps): Starts =>
  answeringValidation<Starts>({
    async StartCommandExecution(input, caller) {
      const { commandArn: arn = '', targetArn = '', executionTimeoutSeconds = TIMEOUT, clientToken } = input;
      const { accountId } = caller;
      const [commandId, target] = [commandIdIn(caller, arn), targetOf(caller, targetArn)];
      if (executionTimeoutSeconds > MAX_TIMEOUT)
        invalid(`executionTimeoutSeconds is ${MAX_TIMEOUT} at most: an execution lasts 12 hours at most`);
      const now = deps.clock.now();
      const execution: ExecutionRecord = {
        ...{ accountId, executionId: randomUUID(), commandId, targetArn, status: 'CREATED', clientToken },
        ...{ timeoutSeconds: executionTimeoutSeconds, createdAt: now, lastUpdatedAt: now, expiresAt: now + KEPT },
      };
      const { executionId, owed } = await store.write(async (tx) => {
        const command = await getCommand(tx, accountId, commandId);
        const body = await getCommandBody(tx, command);
        const parameters = givenValues(body, input.parameters as GivenValues | undefined);
        const before = await startedBefore(tx, execution, parameters);
        // Where the request of the first attempt is not known to be sent, this one sends it.
        if (before !== undefined)
          return { executionId: before.executionId, owed: await owedRequest(tx, caller, before.executionId, now) };
        refuseStart(command);
        if (target.kind === 'things' && (await tx.get(things, [accountId, target.name])) === undefined)
          fail('ResourceNotFoundException', `The thing ${target.name} does not exist`);
        const request = requestPayload(body, parameters ?? {}, executionTimeoutSeconds);
        if ((await countRecords(tx, accountId, commandExecutions.name, 1)) > MAX_EXECUTIONS)
          fail('ServiceQuotaExceededException', `An account has at most ${MAX_EXECUTIONS} executions of commands`);
        await tx.put(commandExecutions, execution);
        const { executionId } = execution;
        if (parameters !== undefined) await tx.put(executionDetails, { accountId, executionId, parameters });
        await watchExecution(tx, caller, execution);
        await oweRequest(tx, caller, execution);
        return { executionId, owed: { execution, request } };
      });
      if (owed !== undefined) await sendRequest(deps, store, caller, owed);
      return { executionId };
    },
  });

export const executionOperations = ({ store }: Pick<ExecutionOperationDeps, 'store'>): Controls => {
  /** The execution, where it is of this target. */
  async function find(tx: ReadTransaction, accountId: string, executionId: string, targetArn: string) {
    const found = await tx.get(commandExecutions, [accountId, executionId]);
    return found?.targetArn === targetArn ? found : undefined;
  }

  return answeringValidation<Controls>({
    async GetCommandExecution({ executionId = '', targetArn = '', includeResult = false }, caller) {
      const { accountId } = caller;
      targetOf(caller, targetArn);
      return store.read(async (tx) => {
        const execution =
          (await find(tx, accountId, executionId, targetArn)) ??
          fail('ResourceNotFoundException', `The execution ${executionId} does not exist`);
        const { parameters, result } = (await tx.get(executionDetails, [accountId, executionId])) ?? {};
        return describedExecution(caller, execution, { parameters, result: includeResult ? result : undefined });
      });
    },

    async ListCommandExecutions(input, caller) {
      const { namespace = 'AWS-IoT', status, sortOrder, startedTimeFilter, completedTimeFilter, targetArn, commandArn } = input;
      if ((commandArn === undefined) === (targetArn === undefined))
        invalid('Exactly one of commandArn and targetArn has to be specified');
      if ((startedTimeFilter === undefined) === (completedTimeFilter === undefined))
        invalid('Exactly one of startedTimeFilter and completedTimeFilter has to be specified');
      const { after, before } = timeRange((startedTimeFilter ?? completedTimeFilter) as TimeFilter);
      if (targetArn !== undefined) targetOf(caller, targetArn);
      const of = commandArn === undefined ? (targetArn ?? '') : commandIdIn(caller, commandArn);
      const index = `by${commandArn === undefined ? 'Target' : 'Command'}${startedTimeFilter === undefined ? 'End' : 'Start'}`;
      const { maxResults: limit = PAGE, nextToken } = input;
      const scan = { index, prefix: [caller.accountId, of], after: nextToken, limit, reverse: sortOrder !== 'ASCENDING' };
      const timeOf = ({ createdAt, completedAt = 0 }: ExecutionRecord): number =>
        startedTimeFilter === undefined ? completedAt : createdAt;
      const keep = (each: ExecutionRecord): boolean =>
        namespace === 'AWS-IoT' &&
        timeOf(each) > after &&
        timeOf(each) < before &&
        (status === undefined || each.status === status);
      const { items, next } = await store.read((tx) => filteredPage(tx, commandExecutions, scan, keep));
      return { commandExecutions: items.map((each) => commandExecutionSummary(caller, each)), nextToken: next };
    },

    async DeleteCommandExecution({ executionId = '', targetArn = '' }, caller) {
      targetOf(caller, targetArn);
      await store.write(async (tx) => {
        const execution = await find(tx, caller.accountId, executionId, targetArn);
        // No error is declared for an execution that is not there: it is gone.
        if (execution === undefined) return;
        if (isActive(execution))
          fail('ConflictException', `The execution ${executionId} is ${execution.status}: it can not be deleted before its end`);
        await removeExecution(tx, caller, executionId);
      });
      return {};
    },
  });
};
