/** A bus that fails a little, in every run of the tests: each operation is right, or says what is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWithFaults } from './testing/fault-run.ts';
import { FAULTS } from './testing/faulty-bus.ts';

for (const kind of ['atecc508a', 'atecc608'] as const)
  test(`${kind}: 1,500 faults of the bus, and no wrong result`, async () => {
    const { faults, total, done } = await runWithFaults(kind, 7, 1500);
    assert.ok(total >= 1500);
    assert.ok(done > 100, String(done));
    for (const fault of FAULTS) assert.ok((faults[fault] ?? 0) > 0, fault);
  });
