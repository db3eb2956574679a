/** Sizes of regular expressions are told before they are compiled, and are never too small. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { patternSize } from './pattern-size.ts';

const statesOf = (pattern: string): number | undefined => {
  try {
    return RE2JS.compile(pattern).matcher('').programSize();
  } catch {
    return undefined;
  }
};

test('a pattern has no more states than its size says, whatever hides a repetition', () => {
  const parts = [
    ...['a', 'bc', '.', '^', '$', '|', '(', '(?:', '(?i)', '(?i:', '(?P<n>', '(?<m>', ')', '*', '+', '?', '??', '-', ',', ':'],
    ...['{9}', '{2,}', '{0,7}', '{3,12}', '{0}', '{', '}', '[', ']', '[^', '[]', '[^]', '[:alpha:]', '[[:alpha:]', '\\d', '\\pL'],
    ...[
      '\\p{Greek}',
      '\\PN',
      '\\Q',
      '\\E',
      '\\\\',
      '\\]',
      '\\[',
      '\\(',
      '\\)',
      '\\x41',
      '\\x{1F600}',
      '\\101',
      '\\b',
      '😀',
      'a-z',
    ],
  ];
  let valid = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 14 }), (given) => {
      const pattern = given.join('');
      const states = statesOf(pattern);
      if (states === undefined) return;
      valid += 1;
      assert.ok(states <= patternSize(pattern), `${pattern}: ${states} states, told ${patternSize(pattern)}`);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(valid > 2000, `${valid} patterns were valid`);
});

test('patterns that are in use have about the size of their program', () => {
  for (const pattern of [
    '^[A-Za-z0-9_-]{1,128}$',
    '(\\d+)\\.(\\d+)',
    'temp|hum(idity)?',
    '(?i)^error',
    '\\Q1.2.3\\E',
    '[\\p{L}\\p{N}]{1,20}',
  ])
    assert.ok(patternSize(pattern) < 1000, `${pattern}: ${patternSize(pattern)}`);
  assert.ok(patternSize('(abcdefghij?){999}') > 12_000);
  // Tables of Unicode cost time, without states.
  assert.ok(patternSize('\\pL'.repeat(600)) > 50_000);
  assert.ok(patternSize('(?i)[b-\\x{10FFFE}]') > 4_000);
});
