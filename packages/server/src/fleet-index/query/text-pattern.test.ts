/** Patterns of texts: as SQLite's GLOB matches them, and in a number of steps that no text can drive up. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TextPattern } from './query.ts';
import { textTest } from './text-pattern.ts';

const globOf = (parts: TextPattern): string =>
  parts.map((part) => (part === 'any-text' ? '*' : part === 'one-character' ? '?' : part.literal)).join('');

test('a text matches as by GLOB, characters of two halves among them', () => {
  using db = new DatabaseSync(':memory:');
  const glob = db.prepare('SELECT ? GLOB ? AS found');
  const letters = fc.constantFrom('a', 'b', 'é', '💡');
  const part = fc.oneof(
    fc.constantFrom('any-text' as const, 'one-character' as const),
    fc.array(letters, { minLength: 1, maxLength: 3 }).map((all) => ({ literal: all.join('') })),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.array(letters, { maxLength: 10 }), (parts, all) => {
      const text = all.join('');
      assert.equal(textTest(parts)(text), glob.get(text, globOf(parts))?.found === 1, `${text} ${globOf(parts)}`);
    }),
    { numRuns: 3000 },
  );
});

test('a text that is made for it does not slow a pattern of many wildcards', () => {
  const a = { literal: 'a' };
  const pattern: TextPattern = [...Array.from({ length: 50 }, () => [a, 'any-text' as const]).flat(), { literal: 'b' }];
  // By steps that are taken back it would not end within a life.
  assert.equal(textTest(pattern)('a'.repeat(1_000)), false);
  assert.equal(textTest(pattern)(`${'a'.repeat(1_000)}b`), true);
});
