/** CloudWatch Logs as a service of the JSON protocol: its target prefix and its operations. */
import { logEventOperations } from './operations-events.ts';
import { logGroupOperations, type LogsHandler, type LogsOptions } from './operations.ts';

export const logsService = (
  options: LogsOptions,
): { readonly target: string; readonly operations: Readonly<Record<string, LogsHandler>> } => ({
  target: 'Logs_20140328',
  operations: { ...logGroupOperations(options), ...logEventOperations(options) },
});
