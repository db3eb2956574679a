/** PutLogEvents, GetLogEvents, FilterLogEvents. Source: CloudWatch Logs API reference. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { readFilter } from './filter.ts';
import {
  groupName,
  groupOf,
  type LogsInput,
  optionalInteger,
  optionalStreamNames,
  optionalMatch,
  optionalToken,
  optionalTruth,
  streamName,
} from './input.ts';
import { existingGroup, existingStream, type LogsHandler, type LogsOptions } from './log-groups.operations.ts';
import { type LogStreamRecord, logStreams } from './store.ts';
import { append, eventsOf, type LogEvent } from './writer.ts';

/** API reference, PutLogEvents. */
const MAX_EVENTS = 10_000;
const LARGEST_BATCH = 1_048_576;
const EVENT_OVERHEAD = 26;
const OLDEST = 14 * 24 * 3600 * 1000;
const NEWEST = 2 * 3600 * 1000;

/** Bytes of messages in one answer. */
const LARGEST_ANSWER = 1_048_576;
const LATEST_TIME = Number.MAX_SAFE_INTEGER;

function eventsIn(input: LogsInput): readonly LogEvent[] {
  const list = input.logEvents;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_EVENTS)
    return fail('InvalidParameterException', `logEvents has to hold 1 to ${MAX_EVENTS} events`);
  let bytes = 0;
  const events = list.map((each: unknown): LogEvent => {
    const { timestamp, message } = (each ?? {}) as LogsInput;
    if (
      typeof timestamp !== 'number' ||
      !Number.isInteger(timestamp) ||
      timestamp < 0 ||
      typeof message !== 'string' ||
      message === ''
    )
      return fail('InvalidParameterException', 'An event has a timestamp in milliseconds and a message');
    bytes += Buffer.byteLength(message) + EVENT_OVERHEAD;
    return { timestamp, message };
  });
  if (bytes > LARGEST_BATCH)
    fail('InvalidParameterException', `Upload too large: ${bytes} bytes exceeds limit of ${LARGEST_BATCH}`);
  if (events.some(({ timestamp }, index) => timestamp < (events[index - 1]?.timestamp ?? 0)))
    fail('InvalidParameterException', 'Log events in a single PutLogEvents request must be in chronological order.');
  return events;
}

/** An event's place in the order of an answer. */
type Position = readonly [timestamp: number, stream: number, id: number];

interface FoundEvent {
  readonly stream: LogStreamRecord;
  readonly event: LogEvent & { readonly ingestedAt: number; readonly id: number };
}

const positionOf = ({ stream, event }: FoundEvent): Position => [event.timestamp, stream.number, event.id];
const compare = (a: Position, b: Position): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

const tokenOf = (direction: 'f' | 'b', position: Position): string => `${direction}/${position.join('/')}`;

function readToken(token: string): { direction: 'f' | 'b'; position: Position } {
  const [, direction, ...numbers] = /^([fb])\/(\d{1,16})\/(\d{1,16})\/(\d{1,16})$/.exec(token) ?? [];
  if (direction === undefined) return fail('InvalidParameterException', 'The specified nextToken is invalid.');
  return { direction: direction as 'f' | 'b', position: numbers.map(Number) as unknown as Position };
}

/** The first events, as many as one answer holds. */
function fill(found: readonly FoundEvent[], limit: number): FoundEvent[] {
  let bytes = 0;
  const end = found.findIndex(({ event }, index) => {
    bytes += event.message.length + EVENT_OVERHEAD;
    return index >= limit || (bytes > LARGEST_ANSWER && index > 0);
  });
  return end < 0 ? [...found] : found.slice(0, end);
}

const times = (input: LogsInput): [from: number, to: number] => [
  optionalInteger(input, 'startTime', 0, LATEST_TIME) ?? 0,
  optionalInteger(input, 'endTime', 0, LATEST_TIME) ?? LATEST_TIME,
];

const eventId = ({ stream, event }: FoundEvent): string =>
  `${String(event.timestamp).padStart(14, '0')}${String(stream.number).padStart(16, '0')}${String(event.id).padStart(16, '0')}`;

