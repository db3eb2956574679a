/** `time_to_epoch`: the instant that a text says, by a pattern of java.time (developer guide, page iot-sql-functions). */
import { MONTHS, type PatternPart, readPattern, WEEKDAYS } from './time-pattern.ts';
import { instantOf, readOffset, type Zone, zoneOf } from './zone.ts';

/** What was read so far; a field that a pattern has twice must say the same. */
type Fields = Record<string, number>;
interface TimeReading {
  at: number;
  readonly fields: Fields;
  zone?: Zone;
  readonly spend: (steps: number) => void;
}

type ReadField = (text: string, reading: TimeReading, count: number, adjacent: boolean) => boolean;

function set(reading: TimeReading, name: string, value: number): boolean {
  if (reading.fields[name] !== undefined && reading.fields[name] !== value) return false;
  reading.fields[name] = value;
  return true;
}

/** Digits from `least` to `most`; a year may have a sign. */
function digits(text: string, reading: TimeReading, least: number, most: number): number | undefined {
  let behind = reading.at;
  while (behind < text.length && behind - reading.at < most && /[0-9]/.test(text[behind] as string)) behind += 1;
  if (behind - reading.at < least) return undefined;
  const value = Number(text.slice(reading.at, behind));
  reading.at = behind;
  return value;
}

/** One letter takes as many digits as there are, several exactly theirs; next to another number, none takes more than its own. */
const number =
  (name: string, least: number, most: number): ReadField =>
  (text, reading, count, adjacent) => {
    const value = digits(text, reading, count, count === 1 && !adjacent ? 19 : count);
    return value !== undefined && value >= least && value <= most && set(reading, name, value);
  };

const year: ReadField = (text, reading, count, adjacent) => {
  const sign = text[reading.at] === '-' || (text[reading.at] === '+' && count >= 4) ? text[reading.at] : '';
  if (sign !== '') reading.at += 1;
  const most = count === 2 ? 2 : adjacent ? Math.max(count, 1) : 9;
  const value = digits(text, reading, count, most);
  if (value === undefined || value > 200_000) return false;
  return set(reading, 'year', count === 2 ? 2000 + value : sign === '-' ? -value : value);
};

/** The longest of the names that the text goes on with, whatever its case. */
function nameAt(text: string, at: number, names: readonly string[]): number {
  let best = -1;
  for (const [i, name] of names.entries()) {
    const fits = text.slice(at, at + name.length).toLowerCase() === name.toLowerCase();
    if (fits && (best < 0 || name.length > (names[best] as string).length)) best = i;
  }
  return best;
}

const named =
  (field: string, names: readonly string[], first: number): ReadField =>
  (text, reading) => {
    const found = nameAt(text, reading.at, names);
    if (found < 0) return false;
    reading.at += (names[found] as string).length;
    return set(reading, field, found + first);
  };

const short = (names: readonly string[]): string[] => names.map((name) => name.slice(0, 3));

const textOrNumber =
  (asNumber: ReadField, full: ReadField, brief: ReadField): ReadField =>
  (text, reading, count, adjacent) =>
    (count < 3 ? asNumber : count === 4 ? full : brief)(text, reading, count, adjacent);

const month = textOrNumber(number('month', 1, 12), named('month', MONTHS, 1), named('month', short(MONTHS), 1));
const weekdayNamed = (count: number): ReadField => named('weekday', count === 4 ? WEEKDAYS : short(WEEKDAYS), 1);

const fraction: ReadField = (text, reading, count) => {
  const from = reading.at;
  if (digits(text, reading, count, count) === undefined) return false;
  return set(reading, 'millisecond', Math.floor(Number(`0.${text.slice(from, reading.at)}`) * 1000 + 1e-9));
};

function takeZone(reading: TimeReading, name: string, zone: Zone | undefined): boolean {
  if (zone === undefined) return false;
  reading.at += name.length;
  reading.zone = zone;
  return true;
}

const ZONE = /(?:(?:UTC|GMT|UT)?[+-]\d{1,2}(?::?\d{2}){0,2}|[A-Za-z][A-Za-z0-9_+\-/]*)/y;
const OFFSET = /Z|[+-]\d{2}(?::?\d{2}){0,2}/y;
const PLAIN_OFFSET = /GMT(?:[+-]\d{1,2}(?::\d{2})?)?|[+-]\d{2}:?\d{2}/y;

const zoned =
  (pattern: RegExp, nameOf: (name: string) => string | undefined): ReadField =>
  (text, reading) => {
    pattern.lastIndex = reading.at;
    const found = pattern.exec(text)?.[0];
    const name = found === undefined ? undefined : nameOf(found);
    return found !== undefined && name !== undefined && takeZone(reading, found, zoneOf(name, reading.spend));
  };

