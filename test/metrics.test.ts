/** The reference of metrics says what the list of declarations says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsTable } from '../tools/metrics-reference.ts';
import { textOf } from './architecture/sources.ts';

test('docs/operate/metrics.md has the table of the declared metrics; node tools/metrics-reference.ts writes it', () => {
  assert.ok(textOf('docs/operate/metrics.md').includes(`\n${metricsTable()}\n`));
});
