/** Budgets of memory: shares of what there is, and never more than a large machine's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetsOf, memoryLimit } from './memory.ts';

const MIB = 1024 * 1024;

test('a constraint counts, and the machine where there is none', () => {
  assert.equal(memoryLimit(256 * MIB, 4096 * MIB), 256 * MIB);
  assert.equal(memoryLimit(0, 4096 * MIB), 4096 * MIB);
  assert.equal(memoryLimit(2 ** 64, 4096 * MIB), 4096 * MIB);
});

test('what waits in memory fits into the memory that there is, and its bounds are the usual ones where there is enough', () => {
  for (const limit of [160, 256, 512, 1024, 65_536].map((mib) => mib * MIB)) {
    const { output, orders, wills, logs, files, largeBody, largeBodies } = budgetsOf(limit);
    // TLS has what is on its way a second time; a body is text beside its bytes.
    assert.ok(
      2 * output + orders + wills + logs + files + 3 * largeBody * largeBodies <= 2 * Math.max(32 * MIB, limit - 128 * MIB),
    );
    assert.ok(2 * output + orders + logs + files <= Math.max(32 * MIB, limit - 128 * MIB), `${limit}`);
    assert.ok(Object.values(budgetsOf(limit)).every((bytes) => bytes >= 1));
  }
  const { output, orders, wills, logs, files, largeBody, largeBodies } = budgetsOf(65_536 * MIB);
  assert.deepEqual(
    [output, orders, wills, logs, files, largeBody],
    [128, 128, 256, 16, 32, 70].map((mib) => mib * MIB),
  );
  assert.equal(largeBodies, 4);
});
