/** Cron expressions and maintenance windows (fact sheet 36.5). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { lastTime, nextTime, parseCron } from './cron.ts';
import { nextStart, nextStarts, openUntil, readWindows } from './windows.ts';

const FROM = Date.UTC(2026, 10, 20, 12); // A Friday.
const next = (text: string, from = FROM): string => {
  const at = nextTime(parseCron(text), from);
  return at === undefined ? 'never' : new Date(at).toISOString().slice(0, 16);
};

describe('cron expressions', () => {
  test('the next time of each wildcard', () => {
    const cases: readonly (readonly [text: string, time: string])[] = [
      ['cron(0 12 * * ? *)', '2026-11-20T12:00'],
      ['cron(59 11 * * ? *)', '2026-11-21T11:59'],
      ['cron(0/15 * * * ? *)', '2026-11-20T12:00'],
      ['cron(1/15 * * * ? *)', '2026-11-20T12:01'],
      ['cron(5,10 13-15 ? * MON-FRI *)', '2026-11-20T13:05'],
      ['cron(0 8 1 * ? *)', '2026-12-01T08:00'],
      ['cron(0 8 L * ? *)', '2026-11-30T08:00'],
      ['cron(0 8 L 2 ? 2028)', '2028-02-29T08:00'],
      ['cron(0 8 LW * ? *)', '2026-11-30T08:00'],
      ['cron(0 8 1W 8 ? 2026-2027)', '2027-08-02T08:00'],
      ['cron(0 8 15W 11 ? 2026)', 'never'],
      ['cron(0 8 15W 8 ? 2027)', '2027-08-16T08:00'],
      ['cron(0 8 31W 1 ? 2027)', '2027-01-29T08:00'],
      ['cron(0 8 31W * ? *)', '2026-12-31T08:00'],
      ['cron(0 8 ? * 6#4 *)', '2026-11-27T08:00'],
      ['cron(0 8 ? * SUN#5 *)', '2026-11-29T08:00'],
      ['cron(0 8 ? * 6L *)', '2026-11-27T08:00'],
      ['cron(0 8 ? * L *)', '2026-11-21T08:00'],
      ['cron(0 8 ? JAN sat *)', '2027-01-02T08:00'],
      ['cron(0 0 29 2 ? *)', '2028-02-29T00:00'],
      ['cron(0 0 30 2 ? *)', 'never'],
      ['cron(0 0 1 1 ? 2025)', 'never'],
    ];
    for (const [text, time] of cases) assert.equal(next(text), time, text);
  });

  test('what is none is refused', () => {
    const bad = [
      ...['* * * * *', 'cron(* * * * * *)', 'cron(* * ? * ? *)', 'cron(60 * * * ? *)', 'cron(* 24 * * ? *)', 'cron(* * 0 * ? *)'],
      ...['cron(* * 32 * ? *)', 'cron(* * * 13 ? *)', 'cron(* * ? * 8 *)', 'cron(* * ? * 0 *)', 'cron(* * ? * 6#6 *)'],
      ...[
        'cron(* * ? * 6#1,5#1 *)',
        'cron(* * ? * 6#1#2 *)',
        'cron(* * * * ? 1969)',
        'cron(5-1 * * * ? *)',
        'cron(*/0 * * * ? *)',
      ],
      ...['cron(a * * * ? *)', 'cron( * * ? *)', 'cron(* * * * ?)', '', `cron(${'1,'.repeat(200)}1 * * * ? *)`],
    ];
    for (const text of bad) assert.throws(() => parseCron(text), { name: 'CronFault' }, text);
  });
});

/** A field of an expression: any value, one, a few, or steps. */
const cronField = (from: number, to: number): fc.Arbitrary<string> => {
  const value = fc.integer({ min: from, max: to }).map(String);
  return fc.oneof(
    fc.constant('*'),
    value,
    fc.array(value, { minLength: 2, maxLength: 4 }).map((values) => values.join(',')),
    fc.tuple(value, fc.integer({ min: 1, max: 40 })).map(([first, every]) => `${first}/${every}`),
  );
};
const days = fc.oneof(
  fc.constantFrom('* * ?', 'L * ?', 'LW * ?', '20W * ?', '? * 6L', '? * 6#3', '? 11 *', '? * MON-FRI'),
  cronField(1, 31).map((day) => `${day} * ?`),
);
const cron = fc.tuple(cronField(0, 59), cronField(0, 23), days).map(([m, h, d]) => parseCron(`cron(${m} ${h} ${d} *)`));

