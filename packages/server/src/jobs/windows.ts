/** Maintenance windows (developer guide, page jobs-configurations-details): a continuous job rolls out while one of them is open. */
import { type Cron, CronFault, lastTime, nextTime, parseCron } from './cron.ts';

/** A window as it is given and stored. */
export interface MaintenanceWindow {
  /** A cron expression. */
  readonly startTime: string;
  readonly durationInMinutes: number;
}

/** A window that was read. */
export interface ReadWindow {
  readonly cron: Cron;
  /** Milliseconds. */
  readonly duration: number;
}

const MINUTE = 60_000;
export const MAX_WINDOW_MINUTES = 1430;
/** Windows of a job; AWS names no number. */
export const MAX_WINDOWS = 10;
/** Starts that DescribeJob shows. */
export const SHOWN_STARTS = 7;

/** Reads windows; fails with a {@link CronFault}. */
export function readWindows(windows: readonly MaintenanceWindow[]): readonly ReadWindow[] {
  if (windows.length > MAX_WINDOWS) throw new CronFault(`A job can have at most ${MAX_WINDOWS} maintenance windows`);
  return windows.map(({ startTime, durationInMinutes }) => {
    if (!(durationInMinutes >= 1 && durationInMinutes <= MAX_WINDOW_MINUTES))
      throw new CronFault(`durationInMinutes of a maintenance window has to be 1 to ${MAX_WINDOW_MINUTES}`);
    return { cron: parseCron(startTime), duration: durationInMinutes * MINUTE };
  });
}

/** When the windows that are open now are over; undefined while none is. */
export function openUntil(windows: readonly ReadWindow[], now: number): number | undefined {
  const ends = windows.flatMap(({ cron, duration }) => {
    const start = lastTime(cron, now, now - duration);
    return start === undefined ? [] : [start + duration];
  });
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** The first start of a window that is not before `from`. */
export function nextStart(windows: readonly ReadWindow[], from: number): number | undefined {
  const starts = windows.flatMap(({ cron }) => nextTime(cron, from) ?? []);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** The next starts, those of several windows together; none at `until` or later. */
export function nextStarts(windows: readonly ReadWindow[], from: number, until = Number.POSITIVE_INFINITY): number[] {
  const starts: number[] = [];
  // A window is looked for again once its start is taken.
  const coming = windows.map(({ cron }) => ({ cron, at: nextTime(cron, from) ?? Number.POSITIVE_INFINITY }));
  while (starts.length < SHOWN_STARTS) {
    const next = Math.min(...coming.map(({ at }) => at));
    if (next >= until) break;
    starts.push(next);
    for (const each of coming) if (each.at === next) each.at = nextTime(each.cron, next + MINUTE) ?? Number.POSITIVE_INFINITY;
  }
  return starts;
}
