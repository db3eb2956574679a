/** A first start that is killed before any of its changes of the disk is followed by a start that serves. */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from './run-command.ts';
import { FREE_PORTS, MAIN, temporaryFolder } from './test-core.ts';
import { thingsOf } from './things-of.ts';

const work = temporaryFolder();
after(() => rmSync(work, { recursive: true, force: true }));

const preload = new URL('./kill-at-step.ts', import.meta.url).href;

test('a first start that is killed before any of its steps is followed by one that serves', async (t) => {
  for (let at = 1; ; at += 1) {
    const folder = join(work, `killed-${at}`);
    const args = ['--import', preload, MAIN, 'start', '--data-dir', folder, ...FREE_PORTS, '--log-level', 'silent'];
    const env = { PATH: process.env.PATH ?? '', KILL_AT: String(at) };
    const { code, stdout, stderr } = await run(process.execPath, args, { env, deadline: 5_000 });
    // Past the last step the server is ready, and is ended by the deadline.
    if (stdout !== '') {
      t.diagnostic(`${at - 1} steps`);
      assert(at > 40, `${at} steps`);
      return;
    }
    assert.equal(code, null, stderr);
    assert.deepEqual(await thingsOf(folder, 'lamp'), ['lamp'], `killed before step ${at}`);
    assert.deepEqual(await thingsOf(folder), ['lamp'], `killed before step ${at}`);
    rmSync(folder, { recursive: true });
  }
});
