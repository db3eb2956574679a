/**
 * Cron expressions of six fields, `cron(minutes hours day-of-month month day-of-week year)` in UTC, with the wildcards
 * `, - * / ? L W #` (developer guide, page jobs-configurations-details; EventBridge's form). Days of the week are 1 to 7 from
 * Sunday on, or names.
 */

/** Why an expression is none; `message` may be shown. */
export class CronFault extends Error {
  override readonly name = 'CronFault';
}

type DayOfMonth = { readonly days: ReadonlySet<number> } | { readonly last: true } | { readonly weekdayNear: number | 'last' };

type DayOfWeek =
  | { readonly days: ReadonlySet<number> }
  /** The last one of the month. */
  | { readonly lastOf: number }
  | { readonly nth: { readonly day: number; readonly number: number } };

export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly years: ReadonlySet<number>;
  /** One of both is undefined: `?`. */
  readonly dayOfMonth: DayOfMonth | undefined;
  readonly dayOfWeek: DayOfWeek | undefined;
}

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Names of the values, from the first on. */
  readonly names: readonly string[];
  /** What `*` stands for. */
  readonly all: ReadonlySet<number>;
}

const FIRST_YEAR = 1970;
const LAST_YEAR = 2199;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
const field = (name: string, from: number, to: number, names: readonly string[] = []): Field => ({
  ...{ name, from, to, names },
  all: new Set(range(from, to)),
});
const FIELDS = {
  minutes: field('minutes', 0, 59),
  hours: field('hours', 0, 23),
  dayOfMonth: field('day of month', 1, 31),
  month: field('month', 1, 12, MONTHS),
  dayOfWeek: field('day of week', 1, 7, DAYS),
  year: field('year', FIRST_YEAR, LAST_YEAR),
};

const fault = (message: string): never => {
  throw new CronFault(message);
};

function fieldValue(text: string, { name, from, to, names }: Field): number {
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + from : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : fault(`${text} is no value of the field ${name} of a cron expression`);
}

/** One part of a list: a value, a range, or steps. */
function partOf(text: string, of: Field): number[] {
  const [span = '', every, ...more] = text.split('/');
  const step = every === undefined ? 1 : /^\d{1,4}$/.test(every) ? Number(every) : 0;
  if (more.length > 0 || step < 1) fault(`${text} is no part of the field ${of.name} of a cron expression`);
  const [low = '', high, ...rest] = span.split('-');
  if (rest.length > 0) fault(`${text} is no range of the field ${of.name} of a cron expression`);
  const first = span === '*' ? of.from : fieldValue(low, of);
  const last = high !== undefined ? fieldValue(high, of) : span === '*' || every !== undefined ? of.to : first;
  if (last < first) fault(`the range ${text} of the field ${of.name} of a cron expression is empty`);
  return range(first, last, step);
}

const valuesOf = (text: string, of: Field): ReadonlySet<number> =>
  text === '*' ? of.all : new Set(text.split(',').flatMap((part) => partOf(part, of)));

const sorted = (values: ReadonlySet<number>): number[] => [...values].sort((a, b) => a - b);

function dayOfMonthOf(text: string): DayOfMonth | undefined {
  if (text === '?') return undefined;
  const upper = text.toUpperCase();
  if (upper === 'L') return { last: true };
  if (upper === 'LW') return { weekdayNear: 'last' };
  if (/^\d{1,2}W$/.test(upper)) return { weekdayNear: fieldValue(upper.slice(0, -1), FIELDS.dayOfMonth) };
  return { days: valuesOf(text, FIELDS.dayOfMonth) };
}

function dayOfWeekOf(text: string): DayOfWeek | undefined {
  if (text === '?') return undefined;
  const upper = text.toUpperCase();
  if (upper === 'L') return { days: new Set([7]) };
  const numbered = upper.split('#');
  if (numbered.length > 2) fault('a cron expression can have one # at most');
  if (numbered.length === 2) {
    const [day = '', number = ''] = numbered;
    if (!/^[1-5]$/.test(number)) fault(`${text}: there is no such day in a month`);
    return { nth: { day: fieldValue(day, FIELDS.dayOfWeek), number: Number(number) } };
  }
  if (/^(?:\d|[A-Z]{3})L$/.test(upper)) return { lastOf: fieldValue(upper.slice(0, -1), FIELDS.dayOfWeek) };
  return { days: valuesOf(text, FIELDS.dayOfWeek) };
}

/** Most characters of an expression. */
const MAX_LENGTH = 256;

/** Reads `cron(...)`; fails with a {@link CronFault}. */
export function parseCron(text: string): Cron {
  if (text.length > MAX_LENGTH) fault('a cron expression has too many characters');
  const inner = /^cron\((.*)\)$/.exec(text.trim())?.[1] ?? fault('a cron expression is of the form cron(m h d M w y)');
  const fields = inner.trim().split(/\s+/);
  if (fields.length !== 6) fault(`a cron expression has six fields, and this one has ${fields.length}`);
  const [minutes = '', hours = '', dom = '', month = '', dow = '', year = ''] = fields;
  const dayOfMonth = dayOfMonthOf(dom);
  const dayOfWeek = dayOfWeekOf(dow);
  if ((dayOfMonth === undefined) === (dayOfWeek === undefined))
    fault('one of day of month and day of week of a cron expression has to be ?, and the other not');
  return {
    minutes: sorted(valuesOf(minutes, FIELDS.minutes)),
    hours: sorted(valuesOf(hours, FIELDS.hours)),
    months: valuesOf(month, FIELDS.month),
    years: valuesOf(year, FIELDS.year),
    dayOfMonth,
    dayOfWeek,
  };
}

