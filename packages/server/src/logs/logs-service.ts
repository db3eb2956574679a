/** CloudWatch Logs as a service of the JSON protocol: its target prefix and its operations. */
import { logEventOperations } from './log-events.operations.ts';
import { logGroupOperations, type LogsHandler, type LogsOptions } from './log-groups.operations.ts';

export const logsService = (
  options: LogsOptions,
): { readonly target: string; readonly operations: Readonly<Record<string, LogsHandler>> } => ({
  target: 'Logs_20140328',
  operations: { ...logGroupOperations(options), ...logEventOperations(options) },
});
