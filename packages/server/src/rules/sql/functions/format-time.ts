/** `parse_time`: an instant as text, by a pattern of Joda-Time (developer guide, page iot-sql-functions). */
import { MONTHS, readPattern, WEEKDAYS } from './time-pattern.ts';
import { offsetText, type Zone } from './zone.ts';

/** Local time, as the fields of a UTC date. */
interface Moment {
  readonly local: Date;
  readonly instant: number;
  readonly zone: Zone;
}

type Field = (moment: Moment, count: number) => string;

const padded =
  (value: (moment: Moment) => number): Field =>
  (moment, count) => {
    const number = value(moment);
    return (number < 0 ? '-' : '') + String(Math.abs(number)).padStart(count, '0');
  };

const year = ({ local }: Moment): number => local.getUTCFullYear();
/** Years of the era: 1 BC is the year 0. */
const yearOfEra = (moment: Moment): number => (year(moment) > 0 ? year(moment) : 1 - year(moment));
/** 1 for Monday. */
const weekday = ({ local }: Moment): number => local.getUTCDay() || 7;
const hour = ({ local }: Moment): number => local.getUTCHours();

const DAY = 86_400_000;
const dayOfYear = ({ local }: Moment): number => {
  const start = new Date(local.getTime());
  start.setUTCMonth(0, 1);
  return Math.round((local.getTime() - start.getTime()) / DAY) + 1;
};

/** The Thursday of the week tells the year that the week belongs to (ISO 8601). */
function thursday(moment: Moment): Moment {
  return { ...moment, local: new Date(moment.local.getTime() + (4 - weekday(moment)) * DAY) };
}

/** Two letters are the last two digits. */
const shortYear =
  (value: (moment: Moment) => number): Field =>
  (moment, count) =>
    count === 2 ? String(Math.abs(value(moment)) % 100).padStart(2, '0') : padded(value)(moment, count);

const named =
  (names: readonly string[], index: (moment: Moment) => number): Field =>
  (moment, count) => {
    const name = names[index(moment)] ?? '';
    return count >= 4 ? name : name.slice(0, 3);
  };

const monthName = named(MONTHS, ({ local }) => local.getUTCMonth());

const FIELDS: Readonly<Record<string, Field>> = {
  G: (moment) => (year(moment) > 0 ? 'AD' : 'BC'),
  C: padded((moment) => Math.floor(yearOfEra(moment) / 100)),
  Y: shortYear(yearOfEra),
  y: shortYear(year),
  x: shortYear((moment) => year(thursday(moment))),
  w: padded((moment) => Math.ceil(dayOfYear(thursday(moment)) / 7)),
  e: padded(weekday),
  E: named(WEEKDAYS, (moment) => weekday(moment) - 1),
  D: padded(dayOfYear),
  M: (moment, count) => (count >= 3 ? monthName(moment, count) : padded(({ local }) => local.getUTCMonth() + 1)(moment, count)),
  d: padded(({ local }) => local.getUTCDate()),
  a: (moment) => (hour(moment) < 12 ? 'AM' : 'PM'),
  K: padded((moment) => hour(moment) % 12),
  h: padded((moment) => hour(moment) % 12 || 12),
  H: padded(hour),
  k: padded((moment) => hour(moment) || 24),
  m: padded(({ local }) => local.getUTCMinutes()),
  s: padded(({ local }) => local.getUTCSeconds()),
  S: ({ local }, count) => String(local.getUTCMilliseconds()).padStart(3, '0').padEnd(count, '0').slice(0, count),
  z: ({ zone, instant }, count) => zone.name(instant, count >= 4),
  Z: ({ zone, instant }, count) => (count >= 3 ? zone.id : offsetText(zone.offset(instant), count === 2 ? ':' : '')),
};

/** Dates end at 100 million days from the epoch. */
const FURTHEST = 8_640_000_000_000_000 - DAY;

/** Undefined for a pattern with a letter that Joda does not know. `instant` is in milliseconds since the epoch. */
export function formatTime(pattern: string, instant: number, zone: Zone): string | undefined {
  const parts = readPattern(pattern, false);
  if (parts === undefined || !(Math.abs(instant) < FURTHEST)) return undefined;
  const moment = { local: new Date(instant + zone.offset(instant)), instant, zone };
  let text = '';
  for (const part of parts) {
    if (part.kind === 'text') text += part.text;
    if (part.kind !== 'letters') continue;
    const field = FIELDS[part.letter];
    if (field === undefined) return undefined;
    text += field(moment, part.count);
  }
  return text;
}