const lastDay = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
/** 1 to 7 from Sunday on. */
const weekday = (year: number, month: number, day: number): number => new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;

/** The day from Monday to Friday that is nearest to a day of the month, in that month. */
function nearestWeekday(year: number, month: number, wanted: number): number {
  const last = lastDay(year, month);
  const day = Math.min(wanted, last);
  const of = weekday(year, month, day);
  if (of === 7) return day === 1 ? 3 : day - 1;
  if (of === 1) return day === last ? day - 2 : day + 1;
  return day;
}

function isOnDay({ dayOfMonth, dayOfWeek }: Cron, year: number, month: number, day: number): boolean {
  if (dayOfMonth !== undefined) {
    if ('days' in dayOfMonth) return dayOfMonth.days.has(day);
    if ('last' in dayOfMonth) return day === lastDay(year, month);
    const { weekdayNear } = dayOfMonth;
    // A day that the month does not have is none of it.
    if (weekdayNear !== 'last' && weekdayNear > lastDay(year, month)) return false;
    return day === nearestWeekday(year, month, weekdayNear === 'last' ? 31 : weekdayNear);
  }
  if (dayOfWeek === undefined) return false;
  const of = weekday(year, month, day);
  if ('days' in dayOfWeek) return dayOfWeek.days.has(of);
  if ('lastOf' in dayOfWeek) return of === dayOfWeek.lastOf && day + 7 > lastDay(year, month);
  return of === dayOfWeek.nth.day && Math.ceil(day / 7) === dayOfWeek.nth.number;
}

/** Milliseconds that are looked through for the next time: leap days on a given weekday are 28 years apart. */
const HORIZON = 366 * 41 * DAY;

const isInMonth = ({ years, months }: Cron, date: Date): boolean =>
  years.has(date.getUTCFullYear()) && months.has(date.getUTCMonth() + 1);

const isOn = (cron: Cron, date: Date): boolean => isOnDay(cron, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());

/** The first time of a day that is not before `from`; undefined where the day has none. */
function timeFrom({ hours, minutes }: Cron, day: number, from: number): number | undefined {
  for (const hour of hours) {
    if (day + (hour + 1) * HOUR <= from) continue;
    const minute = minutes.find((each) => day + hour * HOUR + each * MINUTE >= from);
    if (minute !== undefined) return day + hour * HOUR + minute * MINUTE;
  }
  return undefined;
}

/** The last time of a day that is not after `to`; undefined where the day has none. */
function timeTo({ hours, minutes }: Cron, day: number, to: number): number | undefined {
  const hour = hours.findLast((each) => day + each * HOUR + (minutes[0] ?? 0) * MINUTE <= to);
  if (hour === undefined) return undefined;
  const minute = minutes.findLast((each) => day + hour * HOUR + each * MINUTE <= to);
  return minute === undefined ? undefined : day + hour * HOUR + minute * MINUTE;
}

interface MonthFrom {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly firstDay: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
}

/** The first time of a month that is on `firstDay` or later, and not before `from`. */
function timeInMonth(cron: Cron, { year, month, firstDay, from }: MonthFrom): number | undefined {
  const last = lastDay(year, month);
  for (let day = firstDay; day <= last; day += 1) {
    if (!isOnDay(cron, year, month, day)) continue;
    const at = timeFrom(cron, Date.UTC(year, month - 1, day), from);
    if (at !== undefined) return at;
  }
  return undefined;
}

const dayOf = (at: number): number => Math.floor(at / DAY) * DAY;

/** The first time of the expression that is not before `from` and before `until`; milliseconds since the epoch. */
export function nextTime(cron: Cron, from: number, until = Number.POSITIVE_INFINITY): number | undefined {
  const end = Math.min(until, from + HORIZON, Date.UTC(LAST_YEAR + 1, 0));
  const begin = new Date(from);
  let firstDay = begin.getUTCDate();
  // Months are counted on: most expressions that come seldom name a month or a year.
  for (let count = begin.getUTCFullYear() * 12 + begin.getUTCMonth(); ; count += 1) {
    const [year, month] = [Math.floor(count / 12), (count % 12) + 1];
    if (Date.UTC(year, month - 1) >= end) return undefined;
    const at = cron.years.has(year) && cron.months.has(month) ? timeInMonth(cron, { year, month, firstDay, from }) : undefined;
    if (at !== undefined) return at < end ? at : undefined;
    firstDay = 1;
  }
}

/** The last time of the expression that is not after `to`, and after `beyond`. */
export function lastTime(cron: Cron, to: number, beyond: number): number | undefined {
  for (let day = dayOf(to); day + DAY > beyond; day -= DAY) {
    const date = new Date(day);
    const at = isInMonth(cron, date) && isOn(cron, date) ? timeTo(cron, day, to) : undefined;
    if (at !== undefined) return at > beyond ? at : undefined;
  }
  return undefined;
}
