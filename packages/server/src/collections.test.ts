import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COLLECTIONS } from './collections.ts';

test('every collection that is declared is listed once: the indexes of others would not be derived anew', () => {
  const declared: string[] = [];
  for (const path of globSync('**/*.ts', { cwd: import.meta.dirname })) {
    if (/(^|\/)test-|\.test\.ts$|^store\/contract\.ts$/.test(path)) continue;
    const source = readFileSync(`${import.meta.dirname}/${path}`, 'utf8');
    for (const [, name = ''] of source.matchAll(/= collection(?:<[^(]*>)?\(\s*'([^']+)'/g)) declared.push(name);
  }
  assert.ok(declared.length > 30);
  assert.deepEqual(COLLECTIONS.map(({ name }) => name).sort(), declared.sort());
});
