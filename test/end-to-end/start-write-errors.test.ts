/**
 * A start that can't write a file says so in one line, with the file and the reason, and ends; nothing half made stays in the
 * way.
 */
// needs: cc
// suite: long
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Failing, failingDisk } from './failing-disk.ts';
import { FREE_PORTS, MAIN, startServer, temporaryFolder } from './test-core.ts';
import { type Outcome, plainEnvironment } from './run-command.ts';

const base = temporaryFolder();
after(() => rmSync(base, { recursive: true, force: true }));
const library = failingDisk(base);
const ERRORS: readonly Failing['error'][] = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT', 'EACCES'];

/** Calls from one point to the next (THINGKEEP_STEPS); 1 tries each. */
const STEP = Number(process.env.THINGKEEP_STEPS ?? 7);

/** Starts a server whose writes fail from a call on; one that gets ready all the same is ended. */
function startFailing(dataDir: string, failing: Omit<Failing, 'folder'>): Promise<Outcome> {
  const env = { ...plainEnvironment(), ...library({ folder: dataDir, ...failing }) };
  const child = spawn(process.execPath, [MAIN, 'start', '--data-dir', dataDir, ...FREE_PORTS], { env, stdio: 'pipe' });
  const outcome = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => {
    outcome.stdout += bytes.toString();
    child.kill('SIGKILL');
  });
  child.stderr.on('data', (bytes: Buffer) => (outcome.stderr += bytes.toString()));
  return once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, ...outcome }));
}

for (const error of ERRORS)
  test(`${error} at any write of a first start is one line`, async (t) => {
    let points = 0;
    const lines = new Set<string>();
    // Each error begins elsewhere, so that together they come to many calls.
    for (let from = 1 + ERRORS.indexOf(error); ; from += STEP) {
      const dataDir = join(base, `${error}-${from}`);
      mkdirSync(dataDir, { mode: 0o700 });
      const { code, stdout, stderr } = await startFailing(dataDir, { from, error });
      if (stdout.includes('is ready')) break;
      points += 1;
      const told = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
      assert.deepEqual([told.length, code === 1 || code === 2], [1, true], `call ${from}: exit ${code}\n${stderr}`);
      assert.ok(told[0]?.startsWith('thingkeep: '), told[0]);
      assert.ok(told[0]?.includes(dataDir), told[0]);
      assert.match(told[0] ?? '', new RegExp(`${error}|is full|I/O error|unable to open|readonly`), `call ${from}`);
      lines.add((told[0] ?? '').replaceAll(dataDir, ''));
      if (from % 4 === 0) {
        // What it left is no hindrance once the disk is well.
        await using server = await startServer({ dataDir });
        assert.ok(existsSync(server.rootCa));
      }
      rmSync(dataDir, { recursive: true, force: true });
    }
    t.diagnostic(`${points} points, ${lines.size} different lines`);
    assert.ok(points > 10);
  });
