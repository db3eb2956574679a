/** A clock that was ahead for a moment: what was to be done goes on when it is put right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counts, grouped, toGroup } from './grouped.fixture.ts';
import { MINUTE } from './jobs.fixture.ts';

const DAY = 24 * 60 * MINUTE;

for (const isRestarted of [false, true])
  test(`a rollout goes on with its rate after the clock was a day ahead${isRestarted ? ', across a restart' : ''}`, async () => {
    await using bench = await grouped(60);
    await bench.call('CreateJob', toGroup({ jobExecutionsRolloutConfig: { maximumPerMinute: 60 } }));
    await bench.settle();
    await bench.pass(5);
    bench.clock.at += DAY;
    await bench.pass(3);
    const { Queued: ahead = 0 } = await counts(bench);
    assert.ok(ahead < 15);
    bench.clock.at -= DAY;
    if (isRestarted) await bench.restart();
    await bench.pass(10);
    const { Queued: soon = 0 } = await counts(bench);
    assert.ok(soon >= ahead + 9 && soon <= ahead + 12);
    await bench.pass(50);
    assert.deepEqual(await counts(bench), { Queued: 60 });
  });