export function logEventOperations({ store, clock }: LogsOptions): Readonly<Record<string, LogsHandler>> {
  async function chosenStreams(tx: ReadTransaction, input: LogsInput, caller: Caller, group: string): Promise<LogStreamRecord[]> {
    await existingGroup(tx, caller, group);
    const names = optionalStreamNames(input);
    const prefix = optionalMatch(input, 'logStreamNamePrefix', /^[^:*]{1,512}$/);
    if (names !== undefined && prefix !== undefined)
      fail('InvalidParameterException', 'logStreamNames and logStreamNamePrefix can not be given together.');
    if (names !== undefined) return Promise.all(names.map((name) => existingStream(tx, caller, group, name)));
    const scan = { skipDamaged: true, prefix: [caller.accountId, group], startsWith: prefix };
    return (await tx.scan(logStreams, scan)).items;
  }

  return {
    async PutLogEvents(input, caller) {
      const [group, name] = [groupName(input), streamName(input)];
      const events = eventsIn(input);
      const now = clock.now();
      const tooOld = events.filter(({ timestamp }) => timestamp < now - OLDEST).length;
      const tooNew = events.findIndex(({ timestamp }) => timestamp > now + NEWEST);
      const kept = events.slice(tooOld, tooNew < 0 ? undefined : tooNew);
      const after = await store.write(async (tx) => {
        const stream = await existingStream(tx, caller, group, name);
        return kept.length === 0 ? stream : append(tx, stream, kept, now);
      });
      const rejected = defined({
        tooOldLogEventEndIndex: tooOld === 0 ? undefined : tooOld,
        tooNewLogEventStartIndex: tooNew < 0 ? undefined : tooNew,
      });
      return {
        nextSequenceToken: String(after.next),
        rejectedLogEventsInfo: Object.keys(rejected).length === 0 ? undefined : rejected,
      };
    },

    async GetLogEvents(input, caller) {
      const group = groupOf(input, caller);
      const name = streamName(input);
      const limit = optionalInteger(input, 'limit', 1, MAX_EVENTS) ?? MAX_EVENTS;
      const token = optionalToken(input);
      const from = token === undefined ? undefined : readToken(token);
      const found = await store.read(async (tx) => {
        const stream = await existingStream(tx, caller, group, name);
        return (await eventsOf(tx, stream, ...times(input))).map((event): FoundEvent => ({ stream, event }));
      });
      const forward = from?.direction === 'f' || (from === undefined && optionalTruth(input, 'startFromHead'));
      const left = found.filter((each) => {
        if (from === undefined) return true;
        const order = compare(positionOf(each), from.position);
        return forward ? order > 0 : order < 0;
      });
      const shown = forward ? fill(left, limit) : fill(left.reverse(), limit).reverse();
      const [first, last] = [shown[0], shown.at(-1)];
      // At an end the token of the request is returned: clients recognise the end by it.
      const here: Position = from?.position ?? [0, 0, 0];
      return {
        events: shown.map(({ event }) => ({
          timestamp: event.timestamp,
          message: event.message,
          ingestionTime: event.ingestedAt,
        })),
        nextForwardToken: tokenOf('f', last === undefined ? here : positionOf(last)),
        nextBackwardToken: tokenOf('b', first === undefined ? here : positionOf(first)),
      };
    },

    async FilterLogEvents(input, caller) {
      const group = groupOf(input, caller);
      const limit = optionalInteger(input, 'limit', 1, MAX_EVENTS) ?? MAX_EVENTS;
      const fits = readFilter(optionalMatch(input, 'filterPattern', /^[\s\S]{0,1024}$/) ?? '');
      const token = optionalToken(input);
      const from = token === undefined ? undefined : readToken(token).position;
      const [start, end] = times(input);
      const found = await store.read(async (tx) => {
        const all: FoundEvent[] = [];
        for (const stream of await chosenStreams(tx, input, caller, group)) {
          if ((stream.last ?? 0) < start) continue;
          for (const event of await eventsOf(tx, stream, start, end)) if (fits(event.message)) all.push({ stream, event });
        }
        return all.sort((a, b) => compare(positionOf(a), positionOf(b)));
      });
      const left = from === undefined ? found : found.filter((each) => compare(positionOf(each), from) > 0);
      const shown = fill(left, limit);
      const last = shown.at(-1);
      return {
        events: shown.map((each) => ({
          logStreamName: each.stream.name,
          timestamp: each.event.timestamp,
          message: each.event.message,
          ingestionTime: each.event.ingestedAt,
          eventId: eventId(each),
        })),
        searchedLogStreams: [],
        nextToken: last === undefined || shown.length === left.length ? undefined : tokenOf('f', positionOf(last)),
      };
    },
  };
}
