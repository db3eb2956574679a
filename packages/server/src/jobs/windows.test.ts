/** Cron expressions and maintenance windows (fact sheet 36.5). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextTime, parseCron } from './cron.ts';
import { nextStarts, openUntil, readWindows } from './windows.ts';

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
