/**
 * Requests to devices: owed since the commit that has made the execution, until they are known to be sent. What fails, or
 * ends with the server, is sent again, so that a device may get a request twice and misses none before its time is over.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import { cancel, dueRecords, schedule } from '../store/due-records.ts';
import type { DueHandler } from '../store/due-work.ts';
import { getCommand, getCommandBody } from './commands.ts';
import type { CommandExecutionEvents } from './execution-events.ts';
import { type RequestPayload, requestPayload } from './execution-start.ts';
import { deadlineOf } from './executions.ts';
import { commandExecutions, executionDetails, type ExecutionRecord } from './store.ts';
import { executionTopic, targetOf } from './targets.ts';

const KIND = 'command-request';
/** Milliseconds after which a request that is not known to be sent is sent again, unless half of its time is less: ours. */
const SENT_AGAIN_AFTER = 2_000;

const dueName = ({ region, accountId }: Place, executionId: string): string => `${region}/${accountId}/${executionId}`;

interface RequestItem extends Place {
  readonly executionId: string;
}

export interface OwedRequest {
  readonly execution: ExecutionRecord;
  readonly request: RequestPayload;
}

/** Notes that the request of an execution has to be sent. */
export function oweRequest(tx: WriteTransaction, { region, accountId }: Place, execution: ExecutionRecord): Promise<void> {
  const { executionId, createdAt, timeoutSeconds } = execution;
  const at = createdAt + Math.min(SENT_AGAIN_AFTER, timeoutSeconds * 500);
  const id = dueName({ region, accountId }, executionId);
  return schedule(tx, { kind: KIND, id, accountId, at, data: { region, accountId, executionId } });
}

/** The request that an execution still has to send; undefined where it is sent, its device has answered, or its time is over. */
export async function owedRequest(
  tx: ReadTransaction,
  place: Place,
  executionId: string,
  now: number,
): Promise<OwedRequest | undefined> {
  const { accountId } = place;
  if ((await tx.get(dueRecords, [KIND, dueName(place, executionId)])) === undefined) return undefined;
  const execution = await tx.get(commandExecutions, [accountId, executionId]);
  if (execution?.status !== 'CREATED' || now >= deadlineOf(execution)) return undefined;
  const body = await getCommandBody(tx, await getCommand(tx, accountId, execution.commandId));
  const { parameters = {} } = (await tx.get(executionDetails, [accountId, executionId])) ?? {};
  return { execution, request: requestPayload(body, parameters, execution.timeoutSeconds) };
}

export interface RequestDeps {
  readonly clock: Clock;
  readonly messaging: Pick<Messaging, 'publish' | 'stored'>;
  readonly events: CommandExecutionEvents;
}

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['application/json', '/json'],
  ['application/cbor', '/cbor'],
]);

/**
 * Tells of the execution and sends its request: QoS 1, so that a persistent session gets it when its device is back, unless the
 * time is over by then. Resolves once it is stored where it has to be.
 */
async function publishRequest(
  { clock, messaging, events }: RequestDeps,
  place: Place,
  { execution, request: { payload, contentType } }: OwedRequest,
): Promise<void> {
  events(place, execution);
  const [type = ''] = contentType.toLowerCase().split(';');
  const base = executionTopic(targetOf(place, execution.targetArn), execution.executionId);
  const topic = `${base}/request${FORMATS.get(type.trim()) ?? ''}`;
  const messageExpiryInterval = Math.max(1, Math.ceil((deadlineOf(execution) - clock.now()) / 1000));
  await messaging.stored(messaging.publish(place, topic, payload, 1, { contentType, messageExpiryInterval }));
}

/** Sends a request, and notes that it is sent. */
export async function sendRequest(deps: RequestDeps, store: Store, place: Place, owed: OwedRequest): Promise<void> {
  await publishRequest(deps, place, owed);
  const id = dueName(place, owed.execution.executionId);
  // It is on its way: where that can't be noted, it is sent once more.
  await store.write((tx) => cancel(tx, KIND, id)).catch(() => undefined);
}

/** Sends what is still owed. */
export const owedRequests = (deps: RequestDeps & { readonly inRegion: (region: string) => Store }): DueHandler => ({
  kind: KIND,
  concurrency: 64,
  async take({ data }) {
    const { executionId, ...place } = data as RequestItem;
    const owed = await deps.inRegion(place.region).read((tx) => owedRequest(tx, place, executionId, deps.clock.now()));
    if (owed !== undefined) await publishRequest(deps, place, owed);
    return 'done';
  },
});
