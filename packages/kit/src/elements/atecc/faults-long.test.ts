/** 100,000 faults of the bus: each operation is right, or says what is wrong. */
// suite: long
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWithFaults } from './testing/fault-run.ts';
import { FAULTS } from './testing/faulty-bus.ts';

const RUNS = 10;
const FAULTS_OF_RUN = 10_000;

for (let run = 0; run < RUNS; run += 1) {
  const kind = run % 2 === 0 ? 'atecc508a' : 'atecc608';
  test(`${kind}: ${FAULTS_OF_RUN} faults, seed ${run + 1}`, async (t) => {
    const { faults, total, done, refused } = await runWithFaults(kind, run + 1, FAULTS_OF_RUN);
    t.diagnostic(`${total} faults ${JSON.stringify(faults)}; ${done} operations right, errors ${JSON.stringify(refused)}`);
    assert.ok(total >= FAULTS_OF_RUN);
    assert.ok(done > 100, String(done));
    for (const fault of FAULTS) assert.ok((faults[fault] ?? 0) > 0, fault);
  });
}
