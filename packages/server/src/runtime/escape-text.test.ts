/** Text chosen by strangers is printed without moving a terminal, beginning a line or hiding what follows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeText, quoteUnlessPlain } from './escape-text.ts';
import { openLog } from './log.ts';

/** Every code point that may do more than be shown: C0, DEL, C1, separators, bidirectional and other format characters. */
const UNSAFE = [
  ...Array.from({ length: 0x20 }, (_, i) => i),
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  ...[0xad, 0x061c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff, 0xfdd0, 0xe0001, 0x1fffe, 0xd800],
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
].map((code) => String.fromCodePoint(code));

test('each unsafe character becomes an escape that says which it was', () => {
  for (const character of UNSAFE) {
    const shown = escapeText(`a${character}b`);
    assert.match(shown, /^a(\\u[0-9a-f]{4}){1,2}b$/);
    assert.equal(JSON.parse(`"${shown}"`), `a${character}b`);
  }
  assert.equal(escapeText('lamp-1 küche 東京 🙂'), 'lamp-1 küche 東京 🙂');
});

test('an identifier that imitates other parts of a line is quoted', () => {
  assert.equal(quoteUnlessPlain('lamp-1/a:b'), 'lamp-1/a:b');
  assert.equal(quoteUnlessPlain('lamp from 127.0.0.1: fine'), '"lamp from 127.0.0.1: fine"');
  assert.equal(quoteUnlessPlain('a"\n'), '"a\\"\\n"');
});

test('a log line holds them escaped, and is still the same JSON', () => {
  const lines: string[] = [];
  const log = openLog('info', { write: (line: string) => void lines.push(line) });
  const text = UNSAFE.slice(0, -1).join('');
  log.info({ clientId: text }, text);
  assert.equal(lines.length, 1);
  assert.ok(UNSAFE.every((character) => !lines[0]?.slice(0, -1).includes(character)));
  assert.equal(JSON.parse(lines[0] ?? '').clientId, text);
});
