import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicyText } from '@thingkeep/wire/documents/policy-text.ts';
import fc from 'fast-check';
import { Pattern, type PatternToken } from './pattern.ts';

const pattern = (text: string): Pattern => new Pattern((parsePolicyText(text, false) ?? []) as readonly PatternToken[]);

/** The definition, by trying every split: slow, and plainly right. */
function naive(glob: readonly string[], text: readonly string[]): boolean {
  const row = Array.from({ length: text.length + 1 }, (_, at) => at === 0);
  for (const item of glob) {
    const before = [...row];
    for (let at = 0; at <= text.length; at += 1) {
      row[at] =
        item === '*'
          ? before.slice(0, at + 1).includes(true)
          : at > 0 && before[at - 1] === true && (item === '?' || item === text[at - 1]);
    }
  }
  return row.at(-1) === true;
}

const letters = (alphabet: string[], maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { maxLength }).map((a) => a.join(''));

test('a pattern matches what its definition says, anywhere in a text', () => {
  const globs = letters(['a', 'b', '/', '+', '#', '*', '?', '😀'], 12);
  const texts = letters(['a', 'b', '/', '+', '#', '😀'], 14);
  fc.assert(
    fc.property(globs, texts, texts, (glob, text, before) => {
      assert.equal(pattern(glob).matches(before + text, before.length), naive([...glob], [...text]));
    }),
    { numRuns: 5000 },
  );
});

test('a long pattern with ? crosses the words of its automaton', () => {
  fc.assert(
    fc.property(letters(['a', '?', '*'], 90), letters(['a', 'b'], 120), (glob, text) => {
      assert.equal(pattern(`?${glob}`).matches(text), naive(['?', ...glob], [...text]));
    }),
    { numRuns: 500 },
  );
});

test('no pattern makes matching explode', () => {
  const text = 'a'.repeat(10_000);
  const hostile = [
    '*a'.repeat(1000),
    `${'*a'.repeat(1000)}b`,
    '*a*b',
    `*${'a'.repeat(500)}b*`,
    `*b${'a'.repeat(500)}*`,
    '*a?'.repeat(300),
    '?*'.repeat(500),
  ];
  for (const glob of hostile) {
    const compiled = pattern(glob);
    compiled.matches(text);
    const start = performance.now();
    compiled.matches(text);
    // Matching by backtracking takes longer than the age of the universe here: the bound only has to tell the two apart.
    assert.ok(performance.now() - start < 100, glob.slice(0, 20));
  }
});

test('a text that only begins or ends like the pattern does not match', () => {
  assert.equal(pattern('ab*ba').matches('aba'), false);
  assert.equal(pattern('ab*ba').matches('abba'), true);
  assert.equal(pattern('a*a*a').matches('aa'), false);
  assert.equal(pattern('').matches(''), true);
  assert.equal(pattern('').matches('a'), false);
  assert.equal(pattern('').matches('xa', 1), false);
  assert.equal(pattern('a').matches('a', 1), false);
  assert.equal(pattern('*').matches(''), true);
});
