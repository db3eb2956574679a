/** Control groups: where the kernel says that they are, and what it holds to where this process may make some. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Cgroups, groupFolders } from './cgroups.ts';

const MOUNTS = `25 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
31 25 0:27 /docker/abc /sys/fs/cgroup/memory rw,relatime shared:1 - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 25 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct`;

test('the groups of a process are found by what it is told of groups and mounts', () => {
  const groups = '4:memory:/docker/abc\n3:pids:/docker/abc\n2:cpu,cpuacct:/\n0::/user.slice/a\n';
  assert.deepEqual(groupFolders(groups, MOUNTS), {
    v2: '/sys/fs/cgroup/unified/user.slice/a',
    v1: { memory: '/sys/fs/cgroup/memory', pids: '/sys/fs/cgroup/pids/docker/abc' },
  });
  assert.deepEqual(groupFolders('0::/../..\n4:memory:/elsewhere\n', MOUNTS), { v1: {} }, 'none outside of what is mounted');
  assert.deepEqual(groupFolders('', ''), { v1: {} });
});

const groups = Cgroups.open();
const skip = groups === undefined ? 'this process may make no control groups' : false;

/** A shell that waits for a line, and then does what is said. */
const gated = (script: string) => spawn('/bin/sh', ['-c', `read -r _; ${script}`], { stdio: ['pipe', 'pipe', 'ignore'] });

test('what holds more memory than its group may is ended, and said so', { skip }, async () => {
  const cage = groups?.make({ memory: 32 << 20, processes: 20 }) ?? assert.fail();
  const child = gated('exec head -c 100m /dev/zero | tail');
  cage.enter(child.pid ?? -1);
  assert.deepEqual(cage.processes(), [child.pid]);
  assert.equal(cage.isOverMemory(), false);
  child.stdin.end('\n');
  await once(child, 'close');
  assert.equal(cage.isOverMemory(), true);
  assert.equal(cage.remove(), true);
});

test('a group holds no more processes than it may, and all of it ends at once', { skip }, async () => {
  const cage = groups?.make({ memory: 64 << 20, processes: 8 }) ?? assert.fail();
  const child = gated('for n in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 600 & done; echo done; wait');
  cage.enter(child.pid ?? -1);
  child.stdin.end('\n');
  const closed = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  assert.ok(cage.processes().length <= 8);
  assert.equal(cage.remove(), false, 'it is not empty');
  cage.kill();
  await closed;
  while (!cage.remove()) cage.kill();
});

test('a server that starts beside another leaves it its groups, empty ones too', { skip }, async () => {
  const cage = groups?.make({ memory: 64 << 20, processes: 8 }) ?? assert.fail();
  assert.ok(Cgroups.open() !== undefined);
  const child = gated('exit 0');
  cage.enter(child.pid ?? -1);
  child.stdin.end('\n');
  await once(child, 'close');
  while (!cage.remove()) cage.kill();
});

test('of a group that can not be bound nothing is left', { skip }, () => {
  const left = (): string[] => {
    const { v2, v1 } = groupFolders(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
    const folders = [v2?.replace(/\/thingkeep-server$/, ''), ...Object.values(v1)].filter(
      (folder) => folder !== undefined && existsSync(folder),
    );
    return folders.flatMap((folder) => readdirSync(folder ?? '').filter((name) => name.includes(`function-${process.pid}-`)));
  };
  const before = left();
  for (const bounds of [
    { memory: Number.NaN, processes: 8 },
    { memory: 64 << 20, processes: -1 },
  ])
    assert.throws(() => groups?.make(bounds), { code: 'EINVAL' });
  assert.deepEqual(left(), before);
});

test('what a killed server left is removed, one with the same number too', { skip }, () => {
  const [, own = ''] = /:memory:(.+)/.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
  const folder = `/sys/fs/cgroup/memory${own}`;
  if (!existsSync(folder)) return;
  const names = [process.pid, 4_194_304].map((pid) => `thingkeep-function-${pid}-00ff`);
  for (const name of names) mkdirSync(`${folder}/${name}`);
  assert.ok(Cgroups.open() !== undefined);
  for (const name of names) assert.ok(!existsSync(`${folder}/${name}`), name);
});