const anyZone = (name: string): string => name;
const offsetZone = (name: string): string | undefined => (readOffset(name) === undefined ? undefined : name);
const offsetOrGmt = (name: string): string | undefined => (name === 'GMT' ? 'UTC' : offsetZone(name));

const READERS: Readonly<Record<string, ReadField>> = {
  G: named('era', ['BC', 'AD'], 0),
  u: year,
  y: year,
  M: month,
  L: month,
  d: number('day', 1, 31),
  D: number('dayOfYear', 1, 366),
  E: (text, reading, count, adjacent) => weekdayNamed(count)(text, reading, count, adjacent),
  a: named('half', ['AM', 'PM'], 0),
  H: number('hour', 0, 23),
  k: (text, reading, count, adjacent) => {
    const found = number('clock', 1, 24)(text, reading, count, adjacent);
    return found && set(reading, 'hour', (reading.fields.clock as number) % 24);
  },
  K: number('halfHour', 0, 11),
  h: (text, reading, count, adjacent) => {
    const found = number('halfClock', 1, 12)(text, reading, count, adjacent);
    return found && set(reading, 'halfHour', (reading.fields.halfClock as number) % 12);
  },
  m: number('minute', 0, 59),
  s: number('second', 0, 59),
  S: fraction,
  z: zoned(ZONE, anyZone),
  V: zoned(ZONE, anyZone),
  X: zoned(OFFSET, offsetZone),
  x: zoned(OFFSET, offsetZone),
  Z: zoned(PLAIN_OFFSET, offsetOrGmt),
  O: zoned(PLAIN_OFFSET, offsetOrGmt),
};

/** Reads the parts from `from` on; gives the place behind, or undefined. A section in brackets that does not fit is left out. */
function readParts(parts: readonly PatternPart[], from: number, text: string, reading: TimeReading): number | undefined {
  for (let i = from; i < parts.length; i += 1) {
    const part = parts[i] as PatternPart;
    if (part.kind === 'close') return i;
    if (part.kind === 'open') {
      const tried: TimeReading = { ...reading, fields: { ...reading.fields } };
      const end = readParts(parts, i + 1, text, tried);
      if (end !== undefined) Object.assign(reading, tried);
      i = end ?? closing(parts, i);
    } else if (part.kind === 'text') {
      if (!text.startsWith(part.text, reading.at)) return undefined;
      reading.at += part.text.length;
    } else if (part.kind === 'letters') {
      const reader = READERS[part.letter];
      if (!reader?.(text, reading, part.count, parts[i + 1]?.kind === 'letters')) return undefined;
    }
  }
  return parts.length;
}

function closing(parts: readonly PatternPart[], open: number): number {
  let depth = 0;
  for (let i = open; i < parts.length; i += 1) {
    if (parts[i]?.kind === 'open') depth += 1;
    if (parts[i]?.kind === 'close' && --depth === 0) return i;
  }
  return parts.length;
}

function hourOf({ hour, half, halfHour }: Fields): number {
  if (hour !== undefined) return hour;
  return (halfHour ?? 0) + (half === 1 ? 12 : 0);
}

/** Midnight of the date, as if in UTC; undefined when there is no such day, or too little is said. */
function dateOf({ year: stated, era, month: monthOf, day, dayOfYear, weekday }: Fields): number | undefined {
  if (stated === undefined || (dayOfYear === undefined && (monthOf === undefined || day === undefined))) return undefined;
  const date = new Date(0);
  const inEra = era === 0 ? 1 - stated : stated;
  if (dayOfYear === undefined) date.setUTCFullYear(inEra, (monthOf as number) - 1, day);
  else date.setUTCFullYear(inEra, 0, dayOfYear);
  const exists = dayOfYear === undefined ? date.getUTCDate() === day : date.getUTCFullYear() === inEra;
  const fits = weekday === undefined || (date.getUTCDay() || 7) === weekday;
  return exists && fits ? date.getTime() : undefined;
}

/**
 * Milliseconds since the epoch; UTC where no zone is said, midnight where no time is. Undefined when text and pattern do not
 * fit.
 */
export function readTime(text: string, pattern: string, spend: (steps: number) => void): number | undefined {
  const parts = readPattern(pattern, true);
  if (parts === undefined || text.length > 200) return undefined;
  const reading: TimeReading = { at: 0, fields: {}, spend };
  if (readParts(parts, 0, text, reading) !== parts.length || reading.at !== text.length) return undefined;
  const { fields } = reading;
  const date = dateOf(fields);
  if (date === undefined) return undefined;
  const time = ((hourOf(fields) * 60 + (fields.minute ?? 0)) * 60 + (fields.second ?? 0)) * 1000 + (fields.millisecond ?? 0);
  return reading.zone === undefined ? date + time : instantOf(date + time, reading.zone);
}
