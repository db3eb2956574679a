/** Every clause of MQTT that this server has to keep, and that can be seen on the wire, is named by a test that runs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { namedInTranscripts, PAGE, page, REASONS, readClauses, ROOT, TRANSCRIBED, testFileOf, VERSIONS } from './clauses.ts';

for (const version of VERSIONS)
  suite(version.name, () => {
    const clauses = readClauses(version);
    const named = namedInTranscripts(version.level);

    test('what is said to be in the transcripts is there', () => {
      for (const [clause, where] of Object.entries(clauses))
        if (where === TRANSCRIBED) assert.ok(named.has(clause), `no transcript names ${clause}`);
    });

    test('what a test file is said to test, one of its tests names', () => {
      for (const [clause, where] of Object.entries(clauses)) {
        const file = testFileOf(where);
        if (file !== undefined) assert.ok(readFileSync(new URL(file, ROOT), 'utf8').includes(clause), `${file}: ${clause}`);
      }
    });

    test('what the transcripts name is a clause of this version, and listed as theirs', () => {
      for (const clause of named.keys()) assert.equal(clauses[clause], TRANSCRIBED, clause);
    });

    test('all others say why not, in words', () => {
      for (const [clause, where] of Object.entries(clauses))
        if (where !== TRANSCRIBED && testFileOf(where) === undefined)
          assert.match(REASONS[where] ?? where, /^[A-Z].+ .+\.$/, clause);
    });
  });

test('CLAUSES.md says the same', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), page(), 'run node test/conformance/clauses.ts');
});
