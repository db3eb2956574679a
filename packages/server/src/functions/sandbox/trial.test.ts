/** A trial whose processes leave something behind: it is answered in time, and nothing of it stays. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bubbleLauncher } from './bubble.ts';
import { trial } from './trial.ts';
import { tunFault } from './tun.ts';

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** What pasta does that can't open its device: ends, and leaves a process that holds the output open. */
const LEAVES = 'sleep 300 & echo "left $!" >"$0"; echo "Failed to open tun"; exit 1';

test('what is left of a trial ends with its first process, and the answer does not wait for it', {
  timeout: 30_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
  const note = join(folder, 'left');
  const launcher = bubbleLauncher({ command: ['/bin/sh', '-c', LEAVES, note], user: undefined, depth: 1 });
  const fault = await trial({
    program: '/bin/sh',
    depth: 1,
    isOpen: true,
    start: (command) => launcher.start([], command, undefined),
  });
  assert.match(fault ?? '', /can make no network on this machine: Failed to open tun/);
  const [, pid = ''] = /^left (\d+)$/m.exec(readFileSync(note, 'utf8')) ?? [];
  assert.ok(Number(pid) > 1);
  assert.equal(isAlive(Number(pid)), false);
  rmSync(folder, { recursive: true });
});

test('a device that the user of functions may not open is named', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root makes what others may not open');
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
  chmodSync(folder, 0o755);
  const device = join(folder, 'tun');
  writeFileSync(device, '', { mode: 0o600 });
  const user = { uid: 60_999, gid: 60_999 };
  assert.match((await tunFault(user, device)) ?? '', /may not open \S+\/tun, which --function-network open needs/);
  assert.match((await tunFault(user, join(folder, 'none'))) ?? '', /may not open/);
  chmodSync(device, 0o666);
  assert.equal(await tunFault(user, device), undefined);
  rmSync(folder, { recursive: true });
});