describe('times of an expression', () => {
  const MINUTE = 60_000;
  const WEEK = 7 * 24 * 60 * MINUTE;

  test('the next and the last one are those that a walk over all times finds', () => {
    fc.assert(
      fc.property(
        cron,
        fc.integer({ min: -WEEK, max: WEEK }),
        fc.integer({ min: 0, max: 3 * 24 * 60 }),
        (each, shift, minutes) => {
          const to = FROM + shift;
          const from = to - minutes * MINUTE;
          const times: number[] = [];
          for (let at = from; ; ) {
            const found = nextTime(each, at, to + 1);
            if (found === undefined) break;
            assert.ok(found >= from && found <= to && found % MINUTE === 0);
            times.push(found);
            at = found + 1;
          }
          for (let at = Math.ceil(from / MINUTE) * MINUTE; at <= to; at += MINUTE)
            assert.equal(nextTime(each, at, at + 1) === at, times.includes(at));
          assert.equal(lastTime(each, to, from - 1), times.at(-1));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('what is open, and what comes next, is found in little time, however many starts a window has', () => {
    const ten = (startTime: string) => Array.from({ length: 10 }, () => ({ startTime, durationInMinutes: 1430 }));
    const often = readWindows(ten('cron(* * * * ? *)'));
    const never = readWindows(ten('cron(0 0 30 2 ? *)'));
    const begun = process.cpuUsage().user;
    for (let i = 0; i < 200; i += 1) openUntil(often, FROM + i);
    for (let i = 0; i < 20; i += 1) nextStart(never, FROM + i);
    // 24 ms each, before.
    assert.ok(process.cpuUsage().user - begun < 1_000_000);
    assert.equal(openUntil(often, FROM), FROM + 1430 * MINUTE);
    assert.equal(nextStart(never, FROM), undefined);
  });
});

describe('maintenance windows', () => {
  const windows = readWindows([
    { startTime: 'cron(0 22 * * ? *)', durationInMinutes: 180 },
    { startTime: 'cron(30 23 ? * FRI *)', durationInMinutes: 120 },
  ]);
  const at = (day: number, hours: number, minutes: number): number => Date.UTC(2026, 10, day, hours, minutes);

  test('a window opens and closes at its minute, over midnight too; overlapping ones are one', () => {
    assert.equal(openUntil(windows, at(19, 22, 0) - 1), undefined);
    assert.equal(openUntil(windows, at(19, 22, 0)), at(20, 1, 0));
    assert.equal(openUntil(windows, at(20, 1, 0) - 1), at(20, 1, 0));
    assert.equal(openUntil(windows, at(20, 1, 0)), undefined);
    assert.equal(openUntil(windows, at(20, 23, 30)), at(21, 1, 30));
  });

  test('the next seven starts, none at the end or later', () => {
    const starts = nextStarts(windows, at(20, 12, 0)).map((start) => new Date(start).toISOString().slice(0, 16));
    assert.deepEqual(starts, [
      ...['2026-11-20T22:00', '2026-11-20T23:30', '2026-11-21T22:00', '2026-11-22T22:00', '2026-11-23T22:00'],
      ...['2026-11-24T22:00', '2026-11-25T22:00'],
    ]);
    assert.equal(nextStarts(windows, at(20, 12, 0), at(20, 23, 30)).length, 1);
  });

  test('a duration of 0 or of 1431 minutes, and too many windows, are refused', () => {
    const window = (durationInMinutes: number) => ({ startTime: 'cron(0 22 * * ? *)', durationInMinutes });
    for (const minutes of [0, 1431]) assert.throws(() => readWindows([window(minutes)]), { name: 'CronFault' });
    assert.equal(readWindows([window(1430)]).length, 1);
    assert.throws(() => readWindows(Array.from({ length: 11 }, () => window(1))), { name: 'CronFault' });
  });
});
