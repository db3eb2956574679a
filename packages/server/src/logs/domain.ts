/** CloudWatch Logs, as core takes it. */
import type { Domain } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { logsService } from './logs-service.ts';
import type { LogWriter } from './writer.ts';

const HOUR = 3_600_000;

export interface LogsDeps {
  readonly clock: Clock;
  readonly writer: LogWriter;
}

export const logsDomain = ({ clock, writer }: LogsDeps): Domain => ({
  name: 'logs',
  json: { logs: ({ store }) => logsService({ store, clock }) },
  tasks: [{ name: 'logs', every: HOUR, run: () => writer.tidy() }],
});
