/** Code points that MQTT lets a receiver refuse [MQTT311 1.5.3; MQTT5 1.5.4]. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterFault, topicFault } from '../topics.ts';
import { holdsControl } from './characters.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** U+xFFFE and U+xFFFF of every plane. */
const ends = range(0, 16).flatMap((plane) => [plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff]);
const DISALLOWED = [...range(0x00, 0x1f), ...range(0x7f, 0x9f), ...range(0xfdd0, 0xfdef), ...ends];

test('control characters and non-characters, and nothing else of Unicode', () => {
  const disallowed = new Set(DISALLOWED);
  for (let point = 0; point <= 0x10ffff; point += 1) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    assert.equal(holdsControl(`a${String.fromCodePoint(point)}b`), disallowed.has(point), point.toString(16));
  }
});

test('a topic, a filter and the name of a share have none of them', () => {
  for (const point of DISALLOWED.filter((each) => each !== 0)) {
    const name = `a/${String.fromCodePoint(point)}`;
    assert.equal(topicFault(name), 'control character');
    assert.equal(filterFault(`+/${name}`), 'control character');
    assert.equal(filterFault(`$share/s/${name}`), 'control character');
    assert.equal(filterFault(`$share/s${String.fromCodePoint(point)}/a`), 'control character');
  }
  for (const fine of ['a b', 'ä/ö', '\ufeff', '\u00a0', '\u202e', '😀', '\ufdcf\ufdf0\ufffd']) {
    assert.equal(topicFault(fine), undefined);
    assert.equal(filterFault(`${fine}/#`), undefined);
  }
});
