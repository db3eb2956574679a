import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COLLECTIONS } from './collections.ts';

test('every collection that is declared is listed once: the indexes of others would not be derived anew', () => {
  const declared: string[] = [];
  for (const path of globSync('**/*.ts', { cwd: import.meta.dirname })) {
    if (/(^|\/)test-|\.(test|fixture)\.ts$|^store\/contract\.ts$/.test(path)) continue;
    const source = readFileSync(`${import.meta.dirname}/${path}`, 'utf8');
    for (const [, name = ''] of source.matchAll(/= collection(?:<[^(]*>)?\(\s*'([^']+)'/g)) declared.push(name);
  }
  assert.ok(declared.length > 30);
  assert.deepEqual(
    COLLECTIONS.map(({ name }) => name).sort(),
    declared.sort(),
    'a collection is listed in its domain.ts, under `collections`, or in collections.ts where it is of no domain',
  );
});

test('index functions use nothing of the program but their record: a change elsewhere would leave their entries as they were', () => {
  for (const { name, indexes } of COLLECTIONS)
    for (const [index, derive] of Object.entries(indexes)) {
      const text = derive.toString().replaceAll(/'[^']*'/g, "''");
      const parameters = [...text.matchAll(/\(?\[?([\w, ]+)\]?\)? =>/g)].flatMap(([, list = '']) => list.match(/\w+/g) ?? []);
      const known = new Set([...parameters, 'Object', 'undefined']);
      const free = [...text.matchAll(/(?<![.\w])[A-Za-z_]\w*/g)].map(([word]) => word).filter((word) => !known.has(word));
      assert.deepEqual(free, [], `${name}.${index}: ${text}`);
    }
});
