/** Times by which executions are listed: `{after, before}`, to the minute (API reference, TimeFilter). */
import { invalid } from './invalid.ts';

export interface TimeFilter {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

/** Milliseconds; both are left out. */
export interface TimeRange {
  readonly after: number;
  readonly before: number;
}

const FORMAT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d(?:\.\d{1,3})?)?Z?$/;

function timeOf(text: string): number {
  const [, minute] = FORMAT.exec(text) ?? [];
  const time = minute === undefined ? Number.NaN : Date.parse(`${minute}Z`);
  return Number.isNaN(time) ? invalid(`The time ${text} is not of the form yyyy-MM-dd'T'HH:mm`) : time;
}

export function timeRange({ after, before }: TimeFilter): TimeRange {
  if (after === undefined && before === undefined) invalid("A time filter needs 'after' or 'before'");
  return {
    after: after === undefined ? Number.NEGATIVE_INFINITY : timeOf(after),
    before: before === undefined ? Number.POSITIVE_INFINITY : timeOf(before),
  };
}
