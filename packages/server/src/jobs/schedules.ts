/** A job's schedule (developer guide, page jobs-configurations-details): start, end and maintenance windows, read and checked. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { CronFault } from './cron.ts';
import type { JobRecord, JobSchedule } from './store.ts';
import { type MaintenanceWindow, nextStarts, readWindows } from './windows.ts';

type GivenSchedule = NonNullable<IotOperations['CreateJob']['input']['schedulingConfig']>;
type GivenWindows = GivenSchedule['maintenanceWindows'];

const MINUTE = 60_000;
const HALF_HOUR = 30 * MINUTE;
const YEAR = 366 * 86_400_000;
const TIME = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::00)?Z?$/;

const invalid = (message: string): never => fail('InvalidRequestException', message);

function timeOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const found = TIME.exec(text);
  const [, year = 0, month = 0, day = 0, hours = 0, minutes = 0] = (found ?? []).map(Number);
  const at = Date.UTC(year, month - 1, day, hours, minutes);
  const date = new Date(at);
  const isReal = found !== null && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hours < 24 && minutes < 60;
  return isReal ? at : invalid(`${name} has to be of the form yyyy-MM-ddTHH:mm`);
}

/** A time as the API writes it. */
export const shownTime = (at: number): string => new Date(at).toISOString().slice(0, 16);

/** Windows of a request. */
export function windowsOf(given: GivenWindows): readonly MaintenanceWindow[] | undefined {
  if (given === undefined || given.length === 0) return undefined;
  const windows = given.map(({ startTime = '', durationInMinutes = 0 }) => ({ startTime, durationInMinutes }));
  try {
    readWindows(windows);
  } catch (error) {
    if (error instanceof CronFault) invalid(error.message);
    throw error;
  }
  return windows;
}

function checkTimes(now: number, startAt: number | undefined, endAt: number | undefined): void {
  if (startAt !== undefined && startAt < now + HALF_HOUR - MINUTE)
    invalid('startTime has to be at least 30 minutes ahead of now');
  if (startAt !== undefined && startAt > now + YEAR) invalid('startTime can be at most one year ahead of now');
  if (endAt === undefined) return;
  const from = startAt ?? now;
  if (endAt < from + HALF_HOUR - (startAt === undefined ? MINUTE : 0))
    invalid('endTime has to be at least 30 minutes behind the start');
  if (endAt > from + 2 * YEAR || endAt > now + 2 * YEAR) invalid('endTime can be at most two years ahead');
}

/** Reads the schedule of a request. */
export function readSchedule(
  given: GivenSchedule | undefined,
  { now, isContinuous }: { readonly now: number; readonly isContinuous: boolean },
): JobSchedule | undefined {
  if (given === undefined) return undefined;
  const startAt = timeOf(given.startTime, 'startTime');
  const endAt = timeOf(given.endTime, 'endTime');
  const windows = windowsOf(given.maintenanceWindows);
  checkTimes(now, startAt, endAt);
  if (given.endBehavior !== undefined && endAt === undefined) invalid('endBehavior needs an endTime');
  if (windows !== undefined && !isContinuous) invalid('Maintenance windows are for jobs with target selection CONTINUOUS');
  const endBehavior = endAt === undefined ? undefined : (given.endBehavior ?? 'STOP_ROLLOUT');
  return { startAt, endAt, endBehavior, windows };
}

/** A schedule as the API shows it. */
export const shownSchedule = ({ startAt, endAt, endBehavior, windows }: JobSchedule) => ({
  startTime: startAt === undefined ? undefined : shownTime(startAt),
  endTime: endAt === undefined ? undefined : shownTime(endAt),
  endBehavior,
  maintenanceWindows: windows?.map((each) => ({ ...each })),
});

/** The next starts of a job's windows. */
export function shownRollouts({ schedule, status }: JobRecord, now: number): { startTime: string }[] | undefined {
  const { startAt = 0, endAt, windows } = schedule ?? {};
  if (windows === undefined || (status !== 'SCHEDULED' && status !== 'IN_PROGRESS')) return undefined;
  return nextStarts(readWindows(windows), Math.max(now, startAt), endAt).map((at) => ({ startTime: shownTime(at) }));
}
