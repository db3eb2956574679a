/** Events of executions (developer guide, page command-events): always on. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import { commandArn, type ExecutionRecord } from './store.ts';

export type CommandExecutionEvents = (place: Place, execution: ExecutionRecord) => void;

/** Tells of an execution's status, once it is stored. */
export const commandExecutionEvents =
  (messaging: Pick<Messaging, 'publish' | 'hasReceivers'>): CommandExecutionEvents =>
  (place, { executionId, commandId, status, statusReason, targetArn, lastUpdatedAt: timestamp }) => {
    const topic = `$aws/events/commandExecution/${commandId}/${status}`;
    if (!messaging.hasReceivers(place, topic)) return;
    const event = { executionId, status, statusReason, eventType: 'COMMAND_EXECUTION' };
    const about = { commandArn: commandArn(place, commandId), targetArn, timestamp };
    messaging.publish(place, topic, Buffer.from(JSON.stringify({ ...event, ...about })), 1);
  };
