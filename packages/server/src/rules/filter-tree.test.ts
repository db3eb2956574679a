/** The tree finds what a look at every filter would find (wire/topics.ts is the measure). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicMatches } from '@thingkeep/wire/topics.ts';
import { assert as check, array, constantFrom, property } from 'fast-check';
import { FilterTree } from './filter-tree.ts';

const level = constantFrom('a', 'b', '', '+', '$aws', '$x');
const filters = array(level, { minLength: 1, maxLength: 5 }).chain((levels) =>
  constantFrom(levels.join('/'), [...levels, '#'].join('/'), '#'),
);
const topics = array(constantFrom('a', 'b', '', '$aws', '$x'), { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'));

test('for any filters and topics', () => {
  check(
    property(array(filters, { maxLength: 30 }), array(topics, { maxLength: 20 }), (all, names) => {
      const tree = new FilterTree<number>();
      for (const [i, filter] of all.entries()) tree.add(filter, i);
      for (const topic of names) {
        const expected = [...all.keys()].filter((i) => topicMatches(all[i] as string, topic));
        assert.deepEqual(
          tree.covering(topic).sort((a, b) => a - b),
          expected,
        );
      }
    }),
    { numRuns: 300 },
  );
});
