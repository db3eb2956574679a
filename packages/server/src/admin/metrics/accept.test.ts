/** Accept headers of scrapers, and of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatOf } from './accept.ts';

const OPEN = 'application/openmetrics-text';

for (const [accept, format] of [
  // Prometheus 2.42 and 3.
  [`${OPEN};version=1.0.0,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`, 'openmetrics'],
  [`${OPEN};version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2`, 'openmetrics'],
  [`${OPEN}; version="1.0.0"; charset=utf-8`, 'openmetrics'],
  [OPEN.toUpperCase(), 'openmetrics'],
  [`${OPEN};q=0.5,text/plain;q=0.5`, 'openmetrics'],
  [`${OPEN};version=0.0.1,text/plain;version=0.0.4;q=0.5`, 'prometheus'],
  [`${OPEN};version=2.0.0`, 'prometheus'],
  [`${OPEN};q=0`, 'prometheus'],
  [`${OPEN};q=x`, 'prometheus'],
  [`${OPEN};q=0.2,text/plain;q=0.5`, 'prometheus'],
  ['text/html,*/*', 'prometheus'],
  ['*/*', 'prometheus'],
  ['', 'prometheus'],
  [',;=,;', 'prometheus'],
  [undefined, 'prometheus'],
] as const)
  test(`${accept ?? 'no header'}: ${format}`, () => assert.equal(formatOf(accept), format));
