/** What time does to executions: TIMED_OUT where the device has not answered, and the end of their records after six months. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { cancel, schedule } from '../store/due-records.ts';
import type { DueHandler } from '../store/due-work.ts';
import { countRecords } from '../store/record-counts.ts';
import type { CommandExecutionEvents } from './execution-events.ts';
import { deadlineOf, isActive, NO_RESPONSE } from './executions.ts';
import { commandExecutions, executionDetails, type ExecutionRecord } from './store.ts';

/** Milliseconds for which an execution is kept: six months. */
export const KEPT = 183 * 24 * 3_600_000;
const KIND = 'command-execution';
const dueName = ({ region, accountId }: Place, executionId: string): string => `${region}/${accountId}/${executionId}`;

interface ExecutionItem extends Place {
  readonly executionId: string;
}

/** Schedules the end of an execution's time. */
export async function watchExecution(
  tx: WriteTransaction,
  { region, accountId }: Place,
  execution: ExecutionRecord,
): Promise<void> {
  const { executionId } = execution;
  const id = dueName({ region, accountId }, executionId);
  await schedule(tx, { kind: KIND, id, accountId, at: deadlineOf(execution), data: { region, accountId, executionId } });
}

export async function removeExecution(tx: WriteTransaction, place: Place, executionId: string): Promise<void> {
  const { accountId } = place;
  await tx.delete(commandExecutions, [accountId, executionId]);
  await tx.delete(executionDetails, [accountId, executionId]);
  await countRecords(tx, accountId, commandExecutions.name, -1);
  await cancel(tx, KIND, dueName(place, executionId));
}

interface DeadlineDeps {
  readonly inRegion: (region: string) => Store;
  readonly clock: Clock;
  readonly events: CommandExecutionEvents;
}

export const executionDeadlines = ({ inRegion, clock, events }: DeadlineDeps): DueHandler => ({
  kind: KIND,
  concurrency: 64,
  async take({ data }) {
    const { executionId, ...place } = data as ExecutionItem;
    const { execution, isNew } = await inRegion(place.region).write(async (tx) => {
      const found = await tx.get(commandExecutions, [place.accountId, executionId]);
      const now = clock.now();
      if (found === undefined) return { execution: undefined, isNew: false };
      if (now >= found.expiresAt) {
        await removeExecution(tx, place, executionId);
        return { execution: undefined, isNew: false };
      }
      if (!isActive(found) || now < deadlineOf(found)) return { execution: found, isNew: false };
      const timedOut: ExecutionRecord = {
        ...found,
        status: 'TIMED_OUT',
        statusReason: { reasonCode: NO_RESPONSE },
        lastUpdatedAt: now,
      };
      await tx.put(commandExecutions, timedOut);
      return { execution: timedOut, isNew: true };
    });
    if (execution === undefined) return 'done';
    if (isNew) events(place, execution);
    return { again: isActive(execution) ? deadlineOf(execution) : execution.expiresAt };
  },
});
