/** CloudWatch Logs, as core takes it. */
import type { DomainEntry } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { logsService } from './logs-service.ts';
import type { LogWriter } from './writer.ts';
import { logGroups, logStreams } from './store.ts';

const HOUR = 3_600_000;

export interface LogsDeps {
  readonly clock: Clock;
  readonly logs: LogWriter;
}

export const logsDomain: DomainEntry<LogsDeps> = {
  collections: [logGroups, logStreams],
  open: ({ clock, logs: writer }) => ({
    name: 'logs',
    json: { logs: ({ store }) => logsService({ store, clock }) },
    tasks: [{ name: 'logs', every: HOUR, run: () => writer.tidy() }],
  }),
};
