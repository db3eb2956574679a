/** Archives that cost much to check: others have their turns meanwhile, and what costs too much is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { zipOfFiles } from '../functions/code/zip.fixture.ts';
import { SbomCheck } from './sbom-check.ts';

const MIB = 1024 * 1024;
const refused = (message: RegExp) => ({ name: 'ValidationException', message });
const GOOD = '{"bomFormat":"CycloneDX","specVersion":"1.5"}';

test('the event loop goes on while archives are checked, each of which gets its own answer', async () => {
  const sboms = new SbomCheck();
  const deep = zipOfFiles({ 'deep.json': '['.repeat(3 * MIB) });
  const all = Promise.all([sboms.check(deep), sboms.check(zipOfFiles({ 'good.json': GOOD })), sboms.check(deep)]);
  let turns = 0;
  let isDone = false;
  void all.then(() => {
    isDone = true;
  });
  for (; !isDone; turns += 1) await setImmediate();
  const [one, good, other] = await all;
  assert.deepEqual(good, [{ fileName: 'good.json' }]);
  assert.deepEqual([one[0]?.errorCode, other[0]?.errorCode], ['INCOMPATIBLE_FORMAT', 'INCOMPATIBLE_FORMAT']);
  assert.ok(turns > 100, `${turns} turns`);
});

test('what takes too long, or has too much in all, is refused, and the next one is checked', async () => {
  const text = '[]'.padEnd(4 * MIB);
  const five = zipOfFiles(Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`${i}.json`, text])));
  await assert.rejects(new SbomCheck(1).check(five), refused(/too much time or memory/));
  const sboms = new SbomCheck();
  await assert.rejects(sboms.check(five), refused(/more than 16777216 bytes together/));
  await assert.rejects(sboms.check(Buffer.from('no zip')), refused(/not a zip archive/));
  assert.deepEqual(await sboms.check(zipOfFiles({ 'good.json': GOOD })), [{ fileName: 'good.json' }]);
});
