/**
 * A server in 256 MiB, the least that docs/operate/run.md names: subscribers that stop reading, and a device that keeps
 * publishing to them, do not end it. Left out where the test may make no control group.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { startServer } from './test-core.ts';

const MIB = 1024 * 1024;
const LIMIT = 256 * MIB;
const STALLED = 60;
/** As `npm start` has them. */
const FLAGS = '--max-semi-space-size=8 --max-old-space-size-percentage=50 --expose-gc';
const env = { MALLOC_TRIM_THRESHOLD_: '131072' };

/** A control group of its own with so much memory; undefined where none can be made. */
function makeGroup(): { readonly folder: string; readonly peak: () => number; readonly events: () => number } | undefined {
  for (const [parent, limit, peak, failures] of [
    ['/sys/fs/cgroup', 'memory.max', 'memory.peak', 'memory.events'],
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.max_usage_in_bytes', 'memory.oom_control'],
  ] as const) {
    const folder = join(parent, `thingkeep-test-${process.pid}`);
    try {
      mkdirSync(folder);
      // Only the kernel makes a group's files.
      assert.ok(existsSync(join(folder, limit)));
      writeFileSync(join(folder, limit), String(LIMIT));
      const number = (name: string, line: RegExp): number =>
        Number(line.exec(readFileSync(join(folder, name), 'utf8'))?.[1] ?? 0);
      return { folder, peak: () => number(peak, /(\d+)/), events: () => number(failures, /oom_kill (\d+)/) };
    } catch {
      try {
        rmdirSync(folder);
      } catch {
        // It was never made.
      }
    }
  }
  return undefined;
}

test('60 subscribers that stop reading do not end a server in 256 MiB', async (t) => {
  const group = makeGroup();
  if (group === undefined) {
    t.skip('this machine lets nobody make a control group');
    return;
  }
  {
    const enter = `echo $$ > ${group.folder}/cgroup.procs; exec "$0" ${FLAGS} "$@"`;
    await using server = await startServer({ through: ['sh', '-c', enter], args: ['--log-level', 'warn'], env });
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    const stalled = await Promise.all(
      Array.from({ length: STALLED }, async (_, n) => {
        const each = await DeviceConnection.admitted(server, 4, `stalled-${n}`, device);
        each.subscribe('flood', 0);
        assert.equal((await each.next()).cmd, 'suback');
        each.socket.pause();
        return each;
      }),
    );
    using publisher = await DeviceConnection.admitted(server, 4, 'publisher', device);
    const payload = Buffer.alloc(100_000);
    for (let n = 0; n < 400; n += 1) {
      publisher.publish('flood', payload, { qos: 1 });
      assert.equal((await publisher.next()).cmd, 'puback');
    }
    const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;
    const full = resident();
    assert.equal(group.events(), 0);
    assert.ok(group.peak() < (LIMIT * 3) / 4, `${group.peak() / MIB} MiB`);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    t.diagnostic(
      `resident ${Math.round(full)} MiB with 60 stalled readers, peak of the group ${Math.round(group.peak() / MIB)} MiB`,
    );
    for (const each of stalled) each.socket.destroy();
    // How much of it the C library gives back to the system differs from run to run: the collection itself is
    // idle-garbage-collector.test.ts's.
    await setTimeout(6_000);
    t.diagnostic(`resident ${Math.round(resident())} MiB after`);
    assert.ok(resident() < full + 5);
    const fresh = await DeviceConnection.admitted(server, 4, 'fresh', device);
    fresh.socket.destroy();
  }
  await setTimeout(100);
  rmdirSync(group.folder);
});
