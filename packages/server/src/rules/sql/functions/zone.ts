/** Time zones, by what Intl knows of them: offsets and names at an instant. */

export interface Zone {
  readonly id: string;
  /** Milliseconds that local time is ahead of UTC. */
  offset(instant: number): number;
  /** "CST", or "Central Standard Time". */
  name(instant: number, long: boolean): string;
}

const UTC: Zone = { id: 'UTC', offset: () => 0, name: (_, long) => (long ? 'Coordinated Universal Time' : 'UTC') };

const MINUTE = 60_000;

/** `+01:00`; with seconds where an offset of long ago has them. */
export function offsetText(offset: number, colon: string): string {
  const minutes = Math.floor(Math.abs(offset) / MINUTE);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
}

function fixedZone(offset: number, id: string): Zone {
  const text = offsetText(offset, ':');
  return { id, offset: () => offset, name: () => text };
}

const OFFSET = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?$/;
/** Seventeen hours and a half is more than any zone has; java.time stops at 18. */
const MAX_HOURS = 18;

export function readOffset(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0;
  const found = OFFSET.exec(text);
  if (found === null) return undefined;
  const [, sign, hours, minutes = '0', seconds = '0'] = found;
  if (Number(hours) > MAX_HOURS || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  return (sign === '-' ? -1000 : 1000) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

/** Abbreviations that Joda and java.time take for a zone, and Intl does not. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  MDT: 'America/Denver',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  EDT: 'America/New_York',
  BST: 'Europe/London',
  CEST: 'Europe/Paris',
  EEST: 'Europe/Athens',
  IST: 'Asia/Kolkata',
  JST: 'Asia/Tokyo',
  AEST: 'Australia/Sydney',
  AEDT: 'Australia/Sydney',
};

/** English as spoken where the zone's abbreviation is in use: American English has only an offset for Paris. */
const LOCALES = ['en-US', 'en-GB', 'en-CA', 'en-AU', 'en-IN', 'en-ZA'];

class IntlZone implements Zone {
  readonly id: string;
  readonly #offsets: Intl.DateTimeFormat;
  readonly #names = new Map<string, Intl.DateTimeFormat>();

  constructor(id: string) {
    this.#offsets = new Intl.DateTimeFormat('en-US', { timeZone: id, timeZoneName: 'longOffset' });
    this.id = id;
  }

  offset(instant: number): number {
    return readOffset(partOf(this.#offsets, instant)) ?? 0;
  }

  name(instant: number, long: boolean): string {
    if (long) return this.#name('en-US', 'long', instant);
    const names = LOCALES.map((locale) => this.#name(locale, 'short', instant));
    return names.find((name) => !/^(GMT|UTC)./.test(name)) ?? offsetText(this.offset(instant), ':');
  }

  #name(locale: string, style: 'short' | 'long', instant: number): string {
    const key = `${locale} ${style}`;
    const format = this.#names.get(key) ?? new Intl.DateTimeFormat(locale, { timeZone: this.id, timeZoneName: style });
    this.#names.set(key, format);
    return partOf(format, instant);
  }
}

const partOf = (format: Intl.DateTimeFormat, instant: number): string =>
  format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';

/** Zones in use; there are fewer than 600 names, and each formatter has its weight. */
const ZONES_KEPT = 64;
const zones = new Map<string, Zone | undefined>();

function makeZone(id: string): Zone | undefined {
  if (/^(UTC|GMT|UT|Z|Etc\/UTC)$/i.test(id)) return id.toUpperCase() === 'GMT' ? { ...UTC, id: 'GMT', name: () => 'GMT' } : UTC;
  const offset = readOffset(id);
  if (offset !== undefined) return fixedZone(offset, id);
  try {
    return new IntlZone(ABBREVIATIONS[id] ?? id);
  } catch {
    return undefined;
  }
}

/** Steps for a zone that is not kept: its formatters are what costs. */
const NEW_ZONE = 5_000;

/** A zone by its name in the tz database, an abbreviation or an offset; undefined when there is none. */
export function zoneOf(id: string, spend: (steps: number) => void): Zone | undefined {
  if (id.length > 64) return undefined;
  if (zones.has(id)) return zones.get(id);
  spend(NEW_ZONE);
  const zone = makeZone(id);
  const oldest = zones.keys().next().value;
  if (zones.size >= ZONES_KEPT && oldest !== undefined) zones.delete(oldest);
  zones.set(id, zone);
  return zone;
}

const DAY = 86_400_000;

/** The instant of a local time, in a gap as much later as the gap is long, in an overlap the earlier: as java.time does. */
export function instantOf(local: number, zone: Zone): number {
  const before = zone.offset(local - DAY);
  if (zone.offset(local - before) === before) return local - before;
  const after = zone.offset(local + DAY);
  return zone.offset(local - after) === after ? local - after : local - before;
}
