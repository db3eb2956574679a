/**
 * A first start that is killed before any of its changes of the disk is followed by a start that serves. THINGKEEP_STEPS=1
 * kills before each change.
 */
// suite: long
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from './run-command.ts';
import { FREE_PORTS, MAIN, temporaryFolder } from './test-core.ts';
import { forgetInstallation, installationIn, thingsOf } from './things-of.ts';

/** Steps are tried at this distance; 1 tries each. */
const EVERY = Number(process.env.THINGKEEP_STEPS ?? 5);

const work = temporaryFolder();
after(() => rmSync(work, { recursive: true, force: true }));

const preload = new URL('./kill-at-step.ts', import.meta.url).href;

/** Starts the server on a folder, and kills it before one of its changes of the disk; says whether it came to serve. */
async function killedAt(folder: string, at: number, ...more: string[]): Promise<boolean> {
  const args = ['--import', preload, MAIN, 'start', '--data-dir', folder, ...FREE_PORTS, '--log-level', 'silent', ...more];
  const env = { PATH: process.env.PATH ?? '', KILL_AT: String(at) };
  // Past the last step the server is ready, and is ended by the deadline.
  const { code, stdout, stderr } = await run(process.execPath, args, { env, deadline: 5_000 });
  assert.equal(code, null, stderr);
  return stdout !== '';
}

test('a first start that is killed before any of its steps is followed by one that serves', async (t) => {
  for (let at = 1; ; at += EVERY) {
    const folder = join(work, `killed-${at}`);
    if (await killedAt(folder, at)) {
      t.diagnostic(`about ${at - 1} steps`);
      assert(at > 40, `${at} steps`);
      return;
    }
    assert.deepEqual(await thingsOf(folder, 'lamp'), ['lamp'], `killed before step ${at}`);
    assert.deepEqual(await thingsOf(folder), ['lamp'], `killed before step ${at}`);
    rmSync(folder, { recursive: true });
  }
});

test('so is the first start on a folder of an earlier release, and one that gives up a part', async (t) => {
  const good = join(work, 'good');
  await thingsOf(good, 'lamp');
  const old = join(work, 'old');
  cpSync(good, old, { recursive: true });
  await forgetInstallation(old);
  const lost = join(work, 'lost');
  cpSync(good, lost, { recursive: true });
  rmSync(join(lost, 'ca'), { recursive: true });
  for (const [name, folder, flags] of [
    ['old', old, []],
    ['lost', lost, ['--accept-loss', `ca:${installationIn(good)}`]],
  ] as const) {
    for (let at = 1; ; at += EVERY) {
      const copy = join(work, `${name}-${at}`);
      cpSync(folder, copy, { recursive: true });
      const served = await killedAt(copy, at, ...flags);
      if (served) {
        t.diagnostic(`${name}: about ${at - 1} steps`);
        assert(at > 15, `${at} steps`);
        break;
      }
      // The flag stays until the operator has seen a start.
      const given = flags[1] === undefined || installationIn(copy) === undefined ? [] : [['accept-loss', flags[1]] as const];
      assert.deepEqual(await thingsOf(copy, undefined, given), ['lamp'], `${name}: killed before step ${at}`);
      assert.deepEqual(await thingsOf(copy), ['lamp'], `${name}: killed before step ${at}`);
      rmSync(copy, { recursive: true });
    }
  }
});
